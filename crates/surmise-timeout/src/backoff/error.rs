use core::{error::Error, fmt, time::Duration};

use crate::Ratio;

/// A configuration that no backoff can be made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackoffError {
    /// The base is zero, and no multiplier makes it more.
    ZeroBase,
    /// The longest delay is shorter than the base.
    CapBelowBase {
        /// The longest delay.
        cap: Duration,
        /// The base.
        base: Duration,
    },
    /// The shortest delay is longer than the longest.
    FloorAboveCap {
        /// The shortest delay.
        floor: Duration,
        /// The longest delay.
        cap: Duration,
    },
    /// Delays would become shorter with every attempt.
    MultiplierBelowOne {
        /// The multiplier.
        multiplier: Ratio,
    },
    /// Delays would become negative.
    JitterAboveWhole {
        /// The share by which delays would vary.
        share: Ratio,
    },
}

impl fmt::Display for BackoffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroBase => f.write_str("the base is zero"),
            Self::CapBelowBase { cap, base } => {
                write!(f, "the cap of {cap:?} is below the base of {base:?}")
            }
            Self::FloorAboveCap { floor, cap } => {
                write!(f, "the floor of {floor:?} is above the cap of {cap:?}")
            }
            Self::MultiplierBelowOne { multiplier } => {
                write!(f, "the multiplier of {multiplier} is below 1")
            }
            Self::JitterAboveWhole { share } => {
                write!(f, "delays cannot vary by {share} of themselves, which is more than 1")
            }
        }
    }
}

impl Error for BackoffError {}
