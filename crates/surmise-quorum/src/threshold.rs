use core::{error::Error, fmt};

/// So many votes of so many: what every quorum here comes down to.
///
/// It promises nothing about two quorums. That two of them meet is what [`Majority`](crate::Majority),
/// [`ReadWriteQuorum`](crate::ReadWriteQuorum) and [`ByzantineQuorum`](crate::ByzantineQuorum) make sure of.
///
/// # Examples
///
/// ```
/// use surmise_quorum::{Threshold, ThresholdError};
///
/// const TWO_OF_FIVE: Result<Threshold, ThresholdError> = Threshold::new(2, 5);
/// assert!(TWO_OF_FIVE?.is_reached(2));
/// assert_eq!(TWO_OF_FIVE?.tolerates(), 3);
/// assert_eq!(Threshold::new(6, 5), Err(ThresholdError::TooLarge { size: 6, total: 5 }));
/// # Ok::<(), ThresholdError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts", into = "Parts"))]
pub struct Threshold {
    size: usize,
    total: usize,
}

impl Threshold {
    /// Creates a threshold of `size` votes out of `total`.
    ///
    /// # Errors
    ///
    /// If there are no votes, if none are asked for, or more than there are.
    pub const fn new(size: usize, total: usize) -> Result<Self, ThresholdError> {
        if total == 0 {
            return Err(ThresholdError::NoVotes);
        }
        if size == 0 {
            return Err(ThresholdError::ZeroSize { total });
        }
        if size > total {
            return Err(ThresholdError::TooLarge { size, total });
        }
        Ok(Self { size, total })
    }

    /// For quorums whose arithmetic shows that 1 ≤ `size` ≤ `total`.
    pub(crate) const fn within(size: usize, total: usize) -> Self {
        debug_assert!(1 <= size && size <= total, "a quorum is neither empty nor too large");
        Self { size, total }
    }

    /// Returns how many votes are needed.
    #[must_use]
    pub const fn size(self) -> usize {
        self.size
    }

    /// Returns how many votes there are.
    #[must_use]
    pub const fn total(self) -> usize {
        self.total
    }

    /// Returns how many votes may stay out for ever without keeping the threshold from being reached.
    #[must_use]
    pub const fn tolerates(self) -> usize {
        self.total - self.size
    }

    /// Returns whether so many votes are enough. They must be of different voters.
    #[must_use]
    pub const fn is_reached(self, votes: usize) -> bool {
        votes >= self.size
    }
}

/// What is written of a threshold, and checked when it is read.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    size: usize,
    total: usize,
}

#[cfg(feature = "serde")]
impl From<Threshold> for Parts {
    fn from(threshold: Threshold) -> Self {
        Self { size: threshold.size, total: threshold.total }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for Threshold {
    type Error = ThresholdError;

    fn try_from(parts: Parts) -> Result<Self, ThresholdError> {
        Self::new(parts.size, parts.total)
    }
}

/// Why there is no such [`Threshold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ThresholdError {
    /// There are no votes.
    NoVotes,
    /// No vote is needed: the threshold would be reached when nobody has voted.
    ZeroSize {
        /// How many votes there are.
        total: usize,
    },
    /// More votes are needed than there are: the threshold would never be reached.
    TooLarge {
        /// How many votes are needed.
        size: usize,
        /// How many votes there are.
        total: usize,
    },
}

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVotes => f.write_str("no quorum is among no votes"),
            Self::ZeroSize { total } => write!(f, "a quorum of none of {total} votes is no quorum"),
            Self::TooLarge { size, total } => {
                write!(f, "a quorum of {size} cannot be had: there are {total} votes")
            }
        }
    }
}

impl Error for ThresholdError {}
