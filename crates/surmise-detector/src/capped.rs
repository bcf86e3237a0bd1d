use core::time::Duration;

use surmise_time::Instant;

use crate::{
    Beat, ConfigError, FailureDetector, Verdict, error,
    limits::{MAX_DURATION, MIN_DURATION},
};

/// A detector with a limit to how long it waits: `D = min(that of the detector, A + limit)`.
///
/// What a detector has learned says how long it waits, and so a network that goes wild makes it slow. Behind
/// this it is never slower than a [`FixedTimeout`](crate::FixedTimeout) of the limit, whatever it has learned.
///
/// Only the deadline is capped, and with it the verdict and what [`Beat::Fresh`] says of a suspicion. The detector
/// goes on learning by its own deadline, as it would without a limit. There is no level of suspicion, for it could
/// not reach the threshold at the capped deadline.
///
/// A peer that restarts is in an [`Incarnated`](crate::Incarnated) around this, not inside of it.
///
/// Every operation costs what the detector's does and a few comparisons; 16 bytes more than the detector.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{Capped, FailureDetector, JitterScaled, JitterScaledConfig};
/// use surmise_time::Instant;
///
/// let config = JitterScaledConfig { interval: Duration::from_millis(100), factor: 300.0 };
/// let limit = Duration::from_millis(400);
/// let mut peer = Capped::new(JitterScaled::new(config)?, limit)?;
///
/// let late = |beat| Duration::from_millis(if beat % 2 == 0 { 30 } else { 0 });
/// let mut now = Instant::ORIGIN;
/// for beat in 1..=100 {
///     now = Instant::ORIGIN + u32::try_from(beat)? * Duration::from_millis(100) + late(beat);
///     peer.heartbeat(beat, now);
/// }
/// assert!(peer.detector().deadline() > Some(now + 10 * limit));
/// assert_eq!(peer.deadline(), Some(now + limit));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Capped<D> {
    detector: D,
    limit: u64,
    /// The newest fresh heartbeat's, where the detector has a deadline.
    until: Instant,
}

impl<D: FailureDetector> Capped<D> {
    /// Creates a detector that allows `limit` from each heartbeat to the next at most.
    ///
    /// The detector within is [restarted](FailureDetector::restart): had it heard of its peer before, nobody would
    /// know when.
    ///
    /// # Errors
    ///
    /// If `limit` is zero or longer than about 39 hours.
    pub fn new(mut detector: D, limit: Duration) -> Result<Self, ConfigError> {
        let limit = error::duration("limit", limit, MIN_DURATION, MAX_DURATION)?;
        detector.restart();
        Ok(Self { detector, limit, until: Instant::ORIGIN })
    }

    /// Returns the longest that a heartbeat vouches for the peer.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        Duration::from_nanos(self.limit)
    }

    /// Returns the detector, which knows nothing of the limit.
    #[must_use]
    pub const fn detector(&self) -> &D {
        &self.detector
    }

    /// Takes the detector back.
    #[must_use]
    pub fn into_inner(self) -> D {
        self.detector
    }

    fn take_in(&mut self, now: Instant, hear: impl FnOnce(&mut D) -> Beat) -> Beat {
        let was_suspected = self.verdict(now) == Verdict::Suspect;
        let beat = hear(&mut self.detector);
        let until = now + self.limit();
        match beat {
            Beat::First => self.until = until,
            // Where the clock stepped back, the heartbeat counts as arriving with the one before it.
            Beat::Fresh { .. } => self.until = self.until.max(until),
            Beat::Stale { .. } | Beat::Duplicate => {}
        }
        match beat {
            Beat::Fresh { lost, suspected } => {
                Beat::Fresh { lost, suspected: suspected || was_suspected }
            }
            beat => beat,
        }
    }
}

impl<D: FailureDetector> FailureDetector for Capped<D> {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in(now, |detector| detector.heartbeat(sequence, now))
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in(now, |detector| detector.queued_heartbeat(sequence, now))
    }

    fn restart(&mut self) {
        self.detector.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.detector.deadline()?.min(self.until))
    }
}
