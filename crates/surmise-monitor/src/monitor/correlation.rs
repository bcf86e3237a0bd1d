use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use surmise_time::Instant;

use crate::CorrelatedExpiry;

/// Notices when many peers expire together, and holds the verdicts back for a while.
///
/// Each peer counts once, however often it expires. O(log n) for n that expired.
#[derive(Clone, Debug)]
pub(crate) struct Correlation<P> {
    config: Option<CorrelatedExpiry>,
    /// When which peers last expired, within the window before the latest.
    recent: BTreeSet<(Instant, P)>,
    last: BTreeMap<P, Instant>,
    held_until: Option<Instant>,
    /// The places of those that expired since the verdicts are held back.
    held: BTreeSet<P>,
}

/// What to do about a peer that expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    Report,
    Hold,
    /// As the first, after so many others.
    BeginToHold {
        expired: usize,
    },
}

impl<P: Copy + Ord> Correlation<P> {
    pub(super) const fn new(config: Option<CorrelatedExpiry>) -> Self {
        Self {
            config,
            recent: BTreeSet::new(),
            last: BTreeMap::new(),
            held_until: None,
            held: BTreeSet::new(),
        }
    }

    /// Decides on the peer in `place`, one of `living`, that expired at `at`.
    pub(super) fn expire(&mut self, place: P, at: Instant, living: usize) -> Expiry {
        let Some(config) = self.config else { return Expiry::Report };
        if self.held_until.is_some() {
            self.held.insert(place);
            return Expiry::Hold;
        }
        self.note(place, at, config.within);
        let expired = self.recent.len();
        let is_share =
            expired.saturating_mul(100) >= living.saturating_mul(usize::from(config.percent));
        if expired < config.peers || !is_share {
            return Expiry::Report;
        }
        self.recent.clear();
        self.last.clear();
        self.held_until = Some(at + config.hold);
        self.held.insert(place);
        Expiry::BeginToHold { expired }
    }

    fn note(&mut self, place: P, at: Instant, within: Duration) {
        if let Some(before) = self.last.insert(place, at) {
            self.recent.remove(&(before, place));
        }
        self.recent.insert((at, place));
        while let Some(&(first, place)) =
            self.recent.first().filter(|(first, _)| at - *first > within)
        {
            self.recent.remove(&(first, place));
            self.last.remove(&place);
        }
    }

    /// Forgets a peer, whose place may be another's soon.
    pub(crate) fn forget(&mut self, place: P) {
        self.held.remove(&place);
        if let Some(at) = self.last.remove(&place) {
            self.recent.remove(&(at, place));
        }
    }

    pub(crate) const fn held_until(&self) -> Option<Instant> {
        self.held_until
    }

    /// Ends the hold, and returns whose verdicts were held back; some may have been heard of since.
    pub(crate) fn release(&mut self) -> BTreeSet<P> {
        self.held_until = None;
        core::mem::take(&mut self.held)
    }
}
