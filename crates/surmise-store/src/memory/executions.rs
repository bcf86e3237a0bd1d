use alloc::collections::BTreeSet;
use std::collections::HashMap;

use surmise_fence::FencingToken;
use surmise_idempotency::Key;
use surmise_time::Instant;

use crate::{
    Claim, Claimed, Settled, Settlement, Ticket,
    idempotency_store::{Next, Record},
};

/// The records of requests.
#[derive(Debug, Default)]
pub(super) struct Executions {
    records: HashMap<Key, Record>,
    /// The same records, by when they are forgotten.
    ends: BTreeSet<(Instant, Key)>,
    latest: Instant,
}

impl Executions {
    /// Answers a claim, if need be with a new token.
    pub(super) fn claim(
        &mut self,
        claim: Claim<'_>,
        token: FencingToken,
        now: Instant,
        max_records: usize,
    ) -> Claimed {
        let now = self.forget(now);
        let record = self.records.get(claim.key()).cloned();
        if record.is_none() && self.records.len() >= max_records {
            return Claimed::Full;
        }
        let (claimed, next) = Record::claim(record, claim, token, now);
        self.put(claim.key(), next);
        claimed
    }

    pub(super) fn settle(
        &mut self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
        now: Instant,
    ) -> Settled {
        let now = self.forget(now);
        let record = self.records.get(ticket.key()).cloned();
        let (settled, next) = Record::settle(record, ticket, settlement, now);
        self.put(ticket.key(), next);
        settled
    }

    fn put(&mut self, key: &Key, next: Next) {
        if let Next::Changed(record) = next {
            self.ends.insert((record.forgotten_at, key.clone()));
            if let Some(before) = self.records.insert(key.clone(), record) {
                // If it is to be forgotten at the same time, there is but one.
                let end = self.records.get(key).map(|record| record.forgotten_at);
                if end != Some(before.forgotten_at) {
                    self.ends.remove(&(before.forgotten_at, key.clone()));
                }
            }
        }
    }

    /// Forgets what is over, and returns the time, which never goes back.
    fn forget(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        while self.ends.first().is_some_and(|(end, _)| *end <= self.latest) {
            if let Some((_, key)) = self.ends.pop_first() {
                self.records.remove(&key);
            }
        }
        self.latest
    }
}
