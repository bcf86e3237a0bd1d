use core::time::Duration;
use std::collections::BTreeMap;

use surmise_time::Instant;

use crate::failover::message::Party;

/// The questions to the store that are under way.
#[derive(Debug)]
pub(super) struct Asks {
    patience: Duration,
    next: u64,
    under_way: BTreeMap<u64, Asked>,
}

/// A question to the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) purpose: Purpose,
    pub(super) sent: Instant,
}

/// What a question is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Acquire {
        nonce: u64,
    },
    Renew,
    Raise,
    Load {
        slot: u64,
    },
    Write,
    /// The client reads.
    Read {
        from: Party,
        id: u64,
    },
    /// What becomes of it is of no account.
    Release,
}

impl Asks {
    pub(super) const fn new(patience: Duration) -> Self {
        Self { patience, next: 0, under_way: BTreeMap::new() }
    }

    /// Takes note of a question, and returns its number.
    pub(super) fn ask(&mut self, purpose: Purpose, sent: Instant) -> u64 {
        self.next += 1;
        self.under_way.insert(self.next, Asked { purpose, sent });
        self.next
    }

    /// Returns the question to which this is the answer, unless it was given up.
    pub(super) fn answered(&mut self, ask: u64) -> Option<Asked> {
        self.under_way.remove(&ask)
    }

    /// Returns a question that was not answered in time, which is given up.
    pub(super) fn given_up(&mut self, now: Instant) -> Option<Asked> {
        // They are asked in the order of their numbers.
        let oldest = self.under_way.first_entry()?;
        (oldest.get().sent + self.patience <= now).then(|| oldest.remove())
    }

    /// Forgets the questions of a tenure that is over.
    pub(super) fn forget_tenure(&mut self) {
        self.under_way.retain(|_, asked| match asked.purpose {
            Purpose::Read { .. } | Purpose::Release => true,
            Purpose::Acquire { .. } | Purpose::Renew | Purpose::Raise => false,
            Purpose::Load { .. } | Purpose::Write => false,
        });
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        Some(self.under_way.first_key_value()?.1.sent + self.patience)
    }
}
