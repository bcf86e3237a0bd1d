use core::{error::Error, fmt};

use crate::{ReadWriteError, ReadWriteQuorum, ReadWriteSizes, Threshold, ThresholdError};

/// How many votes each node has, in the order of the nodes.
///
/// A node that is more reliable or closer has more of them, so that fewer nodes are a quorum while it is there
/// (Gifford, "Weighted Voting for Replicated Data", SOSP 1979, <https://doi.org/10.1145/800215.806583>). His *weak
/// representatives*, which have no votes, are caches and no voters: leave them out.
///
/// # Examples
///
/// ```
/// use surmise_quorum::{ReadWriteSizes, Weights};
///
/// // One of Gifford's examples: a server with two votes, and two with one each.
/// let weights = Weights::new(&[2, 1, 1])?;
/// let quorum = weights.read_write(ReadWriteSizes { read: 2, write: 3 })?;
/// assert!(quorum.read().is_reached(weights.votes_of(&[true, false, false])));
/// assert!(!quorum.write().is_reached(weights.votes_of(&[false, true, true])));
/// // Writes need the first; reads can do without any one of them.
/// assert_eq!([quorum.read().tolerates(), quorum.write().tolerates()], [1, 0]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weights<'a> {
    weights: &'a [usize],
    total: usize,
}

impl<'a> Weights<'a> {
    /// Takes the votes of each node, in O(n).
    ///
    /// # Errors
    ///
    /// If there are no nodes, if one of them has no vote, or if all have more than can be counted.
    pub const fn new(weights: &'a [usize]) -> Result<Self, WeightsError> {
        if weights.is_empty() {
            return Err(WeightsError::NoNodes);
        }
        let (mut total, mut node) = (0_usize, 0);
        let mut rest = weights;
        while let [weight, others @ ..] = rest {
            if *weight == 0 {
                return Err(WeightsError::ZeroWeight { node });
            }
            total = match total.checked_add(*weight) {
                Some(sum) => sum,
                None => return Err(WeightsError::Overflow { node, weight: *weight, sum: total }),
            };
            (rest, node) = (others, node + 1);
        }
        Ok(Self { weights, total })
    }

    /// Returns how many nodes there are.
    #[must_use]
    pub const fn nodes(self) -> usize {
        self.weights.len()
    }

    /// Returns how many votes all nodes have.
    #[must_use]
    pub const fn total(self) -> usize {
        self.total
    }

    /// Returns the votes of those nodes whose place says `true`, in O(n).
    ///
    /// A node beyond the end of `voted` has not voted, and a place beyond the last node has no votes.
    #[must_use]
    pub const fn votes_of(self, voted: &[bool]) -> usize {
        let (mut votes, mut nodes, mut voted) = (0, self.weights, voted);
        while let ([weight, other_nodes @ ..], [has_voted, others @ ..]) = (nodes, voted) {
            if *has_voted {
                votes += *weight;
            }
            (nodes, voted) = (other_nodes, others);
        }
        votes
    }

    /// Returns the quorum of more than half of the votes: any two have a node in common.
    #[must_use]
    pub const fn majority(self) -> WeightedQuorum<'a> {
        // Each node has a vote, so that the total is not zero.
        let threshold = Threshold::within(self.total / 2 + 1, self.total);
        WeightedQuorum { weights: self, threshold }
    }

    /// Returns the quorum of so many votes. Nothing is promised about two of them.
    ///
    /// # Errors
    ///
    /// If none are needed, or more than there are.
    pub const fn quorum(self, size: usize) -> Result<WeightedQuorum<'a>, ThresholdError> {
        match Threshold::new(size, self.total) {
            Ok(threshold) => Ok(WeightedQuorum { weights: self, threshold }),
            Err(error) => Err(error),
        }
    }

    /// Returns quorums for reads and writes: no read misses a write, and no two writes miss each other.
    ///
    /// # Errors
    ///
    /// If a quorum is empty or larger than the total, if a read could miss a write, or a write another.
    pub const fn read_write(
        self,
        sizes: ReadWriteSizes,
    ) -> Result<WeightedReadWriteQuorum<'a>, ReadWriteError> {
        match ReadWriteQuorum::new(self.total, sizes) {
            Ok(votes) => Ok(WeightedReadWriteQuorum { weights: self, votes }),
            Err(error) => Err(error),
        }
    }

    /// Returns the greatest number of nodes, whichever they are, that have no more votes than these.
    const fn nodes_within(self, mut votes: usize) -> usize {
        let mut nodes = 0;
        let mut heaviest = heaviest_below(self.weights, None);
        while let Some((weight, number)) = heaviest {
            // No overflow: it is a part of the total.
            if weight * number > votes {
                return nodes + votes / weight;
            }
            votes -= weight * number;
            nodes += number;
            heaviest = heaviest_below(self.weights, Some(weight));
        }
        nodes
    }
}

