use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
    mem,
    num::NonZeroU64,
};

use hashbrown::DefaultHashBuilder;
use surmise_fence::FencingToken;
use surmise_time::Instant;

use super::{
    index::Index,
    records::{Queue, Record, Records, Stage, State},
    spans::Spans,
    surroundings::Surroundings,
};
use crate::{
    Begin, CacheConfig, CacheConfigError, CacheStats, Fenced, Fingerprint, Keep, Ticket, WhenFull,
};

pub(crate) type Hasher = DefaultHashBuilder;

/// The keys of a cache, or of one of its shards.
///
/// Hashes come from [`hash`](Self::hash), or from a clone of the same hasher.
pub(crate) struct Table<K, V, C, S> {
    config: CacheConfig,
    spans: Spans,
    index: Index,
    records: Records<K, V, C>,
    hasher: Hasher,
    /// That of the cache.
    number: u16,
    around: S,
    latest: Instant,
    stats: CacheStats,
}

/// How many records, of each queue, a new one may put out whose time is over. More than one, so that there are ever fewer
/// of them; few, so that none has to wait for it.
const EXPIRED_AT_ONCE: usize = 2;

/// The last time at which something can be over.
const LAST: Instant = Instant::from_nanos(u64::MAX - 1);

impl<K: Eq + Hash, V, C, S: Surroundings> Table<K, V, C, S> {
    /// Creates a table without memory. How many keys it may have is up to its surroundings.
    pub(crate) fn new(config: CacheConfig, hasher: Hasher, around: S) -> Self {
        Self {
            config,
            spans: Spans::new(&config),
            index: Index::new(),
            records: Records::new(),
            number: number(&hasher),
            hasher,
            around,
            latest: Instant::ORIGIN,
            stats: CacheStats::default(),
        }
    }

    /// Allocates the memory for so many keys. It has none before.
    pub(crate) fn reserve(&mut self, keys: usize) -> Result<(), CacheConfigError> {
        let reserved = self.records.reserve(keys).and_then(|()| self.index.reserve(keys));
        reserved.map_err(|_| CacheConfigError::Memory { capacity: self.config.capacity.get() })
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
                None => {
                    self.forget_over(slot, hash);
                }
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
        let record = self.records.get(slot)?;
        if self.is_over(record, now) {
            return None;
        }
        if record.fingerprint != fingerprint {
            return Some(Begin::Mismatch);
        }
        match &record.state {
            State::Completed { value, .. } => Some(Begin::Replay(value.clone())),
            State::InFlight { stage, .. }
                if now < record.until && !matches!(stage, Stage::GivenBack) =>
            {
                Some(Begin::InFlight { retry_after: record.until - now })
            }
            State::InFlight { checkpoint, .. } => {
                let checkpoint = checkpoint.clone();
                Some(Begin::Recover(self.take_over(slot, checkpoint, now)))
            }
        }
    }

    /// Gives an execution whose lease is over to another caller.
    fn take_over(&mut self, slot: u32, saved: Option<C>, now: Instant) -> Ticket<C> {
        let next = self.around.next_counter();
        self.records.requeue(slot, |record| {
            record.until = self.spans.lease_from(now);
            if let State::InFlight { counter, stage, .. } = &mut record.state {
                (*counter, *stage) = (next, Stage::Recovery);
            }
        });
        self.around.ended(slot);
        self.ticket(next, slot, saved)
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
        // First of all, as it is not this crate's, and may panic.
        let key = key.to_owned();
        if !(self.around.take_room() || (self.evict_oldest() && self.around.take_room())) {
            return Begin::Full;
        }
        let counter = self.around.next_counter();
        let record = Record::new(key, fingerprint, self.spans.lease_from(now), counter);
        let slot = self.records.add(record);
        self.index.insert(hash, slot);
        Begin::Execute(self.ticket(counter, slot, None))
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
        let order = self.around.order();
        let _in_flight = self.records.requeue(ticket.slot, |record| {
            record.until = self.spans.retention_from(now, keep);
            mem::replace(&mut record.state, State::Completed { value, keep, order })
        });
        self.around.ended(ticket.slot);
        Ok(())
    }

    pub(crate) fn release(&mut self, ticket: &Ticket<C>) -> Result<(), Fenced> {
        match self.execution(ticket) {
            Some(State::InFlight { stage: stage @ Stage::Recovery, .. }) => {
                // What those before it did is as unknown as it was. The place in the queue stays that of its lease.
                *stage = Stage::GivenBack;
                self.around.ended(ticket.slot);
            }
            Some(_) => {
                if let Some(record) = self.records.get(ticket.slot) {
                    let hash = self.hasher.hash_one(&record.key);
                    self.forget(ticket.slot, hash);
                }
            }
            None => return Err(Fenced::new(ticket.token(), ())),
        }
        Ok(())
    }

    pub(crate) fn renew(&mut self, ticket: &Ticket<C>, now: Instant) -> Result<(), Fenced> {
        let now = self.advance(now);
        if !self.is_valid(ticket) {
            return Err(Fenced::new(ticket.token(), ()));
        }
        self.records.requeue(ticket.slot, |record| record.until = self.spans.lease_from(now));
        Ok(())
    }

    /// Returns whether there is something of a key, be it over or not.
    #[cfg(feature = "std")]
    pub(crate) fn contains<Q>(&self, hash: u64, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.find(hash, key).is_some()
    }

    /// Returns the slot of a key that is in flight and was not abandoned.
    #[cfg(feature = "std")]
    pub(crate) fn worked_at<Q>(&self, hash: u64, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let slot = self.find(hash, key)?;
        match self.records.get(slot)?.state {
            State::InFlight { stage: Stage::First | Stage::Recovery, .. } => Some(slot),
            State::InFlight { .. } | State::Completed { .. } => None,
        }
    }

