use core::{error::Error, fmt};

use crate::{NoNodes, Threshold};

/// So many nodes that any two quorums have a correct one in common, though some nodes lie.
///
/// With f nodes that may do anything, 3f + 1 are the fewest that can agree (Pease, Shostak and Lamport, "Reaching
/// Agreement in the Presence of Faults", JACM 27(2), 1980, <https://doi.org/10.1145/322186.322188>; Lamport, Shostak
/// and Pease, "The Byzantine Generals Problem", ACM TOPLAS 4(3), 1982, <https://doi.org/10.1145/357172.357176>), and
/// quorums of 2f + 1 do it (Castro and Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999,
/// <https://www.usenix.org/conference/osdi-99/practical-byzantine-fault-tolerance>). For any other n they are
/// ⌈(n + f + 1) / 2⌉: then two have f + 1 nodes in common, and the n − f that are correct are a quorum by themselves
/// (the *dissemination* quorums of Malkhi and Reiter, "Byzantine Quorum Systems", Distributed Computing 11(4), 1998,
/// <https://doi.org/10.1007/s004460050050>).
///
/// This is enough for votes that nobody can forge, signed ones for example. It is not enough for data that nodes can
/// make up: that takes the larger *masking* quorums of the same paper, of more than 4f nodes.
///
/// # Examples
///
/// ```
/// use surmise_quorum::ByzantineQuorum;
///
/// let quorum = ByzantineQuorum::tolerating(1)?;
/// assert_eq!((quorum.nodes(), quorum.size(), quorum.tolerates()), (4, 3, 1));
///
/// // Two more nodes do not make it safe against two liars. But two that say nothing do not stop it.
/// let larger = ByzantineQuorum::new(6)?;
/// assert_eq!((larger.size(), larger.tolerates()), (4, 1));
/// assert_eq!(larger.threshold().tolerates(), 2);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts", into = "Parts"))]
pub struct ByzantineQuorum {
    nodes: usize,
    faults: usize,
}

impl ByzantineQuorum {
    /// Creates the quorum of so many nodes that tolerates as many faults as they can: ⌊(n − 1) / 3⌋.
    ///
    /// # Errors
    ///
    /// If there are no nodes.
    pub const fn new(nodes: usize) -> Result<Self, NoNodes> {
        match nodes.checked_sub(1) {
            Some(others) => Ok(Self { nodes, faults: others / 3 }),
            None => Err(NoNodes),
        }
    }

    /// Creates the quorum of the fewest nodes that tolerate so many faults: of 3f + 1.
    ///
    /// # Errors
    ///
    /// If so many nodes cannot be counted.
    pub const fn tolerating(faults: usize) -> Result<Self, TooManyFaults> {
        match faults.checked_mul(3) {
            Some(others) if others < usize::MAX => Ok(Self { nodes: others + 1, faults }),
            _ => Err(TooManyFaults { faults }),
        }
    }

    /// Creates the quorum of so many nodes that tolerates so many faults, and may be smaller than if it tolerated
    /// more.
    ///
    /// # Errors
    ///
    /// If there are fewer nodes than 3f + 1.
    pub const fn with_faults(nodes: usize, faults: usize) -> Result<Self, TooFewNodes> {
        match nodes.checked_sub(1) {
            Some(others) if faults <= others / 3 => Ok(Self { nodes, faults }),
            _ => Err(TooFewNodes { nodes, faults }),
        }
    }

    /// Returns how many nodes there are.
    #[must_use]
    pub const fn nodes(self) -> usize {
        self.nodes
    }

    /// Returns how many nodes are a quorum: ⌈(n + f + 1) / 2⌉, which for n = 3f + 1 is 2f + 1.
    #[must_use]
    pub const fn size(self) -> usize {
        // ⌈(n + f + 1) / 2⌉ = ⌊(n + f) / 2⌋ + 1, without the sum, which may overflow.
        self.faults + (self.nodes - self.faults) / 2 + 1
    }

    /// Returns how many nodes may do anything, lies and silence included (f).
    ///
    /// Of nodes that are merely silent, as many may be as
    /// [`threshold().tolerates()`](Threshold::tolerates) says, which is as many or more.
    #[must_use]
    pub const fn tolerates(self) -> usize {
        self.faults
    }

    /// Returns whether so many votes are a quorum. They must be of different nodes, and authenticated.
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

impl From<ByzantineQuorum> for Threshold {
    fn from(quorum: ByzantineQuorum) -> Self {
        quorum.threshold()
    }
}

/// What is written of the quorum, and checked when it is read.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    nodes: usize,
    faults: usize,
}

#[cfg(feature = "serde")]
impl From<ByzantineQuorum> for Parts {
    fn from(quorum: ByzantineQuorum) -> Self {
        Self { nodes: quorum.nodes, faults: quorum.faults }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for ByzantineQuorum {
    type Error = TooFewNodes;

    fn try_from(parts: Parts) -> Result<Self, TooFewNodes> {
        Self::with_faults(parts.nodes, parts.faults)
    }
}

/// So many nodes do not tolerate so many Byzantine faults: 3f + 1 are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooFewNodes {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them may be faulty.
    pub faults: usize,
}

impl fmt::Display for TooFewNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nodes, faults } = self;
        write!(
            f,
            "{nodes} nodes cannot tolerate {faults} that lie: it takes more than three times as many"
        )
    }
}

impl Error for TooFewNodes {}

/// The 3f + 1 nodes that tolerate so many Byzantine faults are more than can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooManyFaults {
    /// How many nodes may be faulty.
    pub faults: usize,
}

impl fmt::Display for TooManyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} nodes that lie take more nodes to tolerate than can be counted", self.faults)
    }
}

impl Error for TooManyFaults {}
