use core::{error::Error, fmt, time::Duration};

/// Why round-trip times cannot be estimated like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RttError {
    /// The granularity is zero, and of a path without jitter half the answers came too late.
    ZeroGranularity,
    /// The initial round-trip time is zero.
    ZeroInitialRtt,
    /// The greatest timeout is less than the 60 s that RFC 6298 asks for at least.
    TooShortMax {
        /// The greatest timeout.
        max: Duration,
    },
    /// The initial timeout is zero, or not between the least and the greatest.
    InitialOutside {
        /// The initial timeout.
        initial: Duration,
        /// The least timeout.
        min: Duration,
        /// The greatest timeout.
        max: Duration,
    },
}

impl fmt::Display for RttError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroGranularity => f.write_str("no clock has a granularity of zero"),
            Self::ZeroInitialRtt => f.write_str("no round trip takes no time"),
            Self::TooShortMax { max } => {
                write!(f, "max_rto, {max:?}, is less than 60 s, which RFC 6298 requires")
            }
            Self::InitialOutside { initial, min, max } => write!(
                f,
                "the initial timeout, {initial:?}, is zero or not between {min:?} and {max:?}"
            ),
        }
    }
}

impl Error for RttError {}
