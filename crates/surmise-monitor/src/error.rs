use core::{error::Error, fmt};

/// News of a peer that changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ignored {
    /// The peer is not watched.
    UnknownPeer,
    /// It is news of a former life of the peer.
    OldIncarnation {
        /// The incarnation of which it is news.
        offered: u64,
        /// The latest incarnation of which something was heard.
        latest: u64,
    },
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPeer => f.write_str("the peer is not watched"),
            Self::OldIncarnation { offered, latest } => {
                write!(f, "news of incarnation {offered}, where {latest} is the latest")
            }
        }
    }
}

impl Error for Ignored {}

/// A peer that a [`Monitor`](crate::Monitor) does not watch, with its detector.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotWatched<K, D> {
    /// The peer.
    pub peer: K,
    /// Its detector.
    pub detector: D,
    /// Why it is not watched.
    pub reason: WatchRefusal,
}

/// Only the reason: keys need not be printable, and may not be for every log.
impl<K, D> fmt::Debug for NotWatched<K, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotWatched").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<K, D> fmt::Display for NotWatched<K, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<K, D> Error for NotWatched<K, D> {}

/// Why a [`Monitor`](crate::Monitor) does not watch a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchRefusal {
    /// It is watched already, and its detector stays as it is.
    AlreadyWatched,
    /// There is no room for another.
    Full {
        /// How many peers there can be.
        max_peers: usize,
    },
}

impl fmt::Display for WatchRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyWatched => f.write_str("the peer is watched already"),
            Self::Full { max_peers } => {
                write!(f, "{max_peers} peers are watched, and no more can be")
            }
        }
    }
}

impl Error for WatchRefusal {}
