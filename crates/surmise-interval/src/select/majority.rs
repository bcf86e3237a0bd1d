use super::{
    candidate::{Candidate, Selection, SelectionError, comparable},
    coverage::Coverage,
};

/// Selects all times that more than half of the sources agree on.
///
/// If fewer than half of the sources are wrong, the truth is among them, whatever those say: all that are
/// right hold it, and they are more than half. Marzullo and Owicki, "Maintaining the Time in a Distributed
/// System", PODC 1983, for the most faults that can be borne. The result extends from the first such time
/// to the last. Two sources must agree; of three, one may be wrong. Takes O(n log n).
///
/// This is what a [`Sampler`](crate::sampler::Sampler) selects by, since it keeps the promise of an interval
/// clock. [`marzullo`](super::marzullo) selects less, and NTP's [`intersection`](super::intersection) wants
/// the middles of intervals to agree.
///
/// # Errors
///
/// If there are no sources, no more than half of them agree, or some smear leap seconds and some do not.
pub fn majority<Name: Clone>(
    candidates: &[Candidate<Name>],
) -> Result<Selection<Name>, SelectionError> {
    comparable(candidates)?;
    let coverage = Coverage::new(candidates.iter().map(|source| source.interval));
    let sources = candidates.len();
    Selection::of_stretches(candidates, &coverage.stretches(sources / 2 + 1))
        .ok_or(SelectionError::NoMajority { sources, agreeing: coverage.most() })
}