    /// Forgets the records whose time is over, so many of each queue at most, and returns how many there were.
    pub(crate) fn expire(&mut self, now: Instant, at_most: usize) -> usize {
        let now = self.advance(now);
        let before = self.records.len();
        for queue in [Queue::Retention, Queue::BriefRetention, Queue::Lease] {
            for _ in 0..at_most {
                match self.records.first(queue) {
                    Some((slot, record)) if self.is_over(record, now) => {
                        let hash = self.hasher.hash_one(&record.key);
                        if !self.forget_over(slot, hash) {
                            break;
                        }
                    }
                    _ => break,
                }
            }
        }
        before - self.records.len()
    }

    #[inline]
    pub(crate) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Returns the time, which never goes back, and never comes to what no sum of times exceeds: what begins shortly
    /// before it would be over at once.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now.min(LAST));
        self.latest
    }

    #[inline]
    fn find<Q>(&self, hash: u64, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let is_it = |slot| self.records.get(slot).is_some_and(|record| record.key.borrow() == key);
        self.index.find(hash, is_it)
    }

    /// Returns whether a record is to be forgotten: its retention is over. Of what never completed, it begins at the end
    /// of the lease.
    #[inline]
    fn is_over(&self, record: &Record<K, V, C>, now: Instant) -> bool {
        now >= match record.state {
            State::InFlight { .. } => self.spans.retention_from(record.until, Keep::Long),
            State::Completed { .. } => record.until,
        }
    }

    /// Makes room by forgetting the result that was completed first, if that is what was asked for.
    fn evict_oldest(&mut self) -> bool {
        self.config.when_full == WhenFull::EvictOldest
            && [Keep::Briefly, Keep::Long].into_iter().any(|keep| self.evict(keep))
    }

    /// Forgets the result that was completed first of those that are kept for so long, if there is one.
    pub(crate) fn evict(&mut self, keep: Keep) -> bool {
        let Some((oldest, record)) = self.records.first(keep.into()) else { return false };
        let hash = self.hasher.hash_one(&record.key);
        let evicted = self.forget(oldest, hash);
        self.stats.evicted += u64::from(evicted.is_some());
        evicted.is_some()
    }

    /// Returns when the first of the results was completed that are kept for so long: less is earlier.
    #[cfg(feature = "std")]
    pub(crate) fn oldest(&self, keep: Keep) -> Option<(Instant, u32)> {
        let (_, record) = self.records.first(keep.into())?;
        match record.state {
            State::Completed { order, .. } => Some((record.until, order)),
            State::InFlight { .. } => None,
        }
    }

    /// Forgets a record whose time is over, and returns whether it is gone: not if its key has another hash than it had.
    fn forget_over(&mut self, slot: u32, hash: u64) -> bool {
        let forgotten = self.forget(slot, hash);
        if let Some(Record { state: State::InFlight { .. }, .. }) = forgotten {
            self.stats.forgotten_in_flight += 1;
        }
        forgotten.is_some()
    }

    fn forget(&mut self, slot: u32, hash: u64) -> Option<Record<K, V, C>> {
        if !self.index.remove(hash, slot) {
            return None;
        }
        let record = self.records.remove(slot);
        self.around.give_room_back();
        if let Some(Record { state: State::InFlight { .. }, .. }) = record {
            self.around.ended(slot);
        }
        record
    }
}

/// What needs no keys.
impl<K, V, C, S: Surroundings> Table<K, V, C, S> {
    pub(crate) fn save(&mut self, ticket: &Ticket<C>, saved: C) -> Result<(), Fenced<C>> {
        match self.execution(ticket) {
            Some(State::InFlight { checkpoint, .. }) => {
                *checkpoint = Some(saved);
                Ok(())
            }
            _ => Err(Fenced::new(ticket.token(), saved)),
        }
    }

    /// Notes that nobody works at an execution any more. Its lease stays as it is.
    #[cfg(feature = "std")]
    pub(crate) fn abandon(&mut self, ticket: &Ticket<C>) -> Result<(), Fenced> {
        match self.execution(ticket) {
            Some(State::InFlight { stage, .. }) => {
                *stage = Stage::Abandoned;
                self.around.ended(ticket.slot);
                Ok(())
            }
            _ => Err(Fenced::new(ticket.token(), ())),
        }
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

    #[cfg(feature = "std")]
    pub(crate) const fn surroundings(&mut self) -> &mut S {
        &mut self.around
    }

    const fn ticket(&self, counter: NonZeroU64, slot: u32, saved: Option<C>) -> Ticket<C> {
        let token = FencingToken::new(self.config.epoch, counter);
        Ticket::new(token, self.number, slot, saved)
    }

    fn is_valid(&mut self, ticket: &Ticket<C>) -> bool {
        self.execution(ticket).is_some()
    }

    /// Returns the state of the execution of a ticket, if it is valid.
    #[inline]
    fn execution(&mut self, ticket: &Ticket<C>) -> Option<&mut State<V, C>> {
        let epoch = self.config.epoch;
        if ticket.cache != self.number {
            return None;
        }
        let state = &mut self.records.get_mut(ticket.slot)?.state;
        match state {
            State::InFlight { counter, .. }
                if FencingToken::new(epoch, *counter) == ticket.token() =>
            {
                Some(state)
            }
            State::InFlight { .. } | State::Completed { .. } => None,
        }
    }
}

/// Returns a number that another cache hardly ever has: its hasher has another seed.
fn number(hasher: &Hasher) -> u16 {
    let [low, high, ..] = hasher.hash_one(0_u64).to_le_bytes();
    u16::from_le_bytes([low, high])
}
