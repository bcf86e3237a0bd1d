mod scale;

use core::time::Duration;

use surmise_time::Instant;

pub use self::scale::PhiScale;
use crate::{
    AccrualDetector, Beat, ConfigError, FailureDetector, InlineStorage, IntervalStorage,
    LateIntervals,
    arrivals::{Arrival, Arrivals, Learner},
    error, float,
    limits::{MAX_DURATION, MIN_DURATION},
    window::Intervals,
};

/// The φ accrual detector: suspects a peer when its silence would be a rare event, were the intervals
/// between heartbeats normally distributed.
///
/// φ(t) = −log₁₀ Q((t − μ)/σ), where t is the time since the last heartbeat, μ and σ are the mean and
/// standard deviation of the intervals, and Q is the upper tail of the standard normal distribution
/// (Hayashibara, Défago, Yared, Katayama, *The φ accrual failure detector*, SRDS 2004). φ crosses the
/// threshold Φ at
///
/// > D = A + μ + pause + z(Φ)·max(σ, σ_min)
///
/// which is computed once a heartbeat. An interval across lost heartbeats counts as the mean of the
/// intervals it would have been. A handful of intervals says little about their spread: until there are
/// ten, or as many as the storage remembers, σ is taken to be at least a quarter of μ, as Akka begins.
///
/// # The threshold is unitless
///
/// If intervals were normal and independent, one heartbeat in 10^Φ would be suspected wrongly. They are
/// not: on real traces the observed rate is off from that by orders of magnitude, in both directions.
/// Choose the threshold on a trace of your own network, or use [`RateTarget`](crate::RateTarget), whose
/// parameter is the rate.
///
/// # Cost
///
/// O(1) without allocation; 64 bytes with [`ExponentiallyWeighted`](crate::ExponentiallyWeighted), else
/// the window and about 130 bytes.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{AccrualDetector, FailureDetector, PhiAccrual, PhiConfig, Verdict};
/// use surmise_time::Instant;
///
/// let interval = Duration::from_millis(100);
/// let mut peer = PhiAccrual::<[u32; 128]>::new(PhiConfig {
///     threshold: 8.0,
///     ..PhiConfig::for_interval(interval)
/// })?;
///
/// let mut now = Instant::ORIGIN;
/// for sequence in 0..20 {
///     peer.heartbeat(sequence, now);
///     now += interval;
/// }
/// assert_eq!(peer.verdict(now), Verdict::Trust);
/// assert!(peer.suspicion_level(now) < 1.0);
///
/// let deadline = peer.deadline().expect("there were heartbeats");
/// assert_eq!(peer.verdict(deadline + Duration::from_nanos(1)), Verdict::Suspect);
/// assert!((peer.suspicion_level(deadline) - 8.0).abs() < 1e-3);
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PhiAccrual<S: IntervalStorage> {
    arrivals: Arrivals,
    intervals: S::Intervals,
    z_threshold: f64,
    /// In nanoseconds.
    acceptable_pause: f32,
    scale: PhiScale,
    late_intervals: LateIntervals,
}

/// How a [`PhiAccrual`] detector is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct PhiConfig {
    /// Φ, the suspicion above which the peer is suspected, on the scale below. From 1e-300 to 1e5;
    /// usually 1 to 16. Higher means slower and fewer mistakes.
    pub threshold: f64,
    /// What a suspicion level means.
    pub scale: PhiScale,
    /// The expected interval between heartbeats: the mean until the first interval is known. From 1 ns
    /// to 39 hours.
    pub interval: Duration,
    /// The least standard deviation to reckon with, whatever the window says. Higher means slower, and
    /// calmer on a network that is quieter than it will stay.
    pub min_std_deviation: MinStdDeviation,
    /// How much longer than usual a silence may be before it counts, as for a garbage collection. From
    /// 0 to 39 hours, to seven digits. It is added to every detection time.
    pub acceptable_pause: Duration,
    /// What to learn from an interval that was too long.
    pub late_intervals: LateIntervals,
}

/// The least standard deviation that a [`PhiAccrual`] detector reckons with.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum MinStdDeviation {
    /// This long, from 0 to 39 hours.
    Absolute(Duration),
    /// This share of the expected interval, from 0 to 1000.
    OfInterval(f64),
}

