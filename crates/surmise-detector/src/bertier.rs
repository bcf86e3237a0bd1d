use core::time::Duration;

use surmise_time::Instant;

use crate::{
    Beat, ConfigError, FailureDetector, InlineStorage, OffsetStorage,
    arrivals::{Arrival, Arrivals, Learner},
    error, float,
    limits::{MAX_DURATION, MIN_DURATION},
    schedule::Schedule,
};

/// Bertier's detector: Chen's expected arrival, with a margin that follows the error of the estimate as
/// TCP's does.
///
/// Each arrival corrects a smoothed error and its mean deviation with the gain γ (Bertier, Marin, Sens,
/// *Implementation and performance evaluation of an adaptable failure detector*, DSN 2002, after
/// Jacobson 1988):
///
/// > e = A − EA − delay,  delay += γ·e,  var += γ·(|e| − var)
/// >
/// > D = EA + β·delay + φ·var
///
/// It suspects aggressively: on a quiet network its margin shrinks towards nothing. O(1) without
/// allocation; 8 bytes a beat of the window and about 160 bytes.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{Bertier, BertierConfig, FailureDetector};
/// use surmise_time::Instant;
///
/// let config = BertierConfig::published(Duration::from_millis(100));
/// let mut peer = Bertier::<[i64; 100]>::new(config)?;
/// peer.heartbeat(1, Instant::from_nanos(1_000_000_000));
/// // 20 ms late: the estimate moves by half of it, the margin by a tenth plus four tenths.
/// peer.heartbeat(2, Instant::from_nanos(1_120_000_000));
/// assert_eq!(peer.deadline(), Some(Instant::from_nanos(1_220_000_000)));
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bertier<S: OffsetStorage> {
    arrivals: Arrivals,
    schedule: Schedule<S>,
    delay: f64,
    deviation: f64,
    gain: f64,
    delay_weight: f64,
    deviation_weight: f64,
}

/// How a [`Bertier`] detector is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct BertierConfig {
    /// η, the interval at which the peer sends. From 1 ns to 39 hours.
    pub interval: Duration,
    /// γ, the weight of the newest error, from 0 to 1. Higher means that the margin follows faster.
    pub gain: f64,
    /// β, the weight of the smoothed error, from 0 to 1000.
    pub delay_weight: f64,
    /// φ, the weight of the mean deviation, from 0 to 1e6. Higher means slower and fewer mistakes.
    pub deviation_weight: f64,
}

impl BertierConfig {
    /// Returns the configuration of the paper for heartbeats at this interval: γ = 0.1, β = 1, φ = 4.
    #[must_use]
    pub const fn published(interval: Duration) -> Self {
        Self { interval, gain: 0.1, delay_weight: 1.0, deviation_weight: 4.0 }
    }
}

impl<S: OffsetStorage + InlineStorage> Bertier<S> {
    /// Creates a detector with its window inside.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn new(config: BertierConfig) -> Result<Self, ConfigError> {
        Self::with_storage(config, S::zeroed())
    }
}

impl<S: OffsetStorage> Bertier<S> {
    /// Creates a detector on a window of any kind.
    ///
    /// # Errors
    ///
    /// If a field of the configuration or the length of the window is out of its range.
    pub fn with_storage(config: BertierConfig, storage: S) -> Result<Self, ConfigError> {
        let interval = error::duration("interval", config.interval, MIN_DURATION, MAX_DURATION)?;
        Ok(Self {
            arrivals: Arrivals::NONE,
            schedule: Schedule::new(interval, storage)?,
            delay: 0.0,
            deviation: 0.0,
            gain: error::number("gain", config.gain, 0.0, 1.0)?,
            delay_weight: error::number("delay_weight", config.delay_weight, 0.0, 1e3)?,
            deviation_weight: error::number("deviation_weight", config.deviation_weight, 0.0, 1e6)?,
        })
    }
}

impl<S: OffsetStorage> FailureDetector for Bertier<S> {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in(sequence, now)
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in_queued(sequence, now)
    }

    fn restart(&mut self) {
        self.arrivals.restart();
        self.schedule.restart();
        // The errors were those of a schedule that is no more.
        self.delay = 0.0;
        self.deviation = 0.0;
    }

    fn deadline(&self) -> Option<Instant> {
        self.arrivals.deadline()
    }
}

impl<S: OffsetStorage> Learner for Bertier<S> {
    #[inline]
    fn arrivals(&mut self) -> &mut Arrivals {
        &mut self.arrivals
    }

    #[inline]
    fn learn(&mut self, arrival: &Arrival) {
        // The error is that of the estimate before this arrival became part of it.
        if let Some(lateness) = self.schedule.lateness(arrival) {
            let error = float::from_signed(lateness) - self.delay;
            self.delay += self.gain * error;
            self.deviation += self.gain * (error.abs() - self.deviation);
        }
        self.schedule.record(arrival);
    }

    fn realign(&mut self, arrival: &Arrival) {
        self.schedule.realign(arrival);
    }

    #[inline]
    fn patience(&self) -> u64 {
        let margin = self.delay_weight * self.delay + self.deviation_weight * self.deviation;
        self.schedule.patience(float::to_signed(margin))
    }
}
