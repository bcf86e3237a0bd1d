use alloc::sync::Arc;

use crossbeam_utils::CachePadded;
use surmise_detector::{FailureDetector, Verdict};
use surmise_time::Instant;

use super::{
    loom::{AtomicU16, AtomicU64, Ordering},
    pulse::Pulse,
};
use crate::{PeerState, monitor::fleet::Fleet};

/// One peer of a [`Monitor`](super::Monitor), whose verdict is to be had without waiting for anybody.
///
/// A verdict is seven loads at most, whatever other threads do. Handles are cheap to clone, and stay valid
/// for as long as the peer is watched.
///
/// # What it says
///
/// It judges by the peer's deadline and by `now`, and need not wait for the next [`poll`](super::Monitor::poll):
///
/// * [`Suspect`](Verdict::Suspect) from when the deadline passes, which is earlier than the event by as much as the poll
///   is late. If the peer is heard of before that poll, no event tells of it. It stays so until the peer is trusted again.
/// * [`Trust`](Verdict::Trust) while verdicts are held back because [too many](crate::CorrelatedExpiry) peers expired
///   together. A poll has to find that out first, so that those who expired since the poll before are suspected until then.
/// * [`Trust`](Verdict::Trust), if that is what it was, while the observer is stalled: from
///   [`max_poll_gap`](crate::MonitorConfig::max_poll_gap) after the latest poll on no time passes, until the next. Of a peer
///   that is not heard of after the stall, a handle says so until a poll reports that its time is over.
/// * [`Unknown`](Verdict::Unknown) before the first heartbeat, until a poll reports that there was none in time; and for
///   ever if the peer is not watched any more, even if it is watched anew: that has other handles.
#[derive(Clone, Debug)]
pub struct PeerHandle {
    outlook: Arc<CachePadded<Outlook>>,
    pulse: Arc<CachePadded<Pulse>>,
}

impl PeerHandle {
    pub(super) const fn new(
        outlook: Arc<CachePadded<Outlook>>,
        pulse: Arc<CachePadded<Pulse>>,
    ) -> Self {
        Self { outlook, pulse }
    }

    /// Returns what to think of the peer at `now`.
    ///
    /// Read the clock before the call.
    #[must_use]
    pub fn verdict(&self, now: Instant) -> Verdict {
        // What is said of the peer is read last. So whoever seems to have expired by this time had not been heard of later,
        // either: a heartbeat between the two would have been seen.
        let is_holding = self.pulse.is_holding();
        let now = self.pulse.awake_at(now);
        let stalls = self.pulse.stalls();
        match self.outlook.until.load(Ordering::Acquire) {
            UNKNOWN => Verdict::Unknown,
            SUSPECTED => Verdict::Suspect,
            until if is_holding || now.as_nanos() <= until => Verdict::Trust,
            // It expired by what was known before a stall. How long it is to be waited for now, a poll knows.
            _ if self.outlook.stalls.load(Ordering::Acquire) != stalls => Verdict::Trust,
            until => match self.outlook.until.load(Ordering::Acquire) {
                UNKNOWN => Verdict::Unknown,
                // The number of stalls need not be that of this deadline: then it was heard of just now.
                newer if newer != until && newer != SUSPECTED => Verdict::Trust,
                _ => Verdict::Suspect,
            },
        }
    }
}

/// What is to be thought of a peer. It lies on a cache line of its own, as it changes with each heartbeat.
#[derive(Debug)]
pub(super) struct Outlook {
    /// Until which time awake it is trusted, or one of the following.
    until: AtomicU64,
    /// Which stall was the latest when that was known.
    stalls: AtomicU16,
}

/// It was never heard of, or is not watched.
const UNKNOWN: u64 = u64::MAX;
/// It is suspected or dead.
const SUSPECTED: u64 = u64::MAX - 1;
/// It is trusted for ever.
const FOREVER: u64 = u64::MAX - 2;

impl Outlook {
    pub(super) fn new() -> Self {
        Self { until: AtomicU64::new(UNKNOWN), stalls: AtomicU16::new(0) }
    }

    /// Publishes what is known of the peer in a slot.
    #[inline]
    pub(super) fn publish<K, D: FailureDetector>(
        &self,
        fleet: &Fleet<K, D>,
        slot: u32,
        stalls: u16,
    ) {
        let bits = match fleet.outlook(slot) {
            Some((PeerState::Unheard, _)) | None => UNKNOWN,
            Some((PeerState::Suspected | PeerState::Dead, _)) => SUSPECTED,
            Some((PeerState::Trusted, until)) => {
                until.map_or(FOREVER, |until| until.as_nanos().min(FOREVER))
            }
        };
        self.stalls.store(stalls, Ordering::Release);
        // Release and acquire, so that whoever sees the deadline also sees what led to it.
        self.until.store(bits, Ordering::Release);
    }
}
