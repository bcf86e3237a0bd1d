use core::{error::Error, fmt};

use crate::{Threshold, ThresholdError};

/// How many nodes a read must ask and a write must reach, so that no read misses a write and no two writes miss each
/// other.
///
/// Of N nodes a read asks R and a write reaches W, where R + W > N and W + W > N. The first is Gifford's rule
/// ("Weighted Voting for Replicated Data", SOSP 1979, <https://doi.org/10.1145/800215.806583>), the second
/// Thomas's; together they are *quorum consensus* (Bernstein, Hadzilacos and Goodman, "Concurrency Control and Recovery in
/// Database Systems", 1987, chapter 8). Nodes may hold more than one vote each in
/// [`WeightedReadWriteQuorum`](crate::WeightedReadWriteQuorum).
///
/// That a read meets the last write makes it *possible* to return it: the reader still has to tell which of the
/// replies is the latest, by a version or a timestamp.
///
/// # Examples
///
/// ```
/// use surmise_quorum::{ReadWriteError, ReadWriteQuorum, ReadWriteSizes};
///
/// // Reads are frequent and ask two of five nodes; so writes must reach four.
/// let quorum = ReadWriteQuorum::new(5, ReadWriteSizes { read: 2, write: 4 })?;
/// assert!(quorum.read().is_reached(2) && !quorum.write().is_reached(3));
/// assert_eq!([quorum.read().tolerates(), quorum.write().tolerates()], [3, 1]);
///
/// let short = ReadWriteQuorum::new(5, ReadWriteSizes { read: 2, write: 3 });
/// assert_eq!(short, Err(ReadWriteError::ReadMissesWrite { read: 2, write: 3, total: 5 }));
/// # Ok::<(), ReadWriteError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Parts", into = "Parts"))]
pub struct ReadWriteQuorum {
    read: Threshold,
    write: Threshold,
}

/// How many votes a read and a write need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct ReadWriteSizes {
    /// How many votes a read needs (R), from 1. Higher means that writes need fewer, down to a majority.
    pub read: usize,
    /// How many votes a write needs (W), from a majority. Higher means that reads need fewer, and that fewer failures
    /// keep writes from being done.
    pub write: usize,
}

impl ReadWriteQuorum {
    /// Creates the quorums of so many nodes.
    ///
    /// # Errors
    ///
    /// If a quorum is empty or larger than the cluster, if a read could miss a write, or a write another.
    pub const fn new(nodes: usize, sizes: ReadWriteSizes) -> Result<Self, ReadWriteError> {
        let read = match Threshold::new(sizes.read, nodes) {
            Ok(read) => read,
            Err(error) => return Err(ReadWriteError::Read(error)),
        };
        let write = match Threshold::new(sizes.write, nodes) {
            Ok(write) => write,
            Err(error) => return Err(ReadWriteError::Write(error)),
        };
        // Either quorum is at most the total, so that these subtractions are exact where a sum could overflow.
        let ReadWriteSizes { read: r, write: w } = sizes;
        if r <= nodes - w {
            return Err(ReadWriteError::ReadMissesWrite { read: r, write: w, total: nodes });
        }
        if w <= nodes - w {
            return Err(ReadWriteError::WriteMissesWrite { write: w, total: nodes });
        }
        Ok(Self { read, write })
    }

    /// Returns the votes that a read needs.
    #[must_use]
    pub const fn read(self) -> Threshold {
        self.read
    }

    /// Returns the votes that a write needs.
    #[must_use]
    pub const fn write(self) -> Threshold {
        self.write
    }
}

/// What is written of the quorums, and checked when it is read.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    nodes: usize,
    read: usize,
    write: usize,
}

#[cfg(feature = "serde")]
impl From<ReadWriteQuorum> for Parts {
    fn from(quorum: ReadWriteQuorum) -> Self {
        let ReadWriteQuorum { read, write } = quorum;
        Self { nodes: write.total(), read: read.size(), write: write.size() }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Parts> for ReadWriteQuorum {
    type Error = ReadWriteError;

    fn try_from(parts: Parts) -> Result<Self, ReadWriteError> {
        let Parts { nodes, read, write } = parts;
        Self::new(nodes, ReadWriteSizes { read, write })
    }
}

/// Why there are no such quorums for reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadWriteError {
    /// There is no such quorum for reads.
    Read(ThresholdError),
    /// There is no such quorum for writes.
    Write(ThresholdError),
    /// A read could miss a write: R + W is not above N.
    ReadMissesWrite {
        /// How many votes a read needs (R).
        read: usize,
        /// How many votes a write needs (W).
        write: usize,
        /// How many votes there are (N).
        total: usize,
    },
    /// Two writes could miss each other: W + W is not above N.
    WriteMissesWrite {
        /// How many votes a write needs (W).
        write: usize,
        /// How many votes there are (N).
        total: usize,
    },
}

impl fmt::Display for ReadWriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "reads: {error}"),
            Self::Write(error) => write!(f, "writes: {error}"),
            Self::ReadMissesWrite { read, write, total } => write!(
                f,
                "a read of {read} votes can miss a write of {write}: together they are not more than the {total} that \
                 there are"
            ),
            Self::WriteMissesWrite { write, total } => write!(
                f,
                "two writes of {write} votes can miss each other: together they are not more than the {total} that \
                 there are"
            ),
        }
    }
}

impl Error for ReadWriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read(error) | Self::Write(error) => Some(error),
            _ => None,
        }
    }
}
