use core::{cell::Cell, fmt, time::Duration};

use phi_accrual_failure_detector::{
    Builder, Clock, Detector, Error, FailureDetector, SyncState, UnsyncState,
};
use surmise_detector::Verdict;
use surmise_time::Instant;

use super::{THRESHOLD, WINDOW};
use crate::{
    Origin,
    detectors::{AccrualContender, Contender, INTERVAL},
};

/// The crate `phi-accrual-failure-detector` 0.1, in its form for one thread or the one for many.
///
/// It keeps its default pause of 3 s. Its mean interval tends to zero, because it divides by all beats
/// ever seen; without the pause it would soon suspect a healthy peer, and then record nothing, which
/// is cheap.
pub struct PhiAccrualFailureDetector<D>(D);

impl PhiAccrualFailureDetector<FailureDetector<UnsyncState<SteppedClock>>> {
    /// Creates the form for one thread.
    ///
    /// # Errors
    ///
    /// If the crate refuses the configuration.
    pub fn new() -> Result<Self, Error> {
        builder().build().map(Self)
    }

    /// Creates the form for one thread with its defaults, which are for heartbeats once a second, but for the longer
    /// window of every peer.
    ///
    /// # Errors
    ///
    /// If the crate refuses the configuration.
    pub fn defaults() -> Result<Self, Error> {
        let builder = Builder::<UnsyncState<_>>::new().max_sample_size(WINDOW);
        builder.clock(SteppedClock).build().map(Self)
    }
}

impl PhiAccrualFailureDetector<FailureDetector<SyncState<SteppedClock>>> {
    /// Creates the form for many threads, which has a lock inside.
    ///
    /// # Errors
    ///
    /// If the crate refuses the configuration.
    pub fn shared() -> Result<Self, Error> {
        builder().sync().build().map(Self)
    }
}

impl<D: Detector> PhiAccrualFailureDetector<D> {
    /// Takes in a heartbeat.
    #[inline]
    pub fn heartbeat(&self, now: Instant) {
        NOW.set(now);
        self.0.heartbeat();
    }

    /// Returns whether the peer is trusted at `now`.
    #[inline]
    pub fn is_available(&self, now: Instant) -> bool {
        NOW.set(now);
        self.0.is_available()
    }
}

impl<D> fmt::Debug for PhiAccrualFailureDetector<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhiAccrualFailureDetector").finish_non_exhaustive()
    }
}

impl<D: Detector> Contender for PhiAccrualFailureDetector<D> {
    const ORIGIN: Origin = Origin::Peer;

    type Beat = ();

    #[inline]
    fn heartbeat(&mut self, _sequence: u64, now: Instant) {
        Self::heartbeat(self, now);
    }

    #[inline]
    fn verdict(&self, now: Instant) -> Verdict {
        if self.is_available(now) { Verdict::Trust } else { Verdict::Suspect }
    }
}

impl<D: Detector> AccrualContender for PhiAccrualFailureDetector<D> {
    #[inline]
    fn suspicion_level(&self, now: Instant) -> f64 {
        NOW.set(now);
        self.0.phi()
    }
}

fn builder() -> Builder<UnsyncState<SteppedClock>> {
    Builder::<UnsyncState<_>>::new()
        .threshold(THRESHOLD)
        .max_sample_size(WINDOW)
        .min_std_deviation(INTERVAL / 10)
        .acceptable_heartbeat_pause(Duration::from_secs(3))
        .first_heartbeat_estimate(INTERVAL)
        .clock(SteppedClock)
}

/// A clock that shows what the thread last set it to. It has no size, like the crate's own.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct SteppedClock;

impl Clock for SteppedClock {
    type Timestamp = Instant;

    #[inline]
    fn timestamp(&self) -> Instant {
        NOW.get()
    }

    #[inline]
    fn elapsed(before: &Instant, after: &Instant) -> Duration {
        *after - *before
    }
}

thread_local! {
    static NOW: Cell<Instant> = const { Cell::new(Instant::ORIGIN) };
}
