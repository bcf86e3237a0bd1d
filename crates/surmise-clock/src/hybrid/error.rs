use core::{error::Error, fmt, time::Duration};

use surmise_time::WallTime;

use super::{HybridTimestamp, step::reading};

/// A stamp is further ahead of physical time than the clock allows; nothing was changed.
///
/// Either the clock of the node that sent it is wrong, or the one here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriftExceeded {
    /// The stamp.
    pub stamp: HybridTimestamp,
    /// Physical time here.
    pub physical: WallTime,
    /// In nanoseconds: to make a duration costs more than all that leads to the error.
    pub(super) max_offset: u64,
}

impl DriftExceeded {
    /// Returns how far the stamp is ahead of physical time here.
    #[must_use]
    pub fn ahead(&self) -> Duration {
        Duration::from_nanos(self.stamp.as_nanos().saturating_sub(reading(self.physical)))
    }

    /// Returns how far it may be ahead.
    #[must_use]
    pub const fn max_offset(&self) -> Duration {
        Duration::from_nanos(self.max_offset)
    }
}

impl fmt::Display for DriftExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stamp, ahead, max_offset) = (self.stamp, self.ahead(), self.max_offset());
        write!(
            f,
            "the stamp {stamp} is {ahead:?} ahead of the clock, at most {max_offset:?} are allowed"
        )
    }
}

impl Error for DriftExceeded {}

/// A ceiling is so high that there would be no room for stamps above it; it was not written by a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CeilingTooHigh {
    /// The ceiling.
    pub ceiling: HybridTimestamp,
    /// The highest that can be resumed from.
    pub max: HybridTimestamp,
}

impl fmt::Display for CeilingTooHigh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ceiling {} is above {}", self.ceiling, self.max)
    }
}

impl Error for CeilingTooHigh {}

/// A durable clock would have to pass its ceiling, which is to be raised first; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CeilingReached {
    /// The stamp that lies above the ceiling.
    pub stamp: HybridTimestamp,
    /// The ceiling, if one was ever made durable.
    pub ceiling: Option<HybridTimestamp>,
}

impl fmt::Display for CeilingReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ceiling {
            Some(ceiling) => write!(f, "the stamp {} is above the ceiling {ceiling}", self.stamp),
            None => write!(f, "the stamp {} has no durable ceiling above it", self.stamp),
        }
    }
}

impl Error for CeilingReached {}

/// Why a durable clock did not take in or give a stamp; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StampRefused {
    /// The stamp is too far ahead of physical time.
    DriftExceeded(DriftExceeded),
    /// The ceiling is to be raised first.
    CeilingReached(CeilingReached),
}

impl fmt::Display for StampRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DriftExceeded(error) => error.fmt(f),
            Self::CeilingReached(error) => error.fmt(f),
        }
    }
}

impl Error for StampRefused {}

impl From<DriftExceeded> for StampRefused {
    fn from(error: DriftExceeded) -> Self {
        Self::DriftExceeded(error)
    }
}

impl From<CeilingReached> for StampRefused {
    fn from(error: CeilingReached) -> Self {
        Self::CeilingReached(error)
    }
}

/// A stamp has no counterpart in another form, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfRange {
    /// What was to be converted, in the form that it has.
    pub value: u64,
    /// The least value that can be converted.
    pub min: u64,
    /// The greatest value that can be converted.
    pub max: u64,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, min, max } = self;
        write!(f, "{value} must lie between {min} and {max}")
    }
}

impl Error for OutOfRange {}

/// A text is not a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTimestampError {
    /// There is something else than digits and one point, or nothing where a digit must be.
    Malformed {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// There are too many digits after the point.
    TooPrecise {
        /// How many there are.
        digits: usize,
        /// How many there may be.
        max: usize,
    },
    /// It is zero, or beyond what the type can hold.
    OutOfRange,
}

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { at } => write!(f, "no digit and no point at byte {at}"),
            Self::TooPrecise { digits, max } => {
                write!(f, "{digits} digits after the point, at most {max} are allowed")
            }
            Self::OutOfRange => f.write_str("the number is out of range"),
        }
    }
}

impl Error for ParseTimestampError {}
