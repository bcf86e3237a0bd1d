use alloc::{collections::VecDeque, vec::Vec};

use surmise_time::Instant;

use crate::CorrelatedExpiry;

/// Notices when many peers expire together, and holds the verdicts back for a while.
#[derive(Clone, Debug)]
pub(crate) struct Correlation<P> {
    config: Option<CorrelatedExpiry>,
    /// When peers expired, within the window before the latest.
    recent: VecDeque<Instant>,
    held_until: Option<Instant>,
    /// The places of those that expired since the verdicts are held back, in order.
    held: Vec<P>,
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

impl<P> Correlation<P> {
    pub(super) const fn new(config: Option<CorrelatedExpiry>) -> Self {
        Self { config, recent: VecDeque::new(), held_until: None, held: Vec::new() }
    }

    /// Decides on the peer in `place`, one of `living`, that expired at `at`.
    pub(super) fn expire(&mut self, place: P, at: Instant, living: usize) -> Expiry {
        let Some(config) = self.config else { return Expiry::Report };
        if self.held_until.is_some() {
            self.held.push(place);
            return Expiry::Hold;
        }
        while self.recent.front().is_some_and(|&first| at - first > config.within) {
            self.recent.pop_front();
        }
        self.recent.push_back(at);
        let expired = self.recent.len();
        let is_share =
            expired.saturating_mul(100) >= living.saturating_mul(usize::from(config.percent));
        if expired < config.peers || !is_share {
            return Expiry::Report;
        }
        self.recent.clear();
        self.held_until = Some(at + config.hold);
        self.held.push(place);
        Expiry::BeginToHold { expired }
    }

    pub(crate) const fn held_until(&self) -> Option<Instant> {
        self.held_until
    }

    /// Ends the hold, and returns whose verdicts were held back; some may have been heard of since.
    pub(crate) fn release(&mut self) -> Vec<P> {
        self.held_until = None;
        core::mem::take(&mut self.held)
    }
}
