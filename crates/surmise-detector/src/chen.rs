use core::time::Duration;

use surmise_time::Instant;

use crate::{
    Beat, ConfigError, FailureDetector, InlineStorage, OffsetStorage,
    arrivals::{Arrival, Arrivals, Learner},
    error,
    limits::{MAX_DURATION, MIN_DURATION},
    schedule::Schedule,
};

/// Chen's NFD-E: suspects a peer a fixed margin after its next heartbeat should have arrived.
///
/// The sender sends every η by its own clock. The expected arrival of the next heartbeat follows from
/// the arrivals in the window, which need no clock in common (Chen, Toueg, Aguilera, *On the quality of
/// service of failure detectors*, IEEE Transactions on Computers 51, 2002, §6.3):
///
/// > EA = mean(A_i − η·s_i) + (s + 1)·η,  D = EA + α
///
/// The [`freshness_point`](Self::freshness_point) does not move with one late heartbeat, so the
/// detection time does not, either. The price: when the sender itself stalls and does not catch up, or
/// η is wrong, the schedule is off for a whole window. [`TwoWindow`](crate::TwoWindow) bears that. A
/// sequence number far ahead of the schedule is believed, too, and puts the next heartbeat as far into the
/// future: numbers must count heartbeats, and restarts must be [reported](FailureDetector::restart).
///
/// O(1) without allocation; 8 bytes a beat of the window and about 130 bytes.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{Chen, ChenConfig, FailureDetector};
/// use surmise_time::Instant;
///
/// let mut peer = Chen::<[i64; 100]>::new(ChenConfig {
///     interval: Duration::from_millis(100),
///     safety_margin: Duration::from_millis(50),
/// })?;
/// peer.heartbeat(1, Instant::from_nanos(1_000_000_000));
/// assert_eq!(peer.deadline(), Some(Instant::from_nanos(1_150_000_000)));
///
/// // 20 ms late; but half of that is jitter, to the best of our knowledge.
/// peer.heartbeat(2, Instant::from_nanos(1_120_000_000));
/// assert_eq!(peer.deadline(), Some(Instant::from_nanos(1_260_000_000)));
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chen<S: OffsetStorage> {
    arrivals: Arrivals,
    schedule: Schedule<S>,
    safety_margin: u64,
}

/// How a [`Chen`] detector is set up.
///
/// [`QosContract`](crate::QosContract) finds one that keeps a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct ChenConfig {
    /// η, the interval at which the peer sends. From 1 ns to 39 hours. It must be the true one.
    pub interval: Duration,
    /// α, how much later than expected a heartbeat may arrive. From 0 to 39 hours. Higher means slower
    /// and fewer mistakes.
    pub safety_margin: Duration,
}

impl<S: OffsetStorage + InlineStorage> Chen<S> {
    /// Creates a detector with its window inside.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn new(config: ChenConfig) -> Result<Self, ConfigError> {
        Self::with_storage(config, S::zeroed())
    }
}

impl<S: OffsetStorage> Chen<S> {
    /// Creates a detector on a window of any kind.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn with_storage(config: ChenConfig, storage: S) -> Result<Self, ConfigError> {
        let interval = error::duration("interval", config.interval, MIN_DURATION, MAX_DURATION)?;
        let margin = config.safety_margin;
        Ok(Self {
            arrivals: Arrivals::NONE,
            schedule: Schedule::new(interval, storage)?,
            safety_margin: error::duration("safety_margin", margin, Duration::ZERO, MAX_DURATION)?,
        })
    }

    /// Returns the instant from which the newest heartbeat no longer vouches for the peer: Chen's τ,
    /// and the [`deadline`](FailureDetector::deadline) by another name.
    #[must_use]
    pub fn freshness_point(&self) -> Option<Instant> {
        self.arrivals.deadline()
    }
}

impl<S: OffsetStorage> FailureDetector for Chen<S> {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in(sequence, now)
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in_queued(sequence, now)
    }

    fn restart(&mut self) {
        self.arrivals.restart();
        self.schedule.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        self.arrivals.deadline()
    }
}

impl<S: OffsetStorage> Learner for Chen<S> {
    #[inline]
    fn arrivals(&mut self) -> &mut Arrivals {
        &mut self.arrivals
    }

    #[inline]
    fn learn(&mut self, arrival: &Arrival) {
        self.schedule.record(arrival);
    }

    fn realign(&mut self, arrival: &Arrival) {
        self.schedule.realign(arrival);
    }

    #[inline]
    fn patience(&self) -> u64 {
        self.schedule.patience(self.safety_margin.into())
    }
}
