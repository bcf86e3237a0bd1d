use core::{num::NonZeroUsize, time::Duration};
use std::collections::VecDeque;

use surmise_clock::HybridTimestamp;
use surmise_idempotency::{
    Begin, CacheConfig, CacheConfigError, FingerprintKey, IdempotencyCache, Ticket,
};
use surmise_time::Instant;

use crate::failover::message::{Op, Party, Record};

/// What a leader does with requests: it does each once, one after the other, and remembers what it answered.
///
/// What it remembers is in the log, of which every leader makes its cache anew. So there is nothing that could have been
/// done and not remembered, or the other way round.
#[derive(Debug)]
pub(super) struct Service {
    cache: IdempotencyCache<Op, Done>,
    /// The first place that is free.
    length: u64,
    queue: VecDeque<Work>,
    writing: Option<Writing>,
}

/// What is answered to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) slot: u64,
    pub(super) stamp: HybridTimestamp,
}

/// A request on which the leader works.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) from: Party,
    pub(super) op: Op,
    pub(super) amount: u32,
    ticket: Ticket,
    due: Instant,
}

/// A write that the store was asked to do.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) work: Work,
    pub(super) slot: u64,
    pub(super) record: Record,
    /// The number of the write in its tenure, which stays the same if it is asked for again.
    pub(super) sequence: u64,
    pub(super) sent: Instant,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Taken {
    /// It will be answered.
    Queued,
    /// It was done before.
    Replay(Done),
    /// The key was used for another amount, or there is no room.
    Refused,
}

impl Service {
    /// Creates what goes on from a log.
    pub(super) fn new(log: &[Record], now: Instant) -> Result<Self, CacheConfigError> {
        let config = CacheConfig {
            // Nobody gives a ticket back but this service, which ends with the lease.
            lease: KEPT,
            retention: KEPT,
            capacity: NonZeroUsize::MIN.saturating_add(CAPACITY - 1),
            ..CacheConfig::default()
        };
        let mut cache = IdempotencyCache::new(config)?;
        let mut length = 0;
        for record in log {
            let done = Done { slot: length, stamp: record.stamp };
            length += 1;
            if let Begin::Execute(ticket) = cache.begin(&record.op, fingerprint(record.amount), now)
            {
                // It was begun just now, so that the ticket is not void.
                let _ = cache.complete(ticket, done, now);
            }
        }
        Ok(Self { cache, length, queue: VecDeque::new(), writing: None })
    }

    /// Takes a request, to be written when the leader has worked on it until `due`.
    pub(super) fn take(
        &mut self,
        from: Party,
        op: Op,
        amount: u32,
        due: Instant,
        now: Instant,
    ) -> Taken {
        match self.cache.begin(&op, fingerprint(amount), now) {
            Begin::Execute(ticket) | Begin::Recover(ticket) => {
                self.queue.push_back(Work { from, op, amount, ticket, due });
                Taken::Queued
            }
            Begin::InFlight { .. } => Taken::Queued,
            Begin::Replay(done) => Taken::Replay(done),
            Begin::Mismatch | Begin::Full => Taken::Refused,
        }
    }

    /// Returns the next request that is ready to be written, with its place, if no other is being written.
    pub(super) fn ready(&mut self, now: Instant) -> Option<(Work, u64)> {
        if self.writing.is_some() || self.queue.front()?.due > now {
            return None;
        }
        Some((self.queue.pop_front()?, self.length))
    }

    pub(super) fn begin(&mut self, writing: Writing) {
        self.writing = Some(writing);
    }

    pub(super) const fn writing(&self) -> Option<&Writing> {
        self.writing.as_ref()
    }

    /// Takes note that the write is done.
    pub(super) fn finish(&mut self, now: Instant) -> Option<(Party, Record, Done)> {
        let Writing { work, slot, record, .. } = self.writing.take()?;
        let done = Done { slot, stamp: record.stamp };
        self.length = slot + 1;
        let _ = self.cache.complete(work.ticket, done, now);
        Some((work.from, record, done))
    }

    /// Returns whether nothing is being done.
    pub(super) fn is_idle(&self) -> bool {
        self.writing.is_none() && self.queue.is_empty()
    }

    /// Returns when the next request is ready.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.writing {
            Some(_) => None,
            None => self.queue.front().map(|work| work.due),
        }
    }
}

fn fingerprint(amount: u32) -> surmise_idempotency::Fingerprint {
    FingerprintKey::new([0; 16]).of([amount.to_be_bytes()])
}

/// Longer than any run.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// As many writes as the client makes in the longest run if nobody works on them.
const CAPACITY: usize = 500_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failover::{
        client::{PACE, SESSIONS},
        plan::LONGEST_RUN,
    };

    #[test]
    fn there_is_room_for_the_longest_run() {
        let writes = u128::from(SESSIONS) * LONGEST_RUN.as_nanos() / PACE.as_nanos();
        assert!(writes < CAPACITY as u128, "{writes}");
    }
}
