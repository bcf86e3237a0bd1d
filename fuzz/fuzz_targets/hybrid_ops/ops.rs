//! What can happen at a node; most times and stamps are near where it matters.

use core::num::NonZeroU32;

use arbitrary::Arbitrary;
use surmise_clock::HybridTimestamp;
use surmise_time::WallTime;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Op {
    Tick {
        now: Moment,
    },
    Observe {
        remote: Moment,
        now: Moment,
    },
    Witness {
        remote: Moment,
        now: Moment,
    },
    Reserve {
        count: Count,
        now: Moment,
    },
    /// The ceiling, if one is due, becomes durable, and perhaps the node comes to know.
    Persist {
        now: Moment,
        known: bool,
    },
    Crash,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Moment {
    Any(u64),
    /// About the latest physical time.
    Physical(i32),
    Millis(i16),
    /// About the latest stamp.
    Latest(i8),
    /// About the farthest stamp that is taken in.
    Reach(i8),
    Ceiling(i8),
    /// About the end of what a wall clock is believed, in 2262.
    End(i8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Count {
    Any(NonZeroU32),
    Few(u8),
}

/// Where it matters.
pub(crate) struct Landmarks {
    pub(crate) physical: u64,
    pub(crate) latest: u64,
    pub(crate) reach: u64,
    pub(crate) ceiling: u64,
}

impl Moment {
    pub(crate) fn wall_time(self, near: &Landmarks) -> WallTime {
        WallTime::from_nanos(self.resolve(near))
    }

    pub(crate) fn stamp(self, near: &Landmarks) -> HybridTimestamp {
        HybridTimestamp::from_nanos(self.resolve(near)).unwrap_or(HybridTimestamp::MIN)
    }

    fn resolve(self, near: &Landmarks) -> u64 {
        let (landmark, by) = match self {
            Self::Any(nanos) => (nanos, 0),
            Self::Physical(by) => (near.physical, by.into()),
            Self::Millis(by) => (near.physical, i64::from(by) * 1_000_000),
            Self::Latest(by) => (near.latest, by.into()),
            Self::Reach(by) => (near.reach, by.into()),
            Self::Ceiling(by) => (near.ceiling, by.into()),
            Self::End(by) => (i64::MAX.unsigned_abs(), by.into()),
        };
        landmark.saturating_add_signed(by)
    }
}

impl From<Count> for NonZeroU32 {
    fn from(count: Count) -> Self {
        match count {
            Count::Any(count) => count,
            Count::Few(more) => Self::MIN.saturating_add(more.into()),
        }
    }
}
