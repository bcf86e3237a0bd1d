use core::time::Duration;

use surmise_time::Instant;

use crate::{
    AccrualDetector, Beat, ConfigError, FailureDetector, InlineStorage, LateIntervals,
    WindowStorage,
    arrivals::{Arrival, Arrivals, Learner},
    error, float,
    limits::{MAX_DURATION, MIN_DURATION},
    window::Quantiles,
};

/// Suspects a peer when its silence is longer than nearly all recent intervals, whatever their
/// distribution.
///
/// The level of suspicion at t after the last heartbeat is the share of remembered intervals S with
/// a·S ≤ t, so the deadline is a stretched quantile (Satzger, Pietzowski, Trumler, Ungerer, *A new
/// adaptive accrual failure detector for dependable distributed systems*, SAC 2007; RabbitMQ's aten):
///
/// > D = A + a·S₍ₖ₎, k = ⌈threshold·n⌉
///
/// It cannot look beyond the longest interval it remembers, which is what the stretch is for. An
/// interval across lost heartbeats counts as the mean of the intervals it would have been.
///
/// A query is O(log n), a heartbeat O(n) for keeping the window sorted, by one `memmove`. The window is
/// kept twice.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{AccrualDetector, FailureDetector, Satzger, SatzgerConfig};
/// use surmise_time::Instant;
///
/// let config = SatzgerConfig::for_interval(Duration::from_millis(100));
/// let mut peer = Satzger::<[u32; 64]>::new(config)?;
/// for sequence in 0..=10 {
///     peer.heartbeat(sequence, Instant::ORIGIN + 10 * Duration::from_millis(10 * sequence));
/// }
/// let last = Instant::ORIGIN + Duration::from_secs(1);
/// assert_eq!(peer.deadline(), Some(last + Duration::from_millis(150)));
/// assert_eq!(peer.suspicion_level(last + Duration::from_millis(151)), 1.0);
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Satzger<S: WindowStorage> {
    arrivals: Arrivals,
    intervals: S::Sorted,
    expected: u64,
    /// In billionths: ranks are exact integers, and ⌈0.07·100⌉ is 7 and not 8.
    threshold: u64,
    stretch: f64,
    late_intervals: LateIntervals,
}

/// How a [`Satzger`] detector is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct SatzgerConfig {
    /// The share of intervals that must be shorter than the silence, from 1e-9 to 1, to nine decimals.
    /// Higher means slower and fewer mistakes; beyond 1 − 1/n, for a window of n, nothing changes.
    pub threshold: f64,
    /// a, by which intervals are stretched, from 0.001 to 1000. Higher means slower and fewer mistakes.
    pub stretch: f64,
    /// The expected interval between heartbeats, used until the first one is known. From 1 ns to 39
    /// hours.
    pub interval: Duration,
    /// What to learn from an interval that was too long.
    pub late_intervals: LateIntervals,
}

impl SatzgerConfig {
    /// Returns a configuration for heartbeats at this interval: as long as 99 % of intervals, stretched
    /// by half, like RabbitMQ's.
    #[must_use]
    pub const fn for_interval(interval: Duration) -> Self {
        Self { threshold: 0.99, stretch: 1.5, interval, late_intervals: LateIntervals::Clamp }
    }
}

impl<S: WindowStorage + InlineStorage> Satzger<S> {
    /// Creates a detector with its window inside.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn new(config: SatzgerConfig) -> Result<Self, ConfigError> {
        Self::with_storage(config, S::zeroed())
    }
}

impl<S: WindowStorage> Satzger<S> {
    /// Creates a detector on a window of any kind.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn with_storage(config: SatzgerConfig, storage: S) -> Result<Self, ConfigError> {
        let expected = error::duration("interval", config.interval, MIN_DURATION, MAX_DURATION)?;
        let threshold = error::number("threshold", config.threshold, 1e-9, 1.0)?;
        Ok(Self {
            arrivals: Arrivals::NONE,
            intervals: storage.into_sorted(expected)?,
            expected,
            threshold: float::to_nanos(libm::round(threshold * 1e9)),
            stretch: error::number("stretch", config.stretch, 0.001, 1000.0)?,
            late_intervals: config.late_intervals,
        })
    }

    /// Returns the quantile of the intervals at the threshold, by nearest rank, in nanoseconds.
    fn quantile(&self) -> u64 {
        // At most 2¹⁶ intervals times 10⁹.
        let scaled = self.threshold * u64::from(self.intervals.len());
        let rank = u32::try_from(scaled.div_ceil(BILLION)).unwrap_or(u32::MAX);
        self.intervals.nth(rank).unwrap_or(self.expected)
    }
}

impl<S: WindowStorage> FailureDetector for Satzger<S> {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in(sequence, now)
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in_queued(sequence, now)
    }

    fn restart(&mut self) {
        self.arrivals.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        self.arrivals.deadline()
    }
}

impl<S: WindowStorage> AccrualDetector for Satzger<S> {
    fn suspicion_level(&self, now: Instant) -> f64 {
        let Some(silence) = self.arrivals.silence(now) else {
            return 0.0;
        };
        let is_over = |interval| self.stretch * float::from_nanos(interval) <= silence;
        match self.intervals.len() {
            0 => f64::from(u8::from(is_over(self.expected))),
            len => f64::from(self.intervals.count_while(is_over)) / f64::from(len),
        }
    }
}

impl<S: WindowStorage> Learner for Satzger<S> {
    #[inline]
    fn arrivals(&mut self) -> &mut Arrivals {
        &mut self.arrivals
    }

    #[inline]
    fn learn(&mut self, arrival: &Arrival) {
        if let Some(interval) = self.late_intervals.learned(arrival) {
            self.intervals.record(interval);
        }
    }

    #[inline]
    fn patience(&self) -> u64 {
        float::to_nanos(self.stretch * float::from_nanos(self.quantile()))
    }
}

const BILLION: u64 = 1_000_000_000;
