use alloc::vec::Vec;

use surmise_time::WallTime;

use super::source::{Candidate, Selection, SelectionError, comparable, tell_apart};
use crate::Interval;

/// Selects the times on which the most sources agree, if these are more than half.
///
/// Marzullo, "Maintaining the Time in a Distributed System", PhD thesis, Stanford, 1984. Where as many
/// agree on several stretches, the result extends from the first to the last of them: the truth lies in
/// one, and nobody knows in which. Intervals that only touch agree on that point. Takes O(n log n).
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
    let (agreeing, stretches) = most_agreed(candidates.iter().map(|source| source.interval));
    let sources = candidates.len();
    match (stretches.first(), stretches.last()) {
        (Some(first), Some(last)) if 2 * agreeing > sources => {
            let interval = Interval::from_ordered(first.earliest(), last.latest());
            let is_true = |own: &Interval| stretches.iter().any(|stretch| stretch.overlaps(own));
            Ok(tell_apart(candidates, interval, is_true))
        }
        _ => Err(SelectionError::NoMajority { sources, agreeing }),
    }
}

/// Returns how many intervals agree at most, and the stretches of time on which so many do, ascending.
fn most_agreed(intervals: impl Iterator<Item = Interval>) -> (usize, Vec<Interval>) {
    let mut edges: Vec<(WallTime, Edge)> = intervals
        .flat_map(|interval| [(interval.earliest(), Edge::Begin), (interval.latest(), Edge::End)])
        .collect();
    // At one time beginnings come first, so that intervals which touch agree.
    edges.sort_unstable();
    let (mut agreeing, mut most, mut stretches) = (0, 0, Vec::new());
    let mut since = WallTime::UNIX_EPOCH;
    for (time, edge) in edges {
        match edge {
            Edge::Begin => {
                agreeing += 1;
                since = time;
                if agreeing > most {
                    most = agreeing;
                    stretches.clear();
                }
            }
            Edge::End => {
                if agreeing == most && since <= time {
                    stretches.push(Interval::from_ordered(since, time));
                }
                agreeing -= 1;
            }
        }
    }
    (most, stretches)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Begin,
    End,
}
