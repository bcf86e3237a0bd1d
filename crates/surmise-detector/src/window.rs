//! What a detector remembers of the intervals between heartbeats, and where.

mod exponential;
mod ring;
mod sorted;
mod storage;

pub use self::{
    exponential::ExponentiallyWeighted,
    storage::{InlineStorage, IntervalStorage, OffsetStorage, WindowStorage},
};
pub(crate) use self::{
    ring::{Ring, Sample, next as ring_next},
    sorted::SortedRing,
    storage::{
        sealed::{Intervals, Quantiles},
        window_length,
    },
};

/// So many intervals say something about their spread.
const FEW: u32 = 10;
