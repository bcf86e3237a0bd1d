use core::{fmt, hash::Hash};

use surmise_detector::{AccrualDetector, FailureDetector, Verdict};
use surmise_time::Instant;

use super::Monitor;
use crate::PeerStatus;

/// What is known.
impl<K: Eq + Hash, D: FailureDetector> Monitor<K, D> {
    /// Returns the verdict that was last reported of a peer, if it is watched.
    #[must_use]
    pub fn verdict(&self, peer: &K) -> Option<Verdict> {
        self.fleet.verdict(self.fleet.find(peer)?)
    }

    /// Returns what is known of a peer, if it is watched.
    #[must_use]
    pub fn status(&self, peer: &K) -> Option<PeerStatus> {
        self.fleet.status(self.fleet.find(peer)?, &self.guards.observer)
    }

    /// Returns how strongly a peer is to be suspected at `now`, on the scale of its detector, if it is watched. While
    /// the observer is stalled it stays as it was. It knows nothing of time that is given again after a stall: a peer can be
    /// beyond its threshold and trusted.
    #[must_use]
    pub fn suspicion_level(&self, peer: &K, now: Instant) -> Option<f64>
    where
        D: AccrualDetector,
    {
        let now = self.guards.observer.awake_at(now);
        self.fleet.suspicion_level(self.fleet.find(peer)?, now)
    }

    /// Returns the peers with what is known of them, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&K, PeerStatus)> {
        self.fleet.iter(&self.guards.observer)
    }
}

impl<K, D> Monitor<K, D> {
    /// Returns how many peers are watched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fleet.len()
    }

    /// Returns whether nobody is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how much the observer should doubt itself, at its latest call.
    #[must_use]
    pub fn health_score(&self) -> u8 {
        self.guards.health_score()
    }
}

/// Only the numbers: keys and detectors need not be printable, and there may be a million.
impl<K, D> fmt::Debug for Monitor<K, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("peers", &self.fleet.len())
            .field("suspected", &self.fleet.suspected())
            .field("dead", &self.fleet.dead())
            .finish_non_exhaustive()
    }
}
