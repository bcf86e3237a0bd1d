use alloc::vec::Vec;

use surmise_time::WallTime;

use super::candidate::{Candidate, Selection, SelectionError, comparable};
use crate::Interval;

/// Selects the times that all sources but a minority of falsetickers agree on, as NTP does.
///
/// The intersection algorithm of RFC 5905, §11.2.1: the smallest number of falsetickers is allowed, less
/// than half, for which there is an interval that so many of the others share and that has all but so
/// many of the middles in it. It is no narrower than Marzullo's: what lies between the middles of
/// those that agree stays possible. A source whose middle is outside is a falseticker. Takes O(n log n) for
/// each falseticker that is allowed.
///
/// # Errors
///
/// If there are no sources, no majority agrees, or not near its middles, or some smear leap seconds and some
/// do not.
pub fn intersection<Name: Clone>(
    candidates: &[Candidate<Name>],
) -> Result<Selection<Name>, SelectionError> {
    comparable(candidates)?;
    let sources = candidates.len();
    let mut edges: Vec<(WallTime, Edge)> = candidates
        .iter()
        .flat_map(|Candidate { interval, .. }| {
            [
                (interval.earliest(), Edge::Begin),
                (interval.middle(), Edge::Middle),
                (interval.latest(), Edge::End),
            ]
        })
        .collect();
    // At one time beginnings come first and ends last, so that intervals which touch agree.
    edges.sort_unstable();
    let found = (0..sources.div_ceil(2)).find_map(|falsetickers| {
        let agreeing = sources - falsetickers;
        let (earliest, before) = bound(edges.iter(), Edge::Begin, agreeing)?;
        let (latest, after) = bound(edges.iter().rev(), Edge::End, agreeing)?;
        let enough = before + after <= falsetickers;
        Interval::new(earliest, latest).ok().filter(|_| enough)
    });
    match found {
        Some(interval) => {
            Ok(Selection::new(candidates, interval, |own| interval.contains(own.middle())))
        }
        None => match most_sharing(&edges) {
            agreeing if 2 * agreeing > sources => {
                Err(SelectionError::NoMiddles { sources, agreeing })
            }
            agreeing => Err(SelectionError::NoMajority { sources, agreeing }),
        },
    }
}

/// Returns where so many intervals have been entered, going one way, and how many middles came before.
fn bound<'a>(
    edges: impl Iterator<Item = &'a (WallTime, Edge)>,
    entry: Edge,
    agreeing: usize,
) -> Option<(WallTime, usize)> {
    let (mut inside, mut middles) = (0, 0);
    for &(time, edge) in edges {
        if edge == Edge::Middle {
            middles += 1;
        } else if edge == entry {
            inside += 1;
            if inside == agreeing {
                return Some((time, middles));
            }
        } else {
            inside -= 1;
        }
    }
    None
}

/// Returns how many intervals share some time, at most.
fn most_sharing(edges: &[(WallTime, Edge)]) -> usize {
    let (mut inside, mut most) = (0, 0);
    for (_, edge) in edges {
        match edge {
            Edge::Begin => inside += 1,
            Edge::Middle => {}
            Edge::End => inside -= 1,
        }
        most = most.max(inside);
    }
    most
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Begin,
    Middle,
    End,
}
