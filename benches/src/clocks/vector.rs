//! Vector clocks of 8 and of 64 replicas, which are random 64-bit numbers.

mod contender;
mod contenders;
mod operations;
mod samples;

pub use self::{
    contender::{VectorContender, Visitor},
    contenders::visit_all,
    operations::{COMPARISONS, measure},
    samples::{News, Overlap, Sample, entries, samples},
};
