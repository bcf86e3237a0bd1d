use core::{error::Error, fmt, time::Duration};

use super::configurator::{MAX_BEATS, Problem};
use crate::{
    ChenConfig, ConfigError, error, float,
    limits::{MAX_DURATION, MAX_NANOS, MIN_DURATION},
};

/// What a service demands of a failure detector, in the terms of Chen, Toueg and Aguilera.
///
/// [`configure`](Self::configure) turns it into the interval at which the peer must send and the margin
/// of a [`Chen`](crate::Chen) detector, or says what is attainable instead.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{Chen, Link, QosContract};
///
/// // A crash is detected within 3 s, and no more than one false alarm a day.
/// let day = Duration::from_secs(86_400);
/// let contract = QosContract::new(Duration::from_secs(3), day);
/// let link = Link { loss: 0.01, delay_std_deviation: Duration::from_millis(40) };
///
/// let config = contract.configure(&link)?;
/// assert!(config.interval > Duration::from_millis(500));
/// assert_eq!(config.interval + config.safety_margin, Duration::from_secs(3));
/// let peer = Chen::<[i64; 100]>::new(config)?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct QosContract {
    /// T_D^u: how long after a crash the peer is suspected for good, at the latest, not counting the
    /// mean delay of the network (which cannot be known without synchronised clocks). From 1 µs to 39
    /// hours.
    pub detection_time: Duration,
    /// T_MR^L: the least time, on average, from one mistake to the next. At least 1 ns.
    pub mistake_recurrence_time: Duration,
    /// T_M^U: the longest time, on average, that a mistake lasts. At least 1 ns; [`Duration::MAX`] for
    /// whatever it may be.
    pub mistake_duration: Duration,
    /// The shortest interval between heartbeats that is affordable, from a thousandth of the detection
    /// time up to it.
    pub min_interval: Duration,
}

/// What is known of the network between two nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct Link {
    /// p_L: the share of heartbeats that are lost, from 0 up to and including 0.999.
    pub loss: f64,
    /// √V(D): the standard deviation of the delay, up to 39 hours. It is that of arrival minus sending,
    /// on any two clocks that do not drift.
    pub delay_std_deviation: Duration,
}

/// Why a contract yields no detector.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Unattainable {
    /// A field of the contract or the link is out of its range.
    Invalid(ConfigError),
    /// No interval meets the contract on this link.
    Contract {
        /// The shortest detection time that would be attainable with all else equal; `None` if that is
        /// beyond 39 hours, or beyond a thousand of the shortest intervals.
        best_detection_time: Option<Duration>,
        /// The longest mistake recurrence time that would be attainable with all else equal.
        best_mistake_recurrence_time: Duration,
    },
}

impl QosContract {
    /// Creates a contract on the two things that matter most: mistakes may last as they please, and up
    /// to a hundred heartbeats may be sent in a detection time.
    #[must_use]
    pub fn new(detection_time: Duration, mistake_recurrence_time: Duration) -> Self {
        Self {
            detection_time,
            mistake_recurrence_time,
            mistake_duration: Duration::MAX,
            min_interval: detection_time / 100,
        }
    }

    /// Returns the detector that meets the contract with the fewest heartbeats: the largest interval that
    /// a scan finds, which is in nanoseconds and checked as it is returned.
    ///
    /// Nothing is assumed of the distribution of delays but its variance (the one-sided inequality of
    /// Chebyshev), so the true quality is usually far better: §5 and §6 of the paper. Delays and losses
    /// of different heartbeats must be independent, which real bursts are not: check the result on a
    /// trace.
    ///
    /// # Errors
    ///
    /// [`Unattainable::Contract`] with what is attainable, and [`Unattainable::Invalid`] for values out
    /// of range.
    pub fn configure(&self, link: &Link) -> Result<ChenConfig, Unattainable> {
        let problem = self.problem(link)?;
        let Some(interval) = problem.largest_interval() else {
            let best = problem.best_detection_time(MAX_NANOS);
            return Err(Unattainable::Contract {
                best_detection_time: best.map(Duration::from_nanos),
                best_mistake_recurrence_time: duration(problem.best_recurrence()),
            });
        };
        let interval = Duration::from_nanos(interval);
        Ok(ChenConfig { interval, safety_margin: self.detection_time - interval })
    }

    fn problem(&self, link: &Link) -> Result<Problem, ConfigError> {
        let shortest = Duration::from_micros(1);
        let detection =
            error::duration("detection_time", self.detection_time, shortest, MAX_DURATION)?;
        let least = Duration::from_nanos(detection.div_ceil(MAX_BEATS));
        let min_interval =
            error::duration("min_interval", self.min_interval, least, self.detection_time)?;
        for (field, value) in [
            ("mistake_recurrence_time", self.mistake_recurrence_time),
            ("mistake_duration", self.mistake_duration),
        ] {
            if value < MIN_DURATION {
                let (min, max) = (MIN_DURATION, Duration::MAX);
                return Err(ConfigError::Duration { field, value, min, max });
            }
        }
        let deviation = link.delay_std_deviation;
        let deviation = float::from_nanos(error::duration(
            "delay_std_deviation",
            deviation,
            Duration::ZERO,
            MAX_DURATION,
        )?);
        Ok(Problem {
            detection,
            recurrence: self.mistake_recurrence_time.as_secs_f64() * 1e9,
            mistake: self.mistake_duration.as_secs_f64() * 1e9,
            min_interval,
            loss: error::number("loss", link.loss, 0.0, 0.999)?,
            variance: deviation * deviation,
        })
    }
}

impl From<ConfigError> for Unattainable {
    fn from(error: ConfigError) -> Self {
        Self::Invalid(error)
    }
}

impl fmt::Display for Unattainable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(f),
            Self::Contract { best_detection_time, best_mistake_recurrence_time } => {
                write!(f, "no heartbeat interval meets the contract on this link: ")?;
                match best_detection_time {
                    Some(time) => write!(f, "the detection time can be {time:?} at best")?,
                    None => write!(f, "no detection time does")?,
                }
                write!(f, ", or mistakes can recur every {best_mistake_recurrence_time:?} at best")
            }
        }
    }
}

impl Error for Unattainable {}

/// Returns a duration of so many nanoseconds, rounded down, or the nearest there is.
fn duration(nanos: f64) -> Duration {
    Duration::try_from_secs_f64(nanos / 1e9).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_example() {
        // Chen, Toueg, Aguilera 2002, §5.1: T_D = 30 s, T_MR = 30 days, T_M = 60 s, p_L = 0.01 and
        // E(D) = V(D) = 0.02 give η = 9.71 s and δ = 20.29 s for the detector that knows E(D).
        let contract = QosContract {
            mistake_duration: Duration::from_secs(60),
            ..QosContract::new(Duration::from_millis(29_980), Duration::from_secs(30 * 86_400))
        };
        let delay_std_deviation = Duration::from_secs_f64(0.02_f64.sqrt());
        let config = contract.configure(&Link { loss: 0.01, delay_std_deviation }).unwrap();
        assert!((config.interval.as_secs_f64() - 9.71).abs() < 0.005, "{config:?}");
        assert_eq!(config.interval + config.safety_margin, contract.detection_time);
    }
}
