use core::{error::Error, fmt, time::Duration};

/// How a [`Monitor`](crate::Monitor) is set up.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_monitor::{Grace, MonitorConfig};
///
/// // A peer that was suspected for 30 s is dead.
/// let grace = Some(Grace::fixed(Duration::from_secs(30)));
/// let config = MonitorConfig { grace, ..MonitorConfig::default() };
/// assert_eq!(config.max_poll_gap, Duration::from_millis(250));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct MonitorConfig {
    /// The longest time between two calls that is not taken for a stall of the observer, from 1 ms; 250 ms unless said
    /// otherwise. **A monitor that is asked less often than that takes each pause for a stall, and suspects nobody**:
    /// [`deadline`](crate::Monitor::deadline) says when to poll. Higher needs fewer polls; a stall that is
    /// shorter makes peers suspected that were not heard only because nobody listened. It should be above the delays of
    /// scheduling on a loaded host, or each of them is a stall, and stretches the grace.
    pub max_poll_gap: Duration,
    /// For how long after a stall the heartbeats that arrive are held to have been queued, so that nothing is learned
    /// from when they came; 500 ms unless said otherwise, but at least half as long as the stall, up to a minute. It should be longer than it
    /// takes to work the queue off.
    pub settle: Duration,
    /// For how long a peer is waited for of which nothing was heard yet, or not since it [refuted](crate::Monitor::refute) a
    /// suspicion, from 1 ns; 10 s unless said otherwise. If `None`, for ever.
    pub first_heartbeat: Option<Duration>,
    /// For how long a peer is suspected before it is dead. If `None`, as long as nothing is heard of it.
    pub grace: Option<Grace>,
    /// When so many peers expire together that it looks as if the observer were cut off. If `None`, never.
    pub correlated_expiry: Option<CorrelatedExpiry>,
    /// After how long without a stall the observer's [health](crate::LocalHealth) is better by one, from 1 ns; 10 s
    /// unless said otherwise.
    pub health_recovery: Duration,
    /// How many peers there can be, at most 2³¹; a million unless said otherwise. Memory is allocated as they come.
    pub max_peers: usize,
}

/// For how long a peer is suspected before it is dead: Lifeguard's suspicion timeout.
///
/// With `c` independent [confirmations](crate::Monitor::confirm) it is `max − (max − min) · ln(c + 1) / ln(k + 1)`, and
/// with `k` or more it is `min`. It is multiplied by one more than the observer's [health](crate::LocalHealth) at the
/// time when the suspicion began.
///
/// Dadgar, Phillips, Currey: [Lifeguard: Local Health Awareness for More Accurate Failure
/// Detection](https://arxiv.org/abs/1707.00788), 2018, §IV.B. There `min` is a multiple of `log10 n` probe intervals and
/// `max` six times as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct Grace {
    /// With enough confirmations; 5 s unless said otherwise.
    pub min: Duration,
    /// Without any; 30 s unless said otherwise.
    pub max: Duration,
    /// How many confirmations are enough, `k`, at most 64; 3 unless said otherwise. With 0 it is always `min`. There must be so
    /// many others who can confirm: of n nodes n − 2, and so of four nodes never 3.
    pub confirmations: u8,
}

/// When so many peers expire together that it is likelier that the observer is cut off than that all of them failed.
///
/// From then on no verdict is given for a while: whoever is heard of in it was never suspected. Those that expired before
/// are one fewer than it takes, and are suspected already: nobody could know yet that so many would follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct CorrelatedExpiry {
    /// How many at least; 5 unless said otherwise.
    pub peers: usize,
    /// How many of a hundred that are watched and not dead, from 1 to 100; 20 unless said otherwise.
    pub percent: u8,
    /// Within which time; 1 s unless said otherwise. It should be about as long as the interval between heartbeats,
    /// over which the deadlines of peers that fail at once are spread.
    pub within: Duration,
    /// For how long the verdicts are held back at most, from 1 ns; 2 s unless said otherwise. It adds to the
    /// detection time of peers that did fail together.
    pub hold: Duration,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            max_poll_gap: Duration::from_millis(250),
            settle: Duration::from_millis(500),
            first_heartbeat: Some(Duration::from_secs(10)),
            grace: Some(Grace::default()),
            correlated_expiry: Some(CorrelatedExpiry::default()),
            health_recovery: Duration::from_secs(10),
            max_peers: 1_000_000,
        }
    }
}

impl Default for Grace {
    fn default() -> Self {
        Self { min: Duration::from_secs(5), max: Duration::from_secs(30), confirmations: 3 }
    }
}

impl Grace {
    /// Returns a grace that no confirmation shortens.
    #[must_use]
    pub const fn fixed(grace: Duration) -> Self {
        Self { min: grace, max: grace, confirmations: 0 }
    }
}

impl Default for CorrelatedExpiry {
    fn default() -> Self {
        Self { peers: 5, percent: 20, within: Duration::from_secs(1), hold: Duration::from_secs(2) }
    }
}

const MAX_PEERS: usize = 1 << 31;
const MAX_CONFIRMATIONS: u8 = 64;

impl MonitorConfig {
    pub(crate) fn checked(self) -> Result<Self, MonitorConfigError> {
        let at_least = |field, value, min| {
            if value < min {
                return Err(MonitorConfigError::TooShort { field, value, min });
            }
            Ok(())
        };
        let nanosecond = Duration::from_nanos(1);
        at_least("max_poll_gap", self.max_poll_gap, Duration::from_millis(1))?;
        at_least("first_heartbeat", self.first_heartbeat.unwrap_or(nanosecond), nanosecond)?;
        at_least("health_recovery", self.health_recovery, nanosecond)?;
        if let Some(Grace { min, max, confirmations }) = self.grace {
            at_least("grace.min", min, nanosecond)?;
            at_least("grace.max", max, min)?;
            count("grace.confirmations", confirmations.into(), 0, MAX_CONFIRMATIONS.into())?;
        }
        if let Some(CorrelatedExpiry { percent, hold, .. }) = self.correlated_expiry {
            at_least("correlated_expiry.hold", hold, nanosecond)?;
            count("correlated_expiry.percent", percent.into(), 1, 100)?;
        }
        count("max_peers", self.max_peers, 0, MAX_PEERS)?;
        Ok(self)
    }
}

fn count(
    field: &'static str,
    value: usize,
    min: usize,
    max: usize,
) -> Result<(), MonitorConfigError> {
    if value < min || max < value {
        return Err(MonitorConfigError::Count { field, value, min, max });
    }
    Ok(())
}

/// A configuration that no monitor can be made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MonitorConfigError {
    /// A duration is too short.
    TooShort {
        /// The name of the field.
        field: &'static str,
        /// Its value.
        value: Duration,
        /// The least value allowed.
        min: Duration,
    },
    /// A number is out of its range.
    Count {
        /// The name of the field.
        field: &'static str,
        /// Its value.
        value: usize,
        /// The least value allowed.
        min: usize,
        /// The greatest value allowed.
        max: usize,
    },
}

impl fmt::Display for MonitorConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { field, value, min } => {
                write!(f, "`{field}` is {value:?}, but must be at least {min:?}")
            }
            Self::Count { field, value, min, max } => {
                write!(f, "`{field}` is {value}, but must lie between {min} and {max}")
            }
        }
    }
}

impl Error for MonitorConfigError {}
