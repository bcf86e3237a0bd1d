use core::time::Duration;

/// Something that a [`Monitor`](crate::Monitor) found out.
///
/// Of one peer, `Suspected` and `Trusted` alternate, and `Dead` comes only between a `Suspected` and the `Trusted` after
/// it. Durations are in the time that the observer was awake: what it slept through counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Event<K> {
    /// The peer was not heard of in time.
    Suspected {
        /// The peer.
        peer: K,
        /// The latest incarnation of which it was heard.
        incarnation: u64,
        /// Why.
        reason: SuspicionReason,
        /// For how long nothing was heard of it.
        silent_for: Duration,
        /// How long after its deadline that is told, of which `held_for` was on purpose.
        late: Duration,
        /// For how long the verdict was held back, because too many peers expired at once.
        held_for: Duration,
    },
    /// The peer was heard of for the first time, or again.
    Trusted {
        /// The peer.
        peer: K,
        /// The incarnation in which it lives.
        incarnation: u64,
        /// Why.
        reason: TrustReason,
        /// For how long it was suspected or dead; zero if it was not.
        suspected_for: Duration,
    },
    /// The peer was suspected for the whole [grace](crate::Grace). It may live all the same: if it is heard of, it
    /// is trusted again. What must not happen if it lives has to be fenced.
    Dead {
        /// The peer.
        peer: K,
        /// The latest incarnation of which it was heard.
        incarnation: u64,
        /// For how long it was suspected.
        suspected_for: Duration,
        /// How long after the end of the grace that is told.
        late: Duration,
        /// How many others confirmed the suspicion.
        confirmations: usize,
    },
    /// The observer did nothing for so long. All deadlines were moved by as much, and nothing is learned of the
    /// heartbeats that were queued meanwhile.
    ObserverStalled {
        /// The time between two calls.
        gap: Duration,
    },
    /// So many peers expired together that no verdict is given for a while.
    ExpiredTogether {
        /// How many, with this one.
        expired: usize,
        /// Of how many that are watched and not dead.
        watched: usize,
        /// For how long at most.
        held_for: Duration,
    },
}

impl<K> Event<K> {
    /// Returns of which peer it is, if it is of one.
    #[must_use]
    pub const fn peer(&self) -> Option<&K> {
        match self {
            Self::Suspected { peer, .. } | Self::Trusted { peer, .. } | Self::Dead { peer, .. } => {
                Some(peer)
            }
            Self::ObserverStalled { .. } | Self::ExpiredTogether { .. } => None,
        }
    }
}

/// Why a peer is suspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SuspicionReason {
    /// Its detector's deadline passed.
    Silent,
    /// It was watched, or is said to have restarted, and no heartbeat came.
    NeverHeard,
}

/// Why a peer is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TrustReason {
    /// It was heard of for the first time.
    First,
    /// It was heard of in the incarnation in which it was suspected: the suspicion was a mistake, or what cut
    /// it off is over.
    Heartbeat,
    /// It was heard of in a higher incarnation: it restarted.
    Restarted,
    /// Others [said](crate::Monitor::refute) that it lives in a higher incarnation.
    Refuted,
}
