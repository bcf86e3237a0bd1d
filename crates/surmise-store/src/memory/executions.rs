#[cfg(test)]
mod tests;

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

/// How many records that are over are forgotten with each new key: more than one, so that they become fewer, and few,
/// since all others wait for it.
const FORGOTTEN: usize = 4;

impl Executions {
    /// Answers a claim, if need be with a new token.
    pub(super) fn claim(
        &mut self,
        claim: Claim<'_>,
        token: FencingToken,
        now: Instant,
        max_records: usize,
    ) -> Claimed {
        let now = self.at(now);
        let record = self.records.get(claim.key()).cloned();
        if record.is_none() {
            self.forget(now);
            if self.records.len() >= max_records {
                return Claimed::Full;
            }
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
        let now = self.at(now);
        let record = self.records.get(ticket.key()).cloned();
        let (settled, next) = Record::settle(record, ticket, settlement, now);
        self.put(ticket.key(), next);
        settled
    }

    fn put(&mut self, key: &Key, next: Next) {
        let Next::Changed(record) = next else { return };
        let end = record.forgotten_at;
        if let Some(before) = self.records.insert(key.clone(), record) {
            self.ends.remove(&(before.forgotten_at, key.clone()));
        }
        self.ends.insert((end, key.clone()));
    }

    /// Forgets some of what is over.
    fn forget(&mut self, now: Instant) {
        for _ in 0..FORGOTTEN {
            if self.ends.first().is_none_or(|(end, _)| now < *end) {
                return;
            }
            if let Some((_, key)) = self.ends.pop_first() {
                self.records.remove(&key);
            }
        }
    }

    /// Returns the time, which never goes back.
    fn at(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }
}
