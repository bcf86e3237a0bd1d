use core::time::Duration;

use surmise_time::Instant;

use crate::{
    Beat, ConfigError, FailureDetector, InlineStorage, OffsetStorage,
    arrivals::{Arrival, Arrivals, Learner},
    error,
    limits::{MAX_DURATION, MIN_DURATION},
    schedule::Schedule,
};

/// 2W-FD: Chen's estimate over a long window or over the last heartbeat alone, whichever is later.
///
/// The long window is calm, the short one follows a burst of delay or a stalled sender at once (Tomsic,
/// Sens, Garcia, Arantes, Sopena, *2W-FD: a failure detector algorithm with QoS*, IPDPS 2015):
///
/// > D = max(EA over 1, EA over the window) + Δ
///
/// A good default where η is known. O(1) without allocation; 8 bytes a beat of the window and about
/// 140 bytes.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{FailureDetector, TwoWindow, TwoWindowConfig};
/// use surmise_time::Instant;
///
/// let mut peer = TwoWindow::<[i64; 100]>::new(TwoWindowConfig {
///     interval: Duration::from_millis(100),
///     safety_margin: Duration::from_millis(50),
/// })?;
/// peer.heartbeat(1, Instant::from_nanos(1_000_000_000));
/// // 20 ms late: the last heartbeat alone promises the later deadline.
/// peer.heartbeat(2, Instant::from_nanos(1_120_000_000));
/// assert_eq!(peer.deadline(), Some(Instant::from_nanos(1_270_000_000)));
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TwoWindow<S: OffsetStorage> {
    arrivals: Arrivals,
    schedule: Schedule<S>,
    /// Δ, and η + Δ.
    safety_margin: u64,
    since_last: u64,
}

/// How a [`TwoWindow`] detector is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct TwoWindowConfig {
    /// η, the interval at which the peer sends. From 1 ns to 39 hours.
    pub interval: Duration,
    /// Δ, how much later than expected a heartbeat may arrive. From 0 to 39 hours. Higher means slower
    /// and fewer mistakes.
    pub safety_margin: Duration,
}

impl<S: OffsetStorage + InlineStorage> TwoWindow<S> {
    /// Creates a detector with its window inside.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn new(config: TwoWindowConfig) -> Result<Self, ConfigError> {
        Self::with_storage(config, S::zeroed())
    }
}

impl<S: OffsetStorage> TwoWindow<S> {
    /// Creates a detector on a window of any kind.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn with_storage(config: TwoWindowConfig, storage: S) -> Result<Self, ConfigError> {
        let interval = error::duration("interval", config.interval, MIN_DURATION, MAX_DURATION)?;
        let margin = config.safety_margin;
        let margin = error::duration("safety_margin", margin, Duration::ZERO, MAX_DURATION)?;
        Ok(Self {
            arrivals: Arrivals::NONE,
            schedule: Schedule::new(interval, storage)?,
            safety_margin: margin,
            since_last: interval + margin,
        })
    }
}

impl<S: OffsetStorage> FailureDetector for TwoWindow<S> {
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

impl<S: OffsetStorage> Learner for TwoWindow<S> {
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
        self.schedule.patience(self.safety_margin.into()).max(self.since_last)
    }
}
