//! Sets of few nodes, as the bits of a number.

/// Returns all sets of so many nodes.
pub(crate) fn subsets(nodes: usize) -> impl Iterator<Item = u32> {
    0..1 << nodes
}

/// Returns the sets of so many nodes that are quorums.
pub(crate) fn quorums(nodes: usize, is_quorum: impl Fn(u32) -> bool) -> Vec<u32> {
    subsets(nodes).filter(|&set| is_quorum(set)).collect()
}

pub(crate) fn size(set: u32) -> usize {
    set.count_ones() as usize
}

/// Returns the fewest nodes that a set of the first kind has in common with one of the second.
pub(crate) fn fewest_in_common(first: &[u32], second: &[u32]) -> usize {
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| a & b));
    pairs.map(size).min().expect("there is a quorum of each kind")
}
