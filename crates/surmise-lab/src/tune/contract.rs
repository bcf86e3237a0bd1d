//! What is demanded of a detector, and which demands make no sense.

use core::{error::Error, fmt, time::Duration};

use crate::compare::{number::float, text};

/// The demands on a detector. They do not contradict each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Contract {
    pub(crate) detection_time: Duration,
    pub(crate) mistakes_per_day: f64,
    /// How long a mistake may last on average, if that matters.
    pub(crate) mistake_duration: Option<Duration>,
    /// How certain the rate of mistakes must be.
    pub(crate) confidence: f64,
}

/// Why no detector can be asked for what was demanded.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContractError {
    /// The detection time is not between 1 ns and about 39 hours, as configurations are.
    DetectionTime {
        /// What was demanded.
        detection_time: Duration,
        /// The longest that there is.
        max: Duration,
    },
    /// The mistakes a day are not a number above 0.
    MistakesPerDay {
        /// What was demanded.
        mistakes_per_day: f64,
    },
    /// The confidence is not a share of one that leaves room for doubt.
    Confidence {
        /// What was demanded.
        confidence: f64,
        /// The least that is sensible.
        min: f64,
        /// The greatest that is sensible.
        max: f64,
    },
    /// Mistakes may last longer than they may be apart.
    MistakeDuration {
        /// How long a mistake may last.
        mistake_duration: Duration,
        /// The time from one mistake to the next, in seconds.
        recurrence: f64,
    },
    /// A crash is to be noticed before the next heartbeat is due.
    WithinInterval {
        /// The trace's name.
        trace: String,
        /// What was demanded.
        detection_time: Duration,
        /// The interval of the heartbeats, in seconds.
        interval: f64,
    },
    /// Any detector makes fewer mistakes than are allowed: there are fewer heartbeats.
    AnyRate {
        /// The trace's name.
        trace: String,
        /// The mistakes that are allowed in a day.
        mistakes_per_day: f64,
        /// The heartbeats in a day.
        heartbeats_per_day: f64,
    },
}

impl Contract {
    /// The longest detection time: that of a detector's configuration.
    pub(crate) const MAX_DETECTION_TIME: Duration = Duration::from_nanos(1 << 47);

    /// The least and the greatest confidence.
    pub(crate) const CONFIDENCES: (f64, f64) = (0.5, 0.9999);

    /// Returns the detection time in seconds.
    ///
    /// It is rounded once, as what was measured is. `Duration::as_secs_f64` rounds twice, and may come out below the
    /// very same time.
    pub(crate) fn detection_seconds(&self) -> f64 {
        float(i128::try_from(self.detection_time.as_nanos()).unwrap_or(i128::MAX)) / 1e9
    }

    /// Checks what can be checked without a trace.
    pub(crate) fn check(self) -> Result<Self, ContractError> {
        let Self { detection_time, mistakes_per_day, mistake_duration, confidence } = self;
        let max = Self::MAX_DETECTION_TIME;
        if detection_time.is_zero() || detection_time > max {
            return Err(ContractError::DetectionTime { detection_time, max });
        }
        if !(mistakes_per_day > 0.0 && mistakes_per_day.is_finite()) {
            return Err(ContractError::MistakesPerDay { mistakes_per_day });
        }
        let (min, max) = Self::CONFIDENCES;
        if !(min..=max).contains(&confidence) {
            return Err(ContractError::Confidence { confidence, min, max });
        }
        let recurrence = 1.0 / self.mistake_rate();
        match mistake_duration {
            Some(mistake_duration) if mistake_duration.as_secs_f64() >= recurrence => {
                Err(ContractError::MistakeDuration { mistake_duration, recurrence })
            }
            _ => Ok(self),
        }
    }

    /// Checks the contract against the interval of a trace's heartbeats, in seconds.
    pub(crate) fn check_interval(&self, trace: &str, interval: f64) -> Result<(), ContractError> {
        let trace = || trace.to_owned();
        let Self { detection_time, mistakes_per_day, .. } = *self;
        if detection_time.as_secs_f64() <= interval {
            return Err(ContractError::WithinInterval { trace: trace(), detection_time, interval });
        }
        let heartbeats_per_day = SECONDS_PER_DAY / interval;
        if mistakes_per_day >= heartbeats_per_day {
            let trace = trace();
            return Err(ContractError::AnyRate { trace, mistakes_per_day, heartbeats_per_day });
        }
        Ok(())
    }