/// Returns the greatest weight, below one if there is one, and how many nodes have it.
const fn heaviest_below(weights: &[usize], bound: Option<usize>) -> Option<(usize, usize)> {
    let mut heaviest: Option<(usize, usize)> = None;
    let mut rest = weights;
    while let [weight, others @ ..] = rest {
        rest = others;
        if matches!(bound, Some(bound) if *weight >= bound) {
            continue;
        }
        heaviest = match heaviest {
            Some((greatest, number)) if greatest == *weight => Some((greatest, number + 1)),
            Some((greatest, number)) if greatest > *weight => Some((greatest, number)),
            _ => Some((*weight, 1)),
        };
    }
    heaviest
}

/// So many votes of nodes that have [`Weights`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeightedQuorum<'a> {
    weights: Weights<'a>,
    threshold: Threshold,
}

impl<'a> WeightedQuorum<'a> {
    /// Returns how many votes are needed.
    #[must_use]
    pub const fn size(self) -> usize {
        self.threshold.size()
    }

    /// Returns how many votes each node has.
    #[must_use]
    pub const fn weights(self) -> Weights<'a> {
        self.weights
    }

    /// Returns how many nodes may fail, whichever they are, without keeping the others from being a quorum.
    ///
    /// Which means those with the most votes. Takes O(n) for each different weight.
    #[must_use]
    pub const fn tolerates(self) -> usize {
        self.weights.nodes_within(self.threshold.tolerates())
    }

    /// Returns whether so many votes are a quorum. They must be of different nodes, as
    /// [`votes_of`](Weights::votes_of) counts them.
    #[must_use]
    pub const fn is_reached(self, votes: usize) -> bool {
        self.threshold.is_reached(votes)
    }
}

/// How many votes a read and a write need of nodes that have [`Weights`]: R + W > N and W + W > N, where N are all
/// votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeightedReadWriteQuorum<'a> {
    weights: Weights<'a>,
    votes: ReadWriteQuorum,
}

impl<'a> WeightedReadWriteQuorum<'a> {
    /// Returns the votes that a read needs.
    #[must_use]
    pub const fn read(self) -> WeightedQuorum<'a> {
        WeightedQuorum { weights: self.weights, threshold: self.votes.read() }
    }

    /// Returns the votes that a write needs.
    #[must_use]
    pub const fn write(self) -> WeightedQuorum<'a> {
        WeightedQuorum { weights: self.weights, threshold: self.votes.write() }
    }
}

/// Why nodes cannot have such weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightsError {
    /// There are no nodes.
    NoNodes,
    /// A node has no vote, and so is no voter.
    ZeroWeight {
        /// Its place, from 0.
        node: usize,
    },
    /// All together have more votes than can be counted.
    Overflow {
        /// The place, from 0, of the first node that is too much.
        node: usize,
        /// How many votes it has.
        weight: usize,
        /// How many votes those before it have.
        sum: usize,
    },
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNodes => f.write_str("a cluster of no nodes has no votes"),
            Self::ZeroWeight { node } => write!(f, "node {node} has no vote: leave it out"),
            Self::Overflow { node, weight, sum } => write!(
                f,
                "node {node} has {weight} votes, which with the {sum} of those before it are more than can be counted"
            ),
        }
    }
}

impl Error for WeightsError {}
