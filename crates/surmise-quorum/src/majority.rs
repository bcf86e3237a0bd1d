use core::{error::Error, fmt};

use crate::Threshold;

/// More than half of the nodes, so that any two majorities have a node in common.
///
/// The node that is in both is what carries a decision from one majority to the next (Thomas, "A Majority Consensus
/// Approach to Concurrency Control for Multiple Copy Databases", ACM TODS 4(2), 1979,
/// <https://doi.org/10.1145/320071.320076>). Nodes may stop and restart, and must not lie; for those that lie there
/// is [`ByzantineQuorum`](crate::ByzantineQuorum).
///
/// An even number of nodes tolerates no more failures than one node fewer does.
///
/// # Examples
///
/// ```
/// use surmise_quorum::{Majority, NoNodes};
///
/// const CLUSTER: Majority = match Majority::new(5) {
///     Ok(majority) => majority,
///     Err(NoNodes { .. }) => panic!("a cluster has nodes"),
/// };
/// assert_eq!((CLUSTER.size(), CLUSTER.tolerates()), (3, 2));
/// assert!(CLUSTER.is_reached(3) && !CLUSTER.is_reached(2));
/// assert_eq!(Majority::new(6)?.tolerates(), 2);
/// # Ok::<(), NoNodes>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "usize", into = "usize"))]
pub struct Majority {
    nodes: usize,
}

impl Majority {
    /// Creates the majority of so many nodes.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub const fn new(nodes: usize) -> Result<Self, NoNodes> {
        if nodes == 0 { Err(NoNodes) } else { Ok(Self { nodes }) }
    }

    /// Returns how many nodes there are.
    #[must_use]
    pub const fn nodes(self) -> usize {
        self.nodes
    }

    /// Returns how many nodes are a majority: ⌊n/2⌋ + 1.
    #[must_use]
    pub const fn size(self) -> usize {
        self.nodes / 2 + 1
    }

    /// Returns how many nodes may fail without keeping the others from being a majority.
    #[must_use]
    pub const fn tolerates(self) -> usize {
        self.threshold().tolerates()
    }

    /// Returns whether so many votes are a majority. They must be of different nodes.
    #[must_use]
    pub const fn is_reached(self, votes: usize) -> bool {
        self.threshold().is_reached(votes)
    }

    /// Returns the votes that are needed, and of how many.
    #[must_use]
    pub const fn threshold(self) -> Threshold {
        Threshold::within(self.size(), self.nodes)
    }
}

impl From<Majority> for Threshold {
    fn from(majority: Majority) -> Self {
        majority.threshold()
    }
}

#[cfg(feature = "serde")]
impl TryFrom<usize> for Majority {
    type Error = NoNodes;

    fn try_from(nodes: usize) -> Result<Self, NoNodes> {
        Self::new(nodes)
    }
}

#[cfg(feature = "serde")]
impl From<Majority> for usize {
    fn from(majority: Majority) -> Self {
        majority.nodes
    }
}

/// A cluster of no nodes has no quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoNodes;

impl fmt::Display for NoNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cluster of no nodes has no quorum")
    }
}

impl Error for NoNodes {}
