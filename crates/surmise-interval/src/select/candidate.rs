use alloc::vec::Vec;
use core::{error::Error, fmt};

use crate::Interval;

/// What one source says that the time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct Candidate<Name> {
    /// What the source is called in results.
    pub name: Name,
    /// What it says, at the same instant as all others: see
    /// [`Sample::interval_at`](crate::Sample::interval_at).
    pub interval: Interval,
    /// What it does about leap seconds.
    pub smearing: Smearing,
}

/// What a source does about leap seconds.
///
/// While a leap second is smeared, two sources that are both right are up to a second apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "it does or it does not")]
pub enum Smearing {
    /// It steps, or repeats a second.
    Stepped,
    /// It runs slower or faster for some hours, as the servers of some large providers do.
    Smeared,
}

/// The interval that enough sources agree on, and which ones do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection<Name> {
    /// From the first to the last of the times that enough sources agree on.
    pub interval: Interval,
    /// The sources that have some of the selected times in common with enough others, in the order in which they
    /// were given. Where these times are in several stretches, not all of them agree with each other.
    pub truechimers: Vec<Name>,
    /// The sources that do not, in the order in which they were given. They are wrong if the selected times hold the
    /// truth; but [`intersection`](super::intersection) counts those here, too, whose middle is outside.
    pub falsetickers: Vec<Name>,
}

impl<Name: Clone> Selection<Name> {
    /// Selects an interval, and tells the sources that are right about it from those that are not.
    pub(super) fn new(
        candidates: &[Candidate<Name>],
        interval: Interval,
        is_right: impl Fn(&Interval) -> bool,
    ) -> Self {
        let names = |wanted: bool| {
            let chosen = candidates.iter().filter(|source| is_right(&source.interval) == wanted);
            chosen.map(|source| source.name.clone()).collect()
        };
        Self { interval, truechimers: names(true), falsetickers: names(false) }
    }

    /// Selects from the first to the last of some stretches; those are right that hold some of one.
    pub(super) fn of_stretches(
        candidates: &[Candidate<Name>],
        stretches: &[Interval],
    ) -> Option<Self> {
        let (first, last) = (stretches.first()?, stretches.last()?);
        let interval = Interval::from_ordered(first.earliest(), last.latest());
        let is_right = |own: &Interval| stretches.iter().any(|stretch| stretch.overlaps(own));
        Some(Self::new(candidates, interval, is_right))
    }
}

/// Why no interval was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectionError {
    /// There are no sources, or none that answered.
    NoSources,
    /// Some sources smear leap seconds and some do not: they are not to be compared.
    MixedSmearing {
        /// How many smear.
        smeared: usize,
        /// How many do not.
        stepped: usize,
    },
    /// There are no more sources than may be wrong.
    TooFew {
        /// How many there are.
        sources: usize,
        /// How many of them may be wrong.
        falsetickers: usize,
    },
    /// Too few agree.
    NoMajority {
        /// How many there are.
        sources: usize,
        /// How many agree, at most.
        agreeing: usize,
    },
    /// Enough agree, but on a time away from the middles of too many.
    NoMiddles {
        /// How many there are.
        sources: usize,
        /// How many agree, at most.
        agreeing: usize,
    },
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSources => f.write_str("no time source says what time it is"),
            Self::MixedSmearing { smeared, stepped } => {
                write!(f, "of the time sources {smeared} smear leap seconds and {stepped} do not")
            }
            Self::TooFew { sources: 1, falsetickers: 1.. } => {
                f.write_str("only one time source says what time it is, and it may be wrong")
            }
            Self::TooFew { sources, falsetickers } => {
                write!(
                    f,
                    "{sources} time sources say what time it is, and {falsetickers} may be wrong"
                )
            }
            Self::NoMiddles { sources, agreeing } => {
                write!(f, "{agreeing} of {sources} time sources agree, but not near their middles")
            }
            Self::NoMajority { sources: 2, .. } => {
                f.write_str("the two time sources contradict each other, and either may be wrong")
            }
            Self::NoMajority { sources, agreeing: ..=1 } => {
                write!(f, "no two of {sources} time sources agree")
            }
            Self::NoMajority { sources, agreeing } => {
                write!(f, "no more than {agreeing} of {sources} time sources agree, too few")
            }
        }
    }
}

impl Error for SelectionError {}

/// Refuses candidates that cannot be compared.
pub(super) fn comparable<Name>(candidates: &[Candidate<Name>]) -> Result<(), SelectionError> {
    let smeared = candidates.iter().filter(|source| source.smearing == Smearing::Smeared).count();
    let stepped = candidates.len() - smeared;
    if candidates.is_empty() {
        return Err(SelectionError::NoSources);
    }
    if smeared > 0 && stepped > 0 {
        return Err(SelectionError::MixedSmearing { smeared, stepped });
    }
    Ok(())
}
