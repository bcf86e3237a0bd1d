use core::{
    f64::consts::{LN_10, LOG10_E},
    time::Duration,
};

use surmise_time::Instant;

use crate::{
    AccrualDetector, Beat, ConfigError, FailureDetector, InlineStorage, IntervalStorage,
    LateIntervals,
    arrivals::{Arrival, Arrivals, Learner},
    error, float,
    limits::{MAX_DURATION, MIN_DURATION},
    window::Intervals,
};

/// Suspects a peer when its silence would be a rare event, were the intervals between heartbeats
/// exponentially distributed; or, put plainly, when it lasts a number of mean intervals.
///
/// The detector of Cassandra and chitchat, and the ED detector of the literature (Xiong et al.,
/// *A class of accrual failure detectors*): the level of suspicion at t after the last heartbeat
/// follows from t/μ alone, and the [scale](ExponentialScale) says how.
///
/// > D = A + k·μ
///
/// An interval across lost heartbeats counts as the mean of the intervals it would have been. As with
/// φ, the threshold is no promise of a rate: heartbeats do not come at random.
///
/// O(1) without allocation; 64 bytes with [`ExponentiallyWeighted`](crate::ExponentiallyWeighted), else
/// the window and about 130 bytes.
///
/// # Examples
///
/// Cassandra's detector, and one that suspects when 99.9 % of intervals would have ended:
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{Exponential, ExponentialConfig, ExponentialScale};
///
/// let cassandra = ExponentialConfig::cassandra(Duration::from_secs(1));
/// let peer = Exponential::<[u32; 1000]>::new(cassandra)?;
///
/// let peer = Exponential::<[u32; 1000]>::new(ExponentialConfig {
///     threshold: 0.999,
///     scale: ExponentialScale::Probability,
///     ..cassandra
/// })?;
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Exponential<S: IntervalStorage> {
    arrivals: Arrivals,
    intervals: S::Intervals,
    /// The deadline in mean intervals.
    multiple: f64,
    /// In nanoseconds.
    prior: f32,
    prior_weight: u16,
    scale: ExponentialScale,
    late_intervals: LateIntervals,
}

/// How an [`Exponential`] detector is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct ExponentialConfig {
    /// The suspicion above which the peer is suspected, on the scale below. Higher means slower and
    /// fewer mistakes.
    pub threshold: f64,
    /// What a suspicion level means, and so which thresholds there are.
    pub scale: ExponentialScale,
    /// The expected interval between heartbeats: the mean until the first interval is known. From 1 ns
    /// to 39 hours, to seven digits where it serves as the prior.
    pub interval: Duration,
    /// For how many intervals the expected one stands in the mean for good; 0 for none. Higher means
    /// calmer at the start, and a mean pulled towards the expected interval.
    pub prior_weight: u16,
    /// What to learn from an interval that was too long.
    pub late_intervals: LateIntervals,
}

/// What a level of suspicion of [`Exponential`] means, for a silence of t at a mean interval of μ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ExponentialScale {
    /// 1 − e^(−t/μ), the share of intervals that end earlier. Thresholds lie between 0 and 1.
    #[default]
    Probability,
    /// log₁₀(e)·t/μ, Cassandra's φ: its 8 is a silence of 18.42 mean intervals. Thresholds go to 1e5.
    Cassandra,
    /// t/μ, chitchat's φ: its 8 is a silence of 8 mean intervals. Thresholds go to 1e5.
    Chitchat,
}

impl ExponentialConfig {
    /// Returns Cassandra's configuration for heartbeats at this interval: its φ of 8, which is 18.4 mean
    /// intervals, and no prior. It keeps 1000 intervals.
    #[must_use]
    pub const fn cassandra(interval: Duration) -> Self {
        Self {
            threshold: 8.0,
            scale: ExponentialScale::Cassandra,
            interval,
            prior_weight: 0,
            late_intervals: LateIntervals::Learn,
        }
    }

    /// Returns chitchat's configuration for heartbeats at this interval: 8 mean intervals, and the
    /// expected interval for five of them. It keeps 1000 intervals, and expects 5 s.
    #[must_use]
    pub const fn chitchat(interval: Duration) -> Self {
        Self {
            threshold: 8.0,
            scale: ExponentialScale::Chitchat,
            interval,
            prior_weight: 5,
            late_intervals: LateIntervals::Learn,
        }
    }
}

impl<S: IntervalStorage + InlineStorage> Exponential<S> {
    /// Creates a detector with its window inside.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn new(config: ExponentialConfig) -> Result<Self, ConfigError> {
        Self::with_storage(config, S::zeroed())
    }
}

impl<S: IntervalStorage> Exponential<S> {
    /// Creates a detector on a storage of any kind.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the size of the storage is out of its range.
    pub fn with_storage(config: ExponentialConfig, storage: S) -> Result<Self, ConfigError> {
        let interval = error::duration("interval", config.interval, MIN_DURATION, MAX_DURATION)?;
        Ok(Self {
            arrivals: Arrivals::NONE,
            intervals: storage.into_intervals(interval, 0.0)?,
            multiple: config.scale.multiple(config.threshold)?,
            prior: float::seven_digits(float::from_nanos(interval)),
            prior_weight: config.prior_weight,
            scale: config.scale,
            late_intervals: config.late_intervals,
        })
    }

    /// Returns the mean interval in nanoseconds, its prior included.
    #[inline]
    fn mean(&self) -> f64 {
        let mean = self.intervals.mean();
        if self.prior_weight == 0 {
            return mean;
        }
        let n = f64::from(self.intervals.len());
        let weight = f64::from(self.prior_weight);
        (n * mean + weight * f64::from(self.prior)) / (n + weight)
    }
}

impl<S: IntervalStorage> FailureDetector for Exponential<S> {
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

impl<S: IntervalStorage> AccrualDetector for Exponential<S> {
    fn suspicion_level(&self, now: Instant) -> f64 {
        let Some(silence) = self.arrivals.silence(now) else {
            return 0.0;
        };
        // A mean of zero leaves every silence infinitely long, and none at all is not 0/0.
        let level = self.scale.level(silence / self.mean().max(f64::MIN_POSITIVE));
        level.min(f64::MAX)
    }
}

impl<S: IntervalStorage> Learner for Exponential<S> {
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
        float::to_nanos(self.multiple * self.mean())
    }
}

impl ExponentialScale {
    /// Returns the level of suspicion after so many mean intervals.
    fn level(self, mean_intervals: f64) -> f64 {
        match self {
            Self::Probability => -libm::expm1(-mean_intervals),
            Self::Cassandra => LOG10_E * mean_intervals,
            Self::Chitchat => mean_intervals,
        }
    }

    /// Returns the number of mean intervals after which the level reaches the threshold.
    fn multiple(self, threshold: f64) -> Result<f64, ConfigError> {
        let max = match self {
            Self::Probability => 1.0 - f64::EPSILON / 2.0,
            Self::Cassandra | Self::Chitchat => 1e5,
        };
        let threshold = error::number("threshold", threshold, 1e-300, max)?;
        Ok(match self {
            Self::Probability => -libm::log1p(-threshold),
            Self::Cassandra => LN_10 * threshold,
            Self::Chitchat => threshold,
        })
    }
}
