//! What can happen at a clock; most readings are near where it matters.

use arbitrary::Arbitrary;
use surmise_fuzz::Span;
use surmise_interval::Drift;
use surmise_time::Instant;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Op {
    /// Time passes, while the monotonic clock counts more or less.
    Pass {
        span: Span,
        wrong_ppb: i32,
    },
    /// A source is asked that is right, however long it takes to answer.
    Ask {
        early: u32,
        late: u32,
        there: u32,
        back: u32,
    },
    /// A source says anything.
    Tell {
        earliest: Reading,
        width: Span,
        between: [Reading; 2],
        drift: u32,
    },
    /// The machine was away for so long, which is noticed at an instant.
    Disrupt {
        away: Span,
        now: Reading,
    },
    Read {
        now: Reading,
    },
    Wait {
        last: Reading,
        now: Reading,
    },
}

/// A reading of the monotonic clock, or a time that a source tells or a timestamp has.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Reading {
    Any(u64),
    /// About the present.
    Now(i32),
    Millis(i16),
    /// About the last sample, or the last disruption.
    Sampled(i8),
    /// About the first reading for which that is relied on.
    Begin(i8),
    /// About the age at which the last sample is no longer relied on.
    End(i8),
    /// About the latest that is possible.
    Latest(i8),
}

/// Where it matters.
pub(crate) struct Landmarks {
    pub(crate) now: u64,
    pub(crate) sampled: u64,
    pub(crate) end: u64,
    pub(crate) latest: u64,
}

impl Reading {
    pub(crate) fn instant(self, near: &Landmarks) -> Instant {
        Instant::from_nanos(self.resolve(near))
    }

    pub(crate) fn resolve(self, near: &Landmarks) -> u64 {
        let (landmark, by) = match self {
            Self::Any(nanos) => (nanos, 0),
            Self::Now(by) => (near.now, by.into()),
            Self::Millis(by) => (near.now, i64::from(by) * 1_000_000),
            Self::Sampled(by) => (near.sampled, by.into()),
            Self::Begin(by) => (near.sampled.saturating_sub(1_000_000_000), by.into()),
            Self::End(by) => (near.end, by.into()),
            Self::Latest(by) => (near.latest, by.into()),
        };
        landmark.saturating_add_signed(by)
    }
}

/// Returns a drift, whatever the number.
pub(crate) fn drift(ppb: u32) -> Drift {
    Drift::from_ppb(ppb).unwrap_or_else(|error| {
        assert!(ppb > Drift::MAX.as_ppb() && error.ppb == u64::from(ppb));
        Drift::from_ppb(ppb % (Drift::MAX.as_ppb() + 1)).expect("it is at most the maximum")
    })
}
