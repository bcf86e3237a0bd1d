use core::{error::Error, fmt, time::Duration};

use crate::{
    ChenConfig, ConfigError, error,
    limits::{MAX_DURATION, MIN_DURATION},
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
        /// beyond 39 hours.
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

    /// Returns the detector that meets the contract with the fewest heartbeats.
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
            return Err(Unattainable::Contract {
                best_detection_time: problem.best_detection_time(),
                best_mistake_recurrence_time: seconds(problem.best_recurrence()),
            });
        };
        let interval = seconds(interval).clamp(self.min_interval, self.detection_time);
        Ok(ChenConfig { interval, safety_margin: self.detection_time - interval })
    }

    fn problem(&self, link: &Link) -> Result<Problem, ConfigError> {
        let detection = self.detection_time;
        error::duration("detection_time", detection, Duration::from_micros(1), MAX_DURATION)?;
        error::duration("min_interval", self.min_interval, detection / MAX_BEATS, detection)?;
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
        error::duration("delay_std_deviation", deviation, Duration::ZERO, MAX_DURATION)?;
        Ok(Problem {
            detection: detection.as_secs_f64(),
            recurrence: self.mistake_recurrence_time.as_secs_f64(),
            mistake: self.mistake_duration.as_secs_f64(),
            min_interval: self.min_interval.as_secs_f64(),
            loss: error::number("loss", link.loss, 0.0, 0.999)?,
            variance: deviation.as_secs_f64() * deviation.as_secs_f64(),
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

/// The configurator's problem, in seconds.
#[derive(Clone, Copy, Debug)]
struct Problem {
    detection: f64,
    recurrence: f64,
    mistake: f64,
    min_interval: f64,
    loss: f64,
    variance: f64,
}

impl Problem {
    /// Returns the largest η that meets the contract.
    fn largest_interval(&self) -> Option<f64> {
        let target = libm::log(self.recurrence);
        let mut refused = None;
        for interval in self.intervals() {
            if self.ln_recurrence(interval) >= target {
                return Some(refused.map_or(interval, |refused| self.bisect(interval, refused)));
            }
            refused = Some(interval);
        }
        None
    }

    /// Narrows down where the contract ceases to be met.
    fn bisect(&self, mut met: f64, mut refused: f64) -> f64 {
        let target = libm::log(self.recurrence);
        for _ in 0..60 {
            let middle = 0.5 * (met + refused);
            if self.ln_recurrence(middle) >= target {
                met = middle;
            } else {
                refused = middle;
            }
        }
        met
    }

    /// Returns the longest T_MR that any interval yields.
    fn best_recurrence(&self) -> f64 {
        libm::exp(
            self.intervals().map(|interval| self.ln_recurrence(interval)).fold(-1e3, f64::max),
        )
    }

    /// Returns the shortest T_D that would do.
    fn best_detection_time(&self) -> Option<Duration> {
        let limit = MAX_DURATION.as_secs_f64();
        let (mut short, mut long) = (self.detection, 2.0 * self.detection);
        while (Self { detection: long, ..*self }).largest_interval().is_none() {
            short = long;
            long *= 2.0;
            if long > limit {
                return None;
            }
        }
        for _ in 0..40 {
            let middle = 0.5 * (short + long);
            if (Self { detection: middle, ..*self }).largest_interval().is_some() {
                long = middle;
            } else {
                short = middle;
            }
        }
        Some(seconds(long))
    }

    /// Returns the intervals to try, from the largest down: the recurrence time is continuous in the
    /// interval but not monotone, so that only a scan is safe.
    fn intervals(&self) -> impl Iterator<Item = f64> {
        let squared = self.detection * self.detection;
        let gamma = (1.0 - self.loss) * squared / (self.variance + squared);
        let max = (gamma * self.mistake).min(self.detection);
        let min = self.min_interval.max(self.detection / f64::from(MAX_BEATS));
        let ratio = libm::exp(libm::log(min / max) / f64::from(STEPS));
        (0..=STEPS)
            .map(
                move |step| {
                    if step == STEPS { min } else { max * libm::pow(ratio, f64::from(step)) }
                },
            )
            .filter(move |_| min <= max)
    }

    /// Returns ln f(η), the logarithm of the T_MR that is certain at this interval:
    /// f(η) = η·∏ (V + (D − jη)²)/(V + p(D − jη)²), over j from 1 to ⌈D/η⌉ − 1.
    fn ln_recurrence(&self, interval: f64) -> f64 {
        let mut sum = libm::log(interval);
        let mut left = self.detection - interval;
        while left > 0.0 {
            let squared = left * left;
            let missed = self.variance + self.loss * squared;
            if missed == 0.0 {
                return f64::INFINITY;
            }
            sum += libm::log((self.variance + squared) / missed);
            left -= interval;
        }
        sum
    }
}

/// Returns a duration of so many seconds, rounded down, or the nearest there is.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(if seconds > 0.0 {
        Duration::MAX
    } else {
        Duration::ZERO
    })
}

/// The most heartbeats in a detection time.
const MAX_BEATS: u32 = 1000;

/// How many intervals are tried.
const STEPS: u32 = 256;

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