impl PhiConfig {
    /// Returns a configuration for heartbeats at this interval: Φ = 8, no pause, and a standard
    /// deviation of at least a twentieth of the interval.
    #[must_use]
    pub const fn for_interval(interval: Duration) -> Self {
        Self {
            threshold: 8.0,
            scale: PhiScale::Normal,
            interval,
            min_std_deviation: MinStdDeviation::OfInterval(0.05),
            acceptable_pause: Duration::ZERO,
            late_intervals: LateIntervals::Clamp,
        }
    }

    /// Returns Akka's and Pekko's configuration for heartbeats at this interval: their φ of 8, a standard
    /// deviation of at least 100 ms, and a pause of 3 s. They keep 1000 intervals.
    #[must_use]
    pub const fn akka(interval: Duration) -> Self {
        Self {
            threshold: 8.0,
            scale: PhiScale::Akka,
            interval,
            min_std_deviation: MinStdDeviation::Absolute(Duration::from_millis(100)),
            acceptable_pause: Duration::from_secs(3),
            late_intervals: LateIntervals::Skip,
        }
    }
}

impl<S: IntervalStorage + InlineStorage> PhiAccrual<S> {
    /// Creates a detector with its window inside.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn new(config: PhiConfig) -> Result<Self, ConfigError> {
        Self::with_storage(config, S::zeroed())
    }
}

impl<S: IntervalStorage> PhiAccrual<S> {
    /// Creates a detector on a storage of any kind.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the size of the storage is out of its range.
    ///
    /// # Examples
    ///
    /// ```
    /// # extern crate alloc;
    /// use core::time::Duration;
    /// use surmise_detector::{PhiAccrual, PhiConfig};
    ///
    /// let config = PhiConfig::for_interval(Duration::from_secs(1));
    /// let window = vec![0_u32; 1000].into_boxed_slice();
    /// let peer = PhiAccrual::with_storage(config, window)?;
    /// # Ok::<(), surmise_detector::ConfigError>(())
    /// ```
    pub fn with_storage(config: PhiConfig, storage: S) -> Result<Self, ConfigError> {
        let interval = error::duration("interval", config.interval, MIN_DURATION, MAX_DURATION)?;
        let min_deviation = match config.min_std_deviation {
            MinStdDeviation::Absolute(value) => float::from_nanos(error::duration(
                "min_std_deviation",
                value,
                Duration::ZERO,
                MAX_DURATION,
            )?),
            MinStdDeviation::OfInterval(share) => {
                error::number("min_std_deviation", share, 0.0, 1000.0)?
                    * float::from_nanos(interval)
            }
        };
        let pause = config.acceptable_pause;
        let pause = error::duration("acceptable_pause", pause, Duration::ZERO, MAX_DURATION)?;
        let threshold = error::number("threshold", config.threshold, 1e-300, 1e5)?;
        Ok(Self {
            arrivals: Arrivals::NONE,
            intervals: storage.into_intervals(interval, min_deviation)?,
            z_threshold: config.scale.z(threshold),
            acceptable_pause: float::seven_digits(float::from_nanos(pause)),
            scale: config.scale,
            late_intervals: config.late_intervals,
        })
    }

    /// Returns the usual interval and how much it varies, in nanoseconds.
    #[inline]
    fn mean_and_deviation(&self) -> (f64, f64) {
        let mean = self.intervals.mean();
        let deviation = self.intervals.std_deviation();
        if self.intervals.are_few() {
            (mean, float::max(deviation, 0.25 * mean))
        } else {
            (mean, deviation)
        }
    }
}

impl<S: IntervalStorage> FailureDetector for PhiAccrual<S> {
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

impl<S: IntervalStorage> AccrualDetector for PhiAccrual<S> {
    fn suspicion_level(&self, now: Instant) -> f64 {
        let Some(silence) = self.arrivals.silence(now) else {
            return 0.0;
        };
        let (mean, deviation) = self.mean_and_deviation();
        let lateness = silence - mean - f64::from(self.acceptable_pause);
        // Without any deviation, lateness is infinitely rare, and punctuality is not 0/0.
        self.scale.phi(lateness / deviation.max(f64::MIN_POSITIVE))
    }
}

impl<S: IntervalStorage> Learner for PhiAccrual<S> {
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
        let (mean, deviation) = self.mean_and_deviation();
        float::to_nanos(mean + self.z_threshold * deviation + f64::from(self.acceptable_pause))
    }
}
