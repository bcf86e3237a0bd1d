use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
};

use hashbrown::{DefaultHashBuilder, HashTable};
use surmise_time::Instant;

use super::{
    records::{Queue, Record, Records, State},
    room::Room,
    tokens::Tokens,
};
use crate::{Begin, CacheConfig, CacheStats, Fenced, Fingerprint, Keep, Ticket, WhenFull};

pub(crate) type Hasher = DefaultHashBuilder;

/// The keys of a cache, or of one of its shards.
///
/// Hashes come from [`hash`](Self::hash), or from a clone of the same hasher.
pub(crate) struct Table<K, V, C, R> {
    config: CacheConfig,
    /// The slots of the keys.
    index: HashTable<u32>,
    records: Records<K, V, C>,
    hasher: Hasher,
    room: R,
    tokens: Tokens,
    latest: Instant,
    stats: CacheStats,
}

/// How many records, of each queue, a new one may put out whose time is over. More than one, so that there are ever fewer
/// of them; few, so that none has to wait for it.
const EXPIRED_AT_ONCE: usize = 2;

impl<K: Eq + Hash, V, C, R: Room> Table<K, V, C, R> {
    /// Creates a table with memory for so many keys. How many it may have is up to the room.
    pub(crate) fn new(config: CacheConfig, hasher: Hasher, reserved: usize, room: R) -> Self {
        Self {
            config,
            index: HashTable::with_capacity(reserved),
            records: Records::with_capacity(reserved),
            hasher,
            room,
            tokens: Tokens::new(config.epoch),
            latest: Instant::ORIGIN,
            stats: CacheStats::default(),
        }
    }

    #[inline]
    pub(crate) fn begin<Q>(
        &mut self,
        hash: u64,
        key: &Q,
        fingerprint: Fingerprint,
        now: Instant,
    ) -> Begin<V, C>
    where
        K: Borrow<Q>,
        Q: Eq + ToOwned<Owned = K> + ?Sized,
        V: Clone,
        C: Clone,
    {
        let now = self.advance(now);
        if let Some(slot) = self.find(hash, key) {
            match self.begin_known(slot, fingerprint, now) {
                Some(begin) => return begin,
                None => self.forget_over(slot, hash),
            }
        }
        self.begin_new(hash, key, fingerprint, now)
    }

    /// Says what to do about a key that was seen before, unless its time is over.
    #[inline]
    fn begin_known(
        &mut self,
        slot: u32,
        fingerprint: Fingerprint,
        now: Instant,
    ) -> Option<Begin<V, C>>
    where
        V: Clone,
        C: Clone,
    {
        if self.is_over(slot, now) {
            return None;
        }
        let record = self.records.get_mut(slot)?;
        if record.fingerprint != fingerprint {
            return Some(Begin::Mismatch);
        }
        match &mut record.state {
            State::Completed { value, .. } => Some(Begin::Replay(value.clone())),
            State::InFlight { .. } if now < record.until => {
                Some(Begin::InFlight { retry_after: record.until - now })
            }
            State::InFlight { counter, checkpoint } => {
                *counter = self.tokens.next();
                let token = self.tokens.token(*counter);
                let checkpoint = checkpoint.clone();
                self.records.requeue(slot, now + self.config.lease);
                Some(Begin::Recover(Ticket::new(token, slot, checkpoint)))
            }
        }
    }

    fn begin_new<Q>(
        &mut self,
        hash: u64,
        key: &Q,
        fingerprint: Fingerprint,
        now: Instant,
    ) -> Begin<V, C>
    where
        Q: ToOwned<Owned = K> + ?Sized,
    {
        self.expire(now, EXPIRED_AT_ONCE);
        if !self.room.take() && !(self.evict() && self.room.take()) {
            return Begin::Full;
        }
        let counter = self.tokens.next();
        let record = Record::new(key.to_owned(), fingerprint, now + self.config.lease, counter);
        let slot = self.records.add(record);
        let Self { index, records, hasher, .. } = self;
        index.insert_unique(hash, slot, |&slot| {
            records.get(slot).map_or(0, |record| hasher.hash_one(&record.key))
        });
        Begin::Execute(Ticket::new(self.tokens.token(counter), slot, None))
    }

