//! The order of events of which only intervals are known.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::Interval;

/// Returns the order of two events, or `None` where it is not certain.
///
/// # Examples
///
/// ```
/// use core::{cmp::Ordering, time::Duration};
/// use surmise_interval::{Interval, order};
/// use surmise_time::WallTime;
///
/// let at = |nanos| Interval::around(WallTime::from_nanos(nanos), Duration::from_nanos(5));
/// assert_eq!(order::certain(&at(10), &at(30)), Some(Ordering::Less));
/// assert_eq!(order::certain(&at(10), &at(15)), None);
/// ```
#[must_use]
pub const fn certain(first: &Interval, second: &Interval) -> Option<Ordering> {
    if first.definitely_before(second) {
        Some(Ordering::Less)
    } else if second.definitely_before(first) {
        Some(Ordering::Greater)
    } else {
        None
    }
}

/// Returns the pairs of events whose order is not certain, as indices, the lesser first.
///
/// All other pairs are ordered: see [`certain`]. Takes O((n + p) log n) for p pairs, of which there can be n² / 2.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_interval::{Interval, order};
/// use surmise_time::WallTime;
///
/// let at = |nanos| Interval::around(WallTime::from_nanos(nanos), Duration::from_nanos(5));
/// assert_eq!(order::concurrent_pairs(&[at(30), at(10), at(15)]), [(1, 2)]);
/// ```
#[cfg(feature = "alloc")]
#[must_use]
pub fn concurrent_pairs(events: &[Interval]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut open: Vec<(usize, Interval)> = Vec::new();
    for (index, event) in by_earliest(events) {
        open.retain(|(_, earlier)| !earlier.definitely_before(&event));
        pairs.extend(open.iter().map(|&(other, _)| (index.min(other), index.max(other))));
        open.push((index, event));
    }
    pairs.sort_unstable();
    pairs
}

/// Splits events into groups, as indices, of which each is certainly before the next.
///
/// As many groups as possible: within one, no cut divides certainly earlier from later events. Takes
/// O(n log n).
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_interval::{Interval, order};
/// use surmise_time::WallTime;
///
/// let at = |nanos| Interval::around(WallTime::from_nanos(nanos), Duration::from_nanos(5));
/// assert_eq!(order::groups(&[at(30), at(10), at(15)]), [vec![1, 2], vec![0]]);
/// ```
#[cfg(feature = "alloc")]
#[must_use]
pub fn groups(events: &[Interval]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut latest = None;
    for (index, event) in by_earliest(events) {
        match groups.last_mut() {
            Some(group) if latest >= Some(event.earliest()) => group.push(index),
            _ => groups.push(alloc::vec![index]),
        }
        latest = latest.max(Some(event.latest()));
    }
    groups
}

/// Returns the events in the order in which they can have begun, with their indices.
#[cfg(feature = "alloc")]
fn by_earliest(events: &[Interval]) -> Vec<(usize, Interval)> {
    let mut sorted: Vec<(usize, Interval)> = events.iter().copied().enumerate().collect();
    sorted.sort_by_key(|(_, event)| event.earliest());
    sorted
}
