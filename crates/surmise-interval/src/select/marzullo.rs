use super::{
    candidate::{Candidate, Selection, SelectionError, comparable},
    coverage::Coverage,
};

/// Selects the times on which the most sources agree, if these are more than half.
///
/// Marzullo, "Maintaining the Time in a Distributed System", PhD thesis, Stanford, 1984. Where as many
/// agree on several stretches, the result extends from the first to the last of them: the truth lies in
/// one, and nobody knows in which. Intervals that only touch agree on that point. Takes O(n log n).
///
/// It selects the least time of the algorithms here, and trusts the most: a source that is wrong, and agrees
/// with some that are right on a time that is not the truth, excludes it. [`majority`](super::majority) does
/// not let it.
///
/// # Errors
///
/// If there are no sources, no more than half of them agree, or some smear leap seconds and some do not.
///
/// # Examples
///
/// ```
/// use surmise_interval::{Interval, select::{Candidate, Smearing, marzullo}};
/// use surmise_time::WallTime;
///
/// let source = |name, earliest, latest| {
///     let ends = [earliest, latest].map(WallTime::from_nanos);
///     let smearing = Smearing::Stepped;
///     Interval::new(ends[0], ends[1]).map(|interval| Candidate { name, interval, smearing })
/// };
/// let sources = [source("a", 8, 12)?, source("b", 11, 13)?, source("c", 14, 15)?];
/// let selected = marzullo(&sources)?;
/// assert_eq!(selected.interval, Interval::new(WallTime::from_nanos(11), WallTime::from_nanos(12))?);
/// assert_eq!(selected.falsetickers, ["c"]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn marzullo<Name: Clone>(
    candidates: &[Candidate<Name>],
) -> Result<Selection<Name>, SelectionError> {
    comparable(candidates)?;
    let coverage = Coverage::new(candidates.iter().map(|source| source.interval));
    let (sources, agreeing) = (candidates.len(), coverage.most());
    if 2 * agreeing <= sources {
        return Err(SelectionError::NoMajority { sources, agreeing });
    }
    Selection::of_stretches(candidates, &coverage.stretches(agreeing))
        .ok_or(SelectionError::NoMajority { sources, agreeing })
}
