use super::{
    candidate::{Candidate, Selection, SelectionError, comparable},
    coverage::Coverage,
};

/// Selects all times that all but so many sources agree on.
///
/// If no more than `falsetickers` of them are wrong, the truth is among these times, whatever those say: all
/// that are right hold it. Marzullo and Owicki, "Maintaining the Time in a Distributed System", PODC 1983. The
/// result extends from the first such time to the last. If as many sources may be wrong as are right it can
/// be wide, and names no falseticker. Takes O(n log n).
///
/// # Errors
///
/// If there are no sources, or no more than may be wrong; if fewer agree; or if some smear leap seconds and
/// some do not.
pub fn tolerating<Name: Clone>(
    candidates: &[Candidate<Name>],
    falsetickers: usize,
) -> Result<Selection<Name>, SelectionError> {
    comparable(candidates)?;
    let sources = candidates.len();
    let Some(least) = sources.checked_sub(falsetickers).filter(|least| *least > 0) else {
        return Err(SelectionError::TooFew { sources, falsetickers });
    };
    let coverage = Coverage::new(candidates.iter().map(|source| source.interval));
    Selection::of_stretches(candidates, &coverage.stretches(least))
        .ok_or(SelectionError::NoMajority { sources, agreeing: coverage.most() })
}

/// Selects all times that more than half of the sources agree on.
///
/// It is [`tolerating`] as many falsetickers as there can be: less than half. Two sources must agree; of three,
/// one may be wrong. Takes O(n log n).
///
/// This keeps the promise of an interval clock. [`marzullo`](super::marzullo) selects less, and NTP's
/// [`intersection`](super::intersection) wants the middles of intervals to agree.
///
/// # Errors
///
/// If there are no sources, no more than half of them agree, or some smear leap seconds and some do not.
pub fn majority<Name: Clone>(
    candidates: &[Candidate<Name>],
) -> Result<Selection<Name>, SelectionError> {
    tolerating(candidates, candidates.len().saturating_sub(1) / 2)
}
