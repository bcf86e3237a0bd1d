use core::{error::Error, fmt, time::Duration};

use crate::{Quantile, Ratio};

/// What an adaptive timeout goes by.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{AdaptiveTimeoutConfig, Quantile, Ratio};
///
/// let [floor, ceiling] = [5, 2000].map(Duration::from_millis);
/// let config = AdaptiveTimeoutConfig {
///     factor: Ratio::from_percent(150),
///     prior: Duration::from_millis(250),
///     ..AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling)
/// };
/// assert_eq!(config.prior_samples, 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct AdaptiveTimeoutConfig {
    /// Which share of calls is to be answered in time, if the factor is one.
    pub quantile: Quantile,
    /// What the quantile is multiplied by, above zero. By default one: the share that times out is then what the
    /// quantile leaves over. A factor of more than one waits longer, for answers that are slower than they have been.
    /// To wait less, take a lower quantile, not a factor of less than one: with that, more calls time out than the
    /// quantile leaves over, until it is not known any more and the timeout doubles; it falls again as answers come in,
    /// and so on. The less the factor, the more calls time out, and at times the timeout is longer than without it.
    pub factor: Ratio,
    /// The least timeout. Latencies are told apart from a fourth of it on, up to 983 040 times of it: if answers take
    /// longer than that, the timeout is the ceiling.
    pub floor: Duration,
    /// The greatest timeout.
    pub ceiling: Duration,
    /// The timeout before the first outcome. By default the ceiling, so that a first call that hangs takes that long.
    /// State what you would wait for without this crate; and less than callers have time for, if they are to try again.
    pub prior: Duration,
    /// After how many outcomes the prior no longer counts, or as many as are remembered if they are fewer. By default
    /// 100; until then it is blended in, with a weight that decreases with each. The timeout is renewed with every 16th
    /// answer, so that it can go by the prior for 15 more.
    pub prior_samples: u32,
    /// Which share of the calls [`draw`](super::AdaptiveTimeout::draw) lets wait until the ceiling, to learn what
    /// lies beyond the timeout. By default one in a thousand.
    pub exploring: Ratio,
    /// After how long outcomes are forgotten, by eighths of it; `advance` has to be called for that. By default
    /// they are not: they are forgotten as new ones come in. Those that threads share are forgotten by halves.
    pub max_age: Option<Duration>,
}

impl AdaptiveTimeoutConfig {
    /// Creates a configuration that waits for a share of the answers, within limits.
    #[must_use]
    pub const fn of(quantile: Quantile, floor: Duration, ceiling: Duration) -> Self {
        Self {
            quantile,
            factor: Ratio::ONE,
            floor,
            ceiling,
            prior: ceiling,
            prior_samples: 100,
            exploring: Ratio::from_millionths(1000),
            max_age: None,
        }
    }

    /// Checks that the configuration can be met.
    pub(crate) fn check(&self) -> Result<(), AdaptiveTimeoutError> {
        let Self { floor, ceiling, prior, .. } = *self;
        if floor.is_zero() {
            return Err(AdaptiveTimeoutError::ZeroFloor);
        }
        if ceiling < floor {
            return Err(AdaptiveTimeoutError::CeilingBelowFloor { floor, ceiling });
        }
        if ceiling > LONGEST {
            return Err(AdaptiveTimeoutError::TooLong { ceiling });
        }
        if prior < floor || ceiling < prior {
            return Err(AdaptiveTimeoutError::PriorOutside { prior, floor, ceiling });
        }
        if self.factor == Ratio::ZERO {
            return Err(AdaptiveTimeoutError::ZeroFactor);
        }
        if self.exploring > Ratio::ONE {
            return Err(AdaptiveTimeoutError::ExploringAll { exploring: self.exploring });
        }
        match self.max_age {
            Some(max_age) if max_age < SHORTEST_AGE => {
                Err(AdaptiveTimeoutError::TooShortAge { max_age })
            }
            _ => Ok(()),
        }
    }
}

/// All that an instant of this family can count.
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

/// An eighth of it is a nanosecond.
const SHORTEST_AGE: Duration = Duration::from_nanos(8);

/// Why an adaptive timeout cannot be configured like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdaptiveTimeoutError {
    /// The floor is zero, and a timeout of that waits for nothing.
    ZeroFloor,
    /// The ceiling is below the floor.
    CeilingBelowFloor {
        /// The least timeout.
        floor: Duration,
        /// The greatest timeout.
        ceiling: Duration,
    },
    /// The ceiling exceeds 2⁶⁴ ns.
    TooLong {
        /// The greatest timeout.
        ceiling: Duration,
    },
    /// The prior is not between the floor and the ceiling.
    PriorOutside {
        /// The timeout before the first outcome.
        prior: Duration,
        /// The least timeout.
        floor: Duration,
        /// The greatest timeout.
        ceiling: Duration,
    },
    /// The factor is zero.
    ZeroFactor,
    /// More than all calls are to wait until the ceiling.
    ExploringAll {
        /// The share.
        exploring: Ratio,
    },
    /// Outcomes are to be forgotten within nanoseconds.
    TooShortAge {
        /// After how long.
        max_age: Duration,
    },
}

impl fmt::Display for AdaptiveTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroFloor => {
                f.write_str("the floor is zero: a timeout of that waits for nothing")
            }
            Self::CeilingBelowFloor { floor, ceiling } => {
                write!(f, "the ceiling, {ceiling:?}, is below the floor, {floor:?}")
            }
            Self::TooLong { ceiling } => write!(f, "the ceiling, {ceiling:?}, exceeds 2⁶⁴ ns"),
            Self::PriorOutside { prior, floor, ceiling } => {
                write!(
                    f,
                    "the prior, {prior:?}, is not between the floor, {floor:?}, and the ceiling, {ceiling:?}"
                )
            }
            Self::ZeroFactor => f.write_str("the factor is zero"),
            Self::ExploringAll { exploring } => {
                write!(f, "{exploring} of the calls cannot explore: that is more than all")
            }
            Self::TooShortAge { max_age } => {
                write!(f, "outcomes cannot be forgotten after {max_age:?}: that is less than 8 ns")
            }
        }
    }
}

impl Error for AdaptiveTimeoutError {}