    #[inline]
    pub(crate) fn complete(
        &mut self,
        ticket: &Ticket<C>,
        value: V,
        keep: Keep,
        now: Instant,
    ) -> Result<(), Fenced<V>> {
        let now = self.advance(now);
        if !self.is_valid(ticket) {
            return Err(Fenced::new(ticket.token(), value));
        }
        let retention = match keep {
            Keep::Long => self.config.retention,
            Keep::Briefly => self.config.brief_retention,
        };
        self.records.update(ticket.slot, now + retention, State::Completed { value, keep });
        Ok(())
    }

    pub(crate) fn release(&mut self, ticket: &Ticket<C>) -> Result<(), Fenced> {
        if !self.is_valid(ticket) {
            return Err(Fenced::new(ticket.token(), ()));
        }
        self.forget(ticket.slot, self.hash_of(ticket.slot));
        Ok(())
    }

    pub(crate) fn renew(&mut self, ticket: &Ticket<C>, now: Instant) -> Result<(), Fenced> {
        let now = self.advance(now);
        if !self.is_valid(ticket) {
            return Err(Fenced::new(ticket.token(), ()));
        }
        self.records.requeue(ticket.slot, now + self.config.lease);
        Ok(())
    }

    pub(crate) fn save(&mut self, ticket: &Ticket<C>, saved: C) -> Result<(), Fenced<C>> {
        if let Some(checkpoint) = self.checkpoint(ticket) {
            *checkpoint = Some(saved);
            return Ok(());
        }
        Err(Fenced::new(ticket.token(), saved))
    }

    /// Forgets the records whose time is over, so many of each queue at most, and returns how many there were.
    pub(crate) fn expire(&mut self, now: Instant, at_most: usize) -> usize {
        let now = self.advance(now);
        let before = self.records.len();
        for queue in [Queue::Retention, Queue::BriefRetention, Queue::Lease] {
            for _ in 0..at_most {
                match self.records.first(queue) {
                    Some(first) if self.is_over(first, now) => {
                        self.forget_over(first, self.hash_of(first));
                    }
                    _ => break,
                }
            }
        }
        before - self.records.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn config(&self) -> CacheConfig {
        self.config
    }

    pub(crate) fn stats(&self) -> CacheStats {
        self.stats
    }

    #[inline]
    pub(crate) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Returns the time, which never goes back.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }

    #[inline]
    fn find<Q>(&self, hash: u64, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let is_it = |&slot: &u32| {
            self.records.get(slot).is_some_and(|record| record.key.borrow() == key)
        };
        self.index.find(hash, is_it).copied()
    }

    /// Returns whether a record is to be forgotten: its retention is over. Of what never completed, it begins at the end
    /// of the lease.
    fn is_over(&self, slot: u32, now: Instant) -> bool {
        self.records.get(slot).is_none_or(|record| match record.state {
            State::InFlight { .. } => now >= record.until + self.config.retention,
            State::Completed { .. } => now >= record.until,
        })
    }

    fn is_valid(&mut self, ticket: &Ticket<C>) -> bool {
        self.checkpoint(ticket).is_some()
    }

    /// Returns where the checkpoint of a ticket is, if it is valid.
    fn checkpoint(&mut self, ticket: &Ticket<C>) -> Option<&mut Option<C>> {
        match &mut self.records.get_mut(ticket.slot)?.state {
            State::InFlight { counter, checkpoint }
                if self.tokens.token(*counter) == ticket.token() =>
            {
                Some(checkpoint)
            }
            State::InFlight { .. } | State::Completed { .. } => None,
        }
    }

    /// Makes room by forgetting the result that was completed first, if that is what was asked for.
    fn evict(&mut self) -> bool {
        let is_allowed = self.config.when_full == WhenFull::EvictOldest;
        let oldest = [Queue::BriefRetention, Queue::Retention].map(|queue| self.records.first(queue));
        match oldest.into_iter().flatten().next() {
            Some(oldest) if is_allowed => {
                self.forget(oldest, self.hash_of(oldest));
                self.stats.evicted += 1;
                true
            }
            _ => false,
        }
    }

    fn hash_of(&self, slot: u32) -> u64 {
        self.records.get(slot).map_or(0, |record| self.hasher.hash_one(&record.key))
    }

    /// Forgets a record whose time is over.
    fn forget_over(&mut self, slot: u32, hash: u64) {
        if let Some(Record { state: State::InFlight { .. }, .. }) = self.forget(slot, hash) {
            self.stats.abandoned += 1;
        }
    }

    fn forget(&mut self, slot: u32, hash: u64) -> Option<Record<K, V, C>> {
        self.index.find_entry(hash, |&other| other == slot).ok()?.remove();
        let record = self.records.remove(slot);
        self.room.give_back();
        record
    }
}
