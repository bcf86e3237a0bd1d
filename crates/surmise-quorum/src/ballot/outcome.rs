/// What the votes of a [`Ballot`](crate::Ballot) say.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a ballot is decided one way, the other, or not yet")]
pub enum Outcome {
    /// Enough votes suspect the subject.
    Convicted(Tally),
    /// So many votes trust the subject that there cannot be enough that suspect it, unless one of them is taken back,
    /// expires or is discounted.
    Acquitted(Tally),
    /// Neither.
    Open(Tally),
}

impl Outcome {
    /// Returns how many votes there are of each kind.
    #[must_use]
    pub const fn tally(self) -> Tally {
        match self {
            Self::Convicted(tally) | Self::Acquitted(tally) | Self::Open(tally) => tally,
        }
    }

    /// Returns whether enough votes suspect the subject.
    #[must_use]
    pub const fn is_convicted(self) -> bool {
        matches!(self, Self::Convicted(_))
    }
}

/// How many votes of each kind there are: all together, as many as there are observers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Fresh votes that count and suspect the subject.
    pub suspecting: usize,
    /// Fresh votes that count and trust it.
    pub trusting: usize,
    /// Observers whose votes would count, if they had cast one, not abstained, and repeated it in time.
    pub missing: usize,
    /// Observers whose votes would not count.
    pub discounted: usize,
}

/// What became of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a vote is newer than what is known of its observer, or not"
)]
pub enum Receipt {
    /// It is the observer's vote from now on, whether it counts or not.
    Recorded,
    /// A vote of the same observer with this number or a greater one was there before: nothing changes, and what is
    /// known is not fresh for longer.
    Stale {
        /// The number of the vote.
        offered: u64,
        /// The greatest number of a vote of this observer.
        newest: u64,
    },
}