    /// Returns the mistakes that are allowed in a second.
    pub(crate) fn mistake_rate(&self) -> f64 {
        self.mistakes_per_day / SECONDS_PER_DAY
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duration = |time: &Duration| text::short_time(time.as_secs_f64());
        match self {
            Self::DetectionTime { detection_time, max } => write!(
                f,
                "--detection-time is {}, but must be above 0 and at most {}",
                duration(detection_time),
                text::time(max.as_secs_f64())
            ),
            Self::MistakesPerDay { mistakes_per_day } => write!(
                f,
                "--mistakes-per-day is {mistakes_per_day}, but must be a number above 0: no trace is \
                 long enough to show that there never are any. Ask for few, such as 0.01, which is one \
                 in 100 days"
            ),
            Self::Confidence { confidence, min, max } => write!(
                f,
                "--confidence is {confidence}, but must be a share of one between {min} and {max}, \
                 such as 0.95"
            ),
            Self::MistakeDuration { mistake_duration, recurrence } => write!(
                f,
                "--mistake-duration is {}, but with as many mistakes as --mistakes-per-day allows, the \
                 next one begins after {}: lower one of the two",
                duration(mistake_duration),
                text::time(*recurrence)
            ),
            Self::WithinInterval { trace, detection_time, interval } => write!(
                f,
                "{trace}: --detection-time is {}, but heartbeats come every {}, so that a crash cannot \
                 be told from the wait for the next one. Ask for more, or let the peer send more often \
                 and record that",
                duration(detection_time),
                text::time(*interval)
            ),
            Self::AnyRate { trace, mistakes_per_day, heartbeats_per_day } => write!(
                f,
                "{trace}: --mistakes-per-day is {mistakes_per_day}, but there are only {} heartbeats in \
                 a day, so that every detector makes fewer. Ask for less",
                text::significant(*heartbeats_per_day)
            ),
        }
    }
}

impl Error for ContractError {}

/// The seconds in a day.
pub(crate) const SECONDS_PER_DAY: f64 = 86_400.0;

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Contract = Contract {
        detection_time: Duration::from_secs(3),
        mistakes_per_day: 1.0,
        mistake_duration: None,
        confidence: 0.95,
    };

    #[test]
    fn what_makes_no_sense_is_refused_with_what_to_do() {
        assert_eq!(SOUND.check(), Ok(SOUND));
        let longest = Contract::MAX_DETECTION_TIME;
        let edges = [
            Contract { detection_time: longest, ..SOUND },
            Contract { detection_time: Duration::from_nanos(1), ..SOUND },
            Contract { confidence: 0.5, ..SOUND },
            Contract { mistake_duration: Some(Duration::from_secs(86_399)), ..SOUND },
        ];
        for contract in edges {
            assert_eq!(contract.check(), Ok(contract));
        }
        let day = Duration::from_secs(86_400);
        let refused = [
            (Contract { detection_time: Duration::ZERO, ..SOUND }, "must be above 0"),
            (
                Contract { detection_time: longest + Duration::from_nanos(1), ..SOUND },
                "at most 39.1 h",
            ),
            (Contract { mistakes_per_day: 0.0, ..SOUND }, "such as 0.01"),
            (Contract { mistakes_per_day: -1.0, ..SOUND }, "such as 0.01"),
            (Contract { mistakes_per_day: f64::NAN, ..SOUND }, "such as 0.01"),
            (Contract { mistakes_per_day: f64::INFINITY, ..SOUND }, "such as 0.01"),
            (Contract { confidence: 0.49, ..SOUND }, "such as 0.95"),
            (Contract { confidence: 1.0, ..SOUND }, "such as 0.95"),
            (Contract { confidence: f64::NAN, ..SOUND }, "such as 0.95"),
            (Contract { mistake_duration: Some(day), ..SOUND }, "lower one of the two"),
        ];
        for (contract, advice) in refused {
            let error = contract.check().unwrap_err().to_string();
            assert!(error.contains(advice), "{contract:?}: {error}");
        }
    }

    #[test]
    fn a_contract_must_suit_the_interval() {
        let check = |contract: Contract, interval| contract.check_interval("t", interval);
        assert_eq!(check(SOUND, 2.999), Ok(()));
        let detection_time = SOUND.detection_time;
        let within =
            ContractError::WithinInterval { trace: "t".to_owned(), detection_time, interval: 3.0 };
        assert_eq!(check(SOUND, 3.0), Err(within.clone()));
        assert!(within.to_string().starts_with("t: --detection-time is 3 s, but heartbeats come"));
        let many = Contract { mistakes_per_day: 86_400.0, ..SOUND };
        assert_eq!(check(many, 0.999), Ok(()));
        let error = check(many, 1.0).unwrap_err();
        assert!(matches!(error, ContractError::AnyRate { .. }), "{error}");
        assert!(error.to_string().ends_with("Ask for less"), "{error}");
    }
}
