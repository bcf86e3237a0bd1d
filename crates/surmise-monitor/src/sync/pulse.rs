use core::time::Duration;

use surmise_time::Instant;

use super::loom::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use crate::monitor::observer::Observer;

/// What the poller lets everybody know of the time awake.
#[derive(Debug)]
pub(super) struct Pulse {
    max_gap: Duration,
    /// The poller's latest reading of the clock.
    latest: AtomicU64,
    /// For how long the observer was stalled before.
    stalled_for: AtomicU64,
    /// Which stall was the latest.
    stalls: AtomicU16,
    /// Whether verdicts are held back.
    is_holding: AtomicBool,
}

impl Pulse {
    pub(super) fn new(max_gap: Duration) -> Self {
        Self {
            max_gap,
            latest: AtomicU64::new(0),
            stalled_for: AtomicU64::new(0),
            stalls: AtomicU16::new(0),
            is_holding: AtomicBool::new(false),
        }
    }

    /// Lets everybody know of the latest reading. Only one thread does so at a time.
    pub(super) fn beat(&self, observer: &Observer) {
        let (latest, stalled_for) = observer.reading();
        let stalled_for = u64::try_from(stalled_for.as_nanos()).unwrap_or(u64::MAX);
        // Whoever sees the reading after a stall also sees the stall. Who sees only the stall sees less time awake than
        // there was, which convicts nobody.
        self.stalls.store(observer.moment().noted, Ordering::Release);
        self.stalled_for.store(stalled_for, Ordering::Release);
        self.latest.store(latest.as_nanos(), Ordering::Release);
    }

    pub(super) fn hold(&self, is_holding: bool) {
        self.is_holding.store(is_holding, Ordering::Release);
    }

    pub(super) fn is_holding(&self) -> bool {
        self.is_holding.load(Ordering::Acquire)
    }

    /// Returns which stall was the latest, to whoever knows the time after it.
    pub(super) fn stalls(&self) -> u16 {
        self.stalls.load(Ordering::Acquire)
    }

    /// Returns the time awake at `now`. While the observer is stalled no time passes.
    pub(super) fn awake_at(&self, now: Instant) -> Instant {
        let latest = Instant::from_nanos(self.latest.load(Ordering::Acquire));
        let stalled_for = Duration::from_nanos(self.stalled_for.load(Ordering::Acquire));
        let now = if now - latest > self.max_gap { latest } else { latest.max(now) };
        now - stalled_for
    }
}
