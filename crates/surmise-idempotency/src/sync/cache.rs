use alloc::{borrow::ToOwned, sync::Arc};
use core::{
    array,
    borrow::Borrow,
    fmt,
    hash::{BuildHasher, Hash},
};

use surmise_time::{Instant, MonotonicClock};

use super::{
    shard::{Locked, SHARDS, Shard, Shards},
    together::{Common, Together},
};
use crate::{
    Begin, CacheConfig, CacheConfigError, CacheStats, Fenced, Fingerprint, Keep, Ticket, WhenFull,
    cache::{Hasher, Table},
};

/// An [`IdempotencyCache`](crate::IdempotencyCache) that many threads and tasks share, with a clock of its own.
///
/// Its keys are divided among 16 shards, each behind a lock that is held for one operation, never while something is
/// executed. The capacity is that of the whole cache, and what makes room in it, if results may be evicted, is the oldest
/// result of all shards, once nothing in any of them is over.
///
/// [`execute`](Self::execute) does all at once: of all that call it with one key, one runs its closure, and the
/// others wait for the result. [`execute_async_with`](Self::execute_async_with) does the same for futures, with the timer of
/// any runtime.
///
/// # Cost
///
/// What is shared costs more than the [other form](crate::IdempotencyCache): two thirds more instructions for a replay,
/// three quarters more for an execution. Memory is reserved for more keys than there is room for, as no shard has exactly
/// its part: some 66 bytes an entry for 100 000, 92 for 1000, 151 for 100, besides keys and values. Of many fillings, in one
/// there are still more keys in a shard, by chance; it then allocates more under its lock. Each caller that waits
/// allocates a waker.
///
/// A new key that finds no room looks for some in all shards, one lock after another.
///
/// # Time
///
/// The clock is to be one that goes on while the machine sleeps, such as `BootClock` of `surmise-time` on Linux and
/// Android: with `OsClock`, which may stand still meanwhile, a lease lasts for longer by that. What the other form says of time holds here too.
///
/// The `Hash` and `Eq` of keys, the `Clone` of keys, results and checkpoints, and the `Drop` of those that are
/// forgotten run under a lock, and must not use the cache.
///
/// # Examples
///
/// ```
/// use surmise_idempotency::{CacheConfig, FingerprintKey, sync::IdempotencyCache};
/// use surmise_time::BootClock;
///
/// let cache = IdempotencyCache::<String, u64, _>::new(CacheConfig::default(), BootClock)?;
/// let request = FingerprintKey::new([7; 16]).of([&b"/payments"[..], b"100"]);
/// let pay = || cache.execute("payment-17", request, || 100);
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| assert_eq!(pay().ok(), Some(100))); // it is done once
///     }
/// });
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct IdempotencyCache<K, V, M, C = ()> {
    shards: Arc<Shards<K, V, C>>,
    hasher: Hasher,
    config: CacheConfig,
    clock: M,
}

/// The bits of a hash that choose the shard begin here. An index mixes all bits, in most of which the keys of a shard
/// still differ.
const SHARD_BITS: u32 = 48;

impl<K: Eq + Hash, V, M: MonotonicClock> IdempotencyCache<K, V, M> {
    /// Creates an empty cache whose executors save no checkpoints.
    ///
    /// # Errors
    ///
    /// If the configuration is not one of a cache, or there is not as much memory.
    pub fn new(config: CacheConfig, clock: M) -> Result<Self, CacheConfigError> {
        Self::with_checkpoints(config, clock)
    }
}

impl<K: Eq + Hash, V, M: MonotonicClock, C> IdempotencyCache<K, V, M, C> {
    /// Creates an empty cache whose executors can [`save`](Self::save) how far they came.
    ///
    /// # Errors
    ///
    /// If the configuration is not one of a cache, or there is not as much memory.
    pub fn with_checkpoints(config: CacheConfig, clock: M) -> Result<Self, CacheConfigError> {
        let capacity = config.checked()?.capacity.get();
        let (hasher, common) = (Hasher::default(), Arc::new(Common::new(capacity)));
        // No shard makes room on its own: the oldest result of all may be another's.
        let of_shard = CacheConfig { when_full: WhenFull::Refuse, ..config };
        let mut keys = array::from_fn(|_| {
            let together = Together::new(Arc::clone(&common));
            Table::new(of_shard, hasher.clone(), together)
        });
        keys.iter_mut().try_for_each(|keys| keys.reserve(reserved(capacity)))?;
        Ok(Self { shards: Arc::new(Shards::new(keys)), hasher, config, clock })
    }

    /// Says what to do about a request, as [`IdempotencyCache::begin`](crate::IdempotencyCache::begin).
    #[inline]
    pub fn begin<Q>(&self, key: &Q, fingerprint: Fingerprint) -> Begin<V, C>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        V: Clone,
        C: Clone,
    {
        let (hash, now) = (self.hash(key), self.clock.now());
        let mut may_be_room = true;
        loop {
            let mut begin = self.shard_of(hash).begin(hash, key, fingerprint, now);
            begin.number_shard(shard_of(hash));
            if !(matches!(begin, Begin::Full) && may_be_room) {
                return begin;
            }
            // If there is none, who took it may be at this key: it is asked for once more.
            may_be_room = self.make_room(hash, key, now);
        }
    }

    /// Keeps the result of an execution, as [`IdempotencyCache::complete`](crate::IdempotencyCache::complete).
    ///
    /// # Errors
    ///
    /// If the ticket is void. The result comes back, and nothing is changed.
    #[inline]
    pub fn complete(&self, ticket: Ticket<C>, value: V) -> Result<(), Fenced<V>> {
        self.complete_for(ticket, value, Keep::Long)
    }

    /// Keeps the result of an execution for one of the two retentions.
    ///
    /// # Errors
    ///
    /// If the ticket is void. The result comes back, and nothing is changed.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up")]
    pub fn complete_for(&self, ticket: Ticket<C>, value: V, keep: Keep) -> Result<(), Fenced<V>> {
        let now = self.clock.now();
        self.shards.lock(ticket.shard).complete(&ticket, value, keep, now)
    }

    /// Gives up an execution of which nothing was done: the next caller, or one that waits, executes.
    ///
    /// Of a ticket to [recover](Begin::Recover) it gives up only the recovery: the next caller, or one that waits, is told
    /// to recover, as [`IdempotencyCache::release`](crate::IdempotencyCache::release) says.
    ///
    /// # Errors
    ///
    /// If the ticket is void. Nothing is changed.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up")]
    pub fn release(&self, ticket: Ticket<C>) -> Result<(), Fenced> {
        self.shards.lock(ticket.shard).release(&ticket)
    }

    /// Gives up an execution of which nobody knows how far it came: who waits for it need not any more.
    ///
    /// The key is held up until the lease ends, as if the ticket had been dropped; then the next caller recovers.
    ///
    /// # Errors
    ///
    /// If the ticket is void. Nothing is changed.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up")]
    pub fn abandon(&self, ticket: Ticket<C>) -> Result<(), Fenced> {
        self.shards.lock(ticket.shard).abandon(&ticket)
    }

    /// Lets the lease begin anew, as [`IdempotencyCache::renew`](crate::IdempotencyCache::renew).
    ///
    /// # Errors
    ///
    /// If the ticket is void: whoever has it should stop.
    pub fn renew(&self, ticket: &Ticket<C>) -> Result<(), Fenced> {
        let now = self.clock.now();
        self.shards.lock(ticket.shard).renew(ticket, now)
    }

    /// Notes how far an execution came, for whoever has to recover from it.
    ///
    /// # Errors
    ///
    /// If the ticket is void: whoever has it should stop.
    pub fn save(&self, ticket: &Ticket<C>, checkpoint: C) -> Result<(), Fenced<C>> {
        self.shards.lock(ticket.shard).save(ticket, checkpoint)
    }

    /// Forgets results and abandoned executions whose time is over, so many of each and of each shard at most, and
    /// returns how many there were.
    pub fn expire(&self, at_most: usize) -> usize {
        let now = self.clock.now();
        self.shards.iter().map(|shard| shard.lock().expire(now, at_most)).sum()
    }

    /// Returns how many keys there are, counting those whose time is over and that are not yet put out. Others may
    /// come and go meanwhile.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Returns whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what was counted since the cache was made.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let stats = self.shards.iter().map(|shard| shard.lock().stats());
        stats.fold(CacheStats::default(), |sum, stats| CacheStats {
            evicted: sum.evicted + stats.evicted,
            forgotten_in_flight: sum.forgotten_in_flight + stats.forgotten_in_flight,
        })
    }

    /// Returns how the cache was set up.
    #[must_use]
    pub const fn config(&self) -> CacheConfig {
        self.config
    }

    /// Returns the clock of the cache.
    #[must_use]
    pub const fn clock(&self) -> &M {
        &self.clock
    }

    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    #[inline]
    pub(super) fn shard_of(&self, hash: u64) -> Locked<'_, K, V, C> {
        self.shards.lock(shard_of(hash))
    }

    /// Makes room for a key by forgetting what is over in any shard, or else, if that is what was asked for, the result
    /// that was completed first in all of them. Returns whether there was something to forget, or the key needs no room.
    #[cold]
    pub(super) fn make_room<Q>(&self, hash: u64, key: &Q, now: Instant) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.shards.iter().any(|shard| shard.lock().expire(now, 1) > 0)
            || (self.config.when_full == WhenFull::EvictOldest
                && [Keep::Briefly, Keep::Long].into_iter().any(|keep| self.evict(keep, hash, key)))
    }

    /// Forgets the result that was completed first of those that are kept for so long, if there is one, and if the key is
    /// not in the same shard by now: its own result would be the one.
    fn evict<Q>(&self, keep: Keep, hash: u64, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let first = || {
            let oldest = |shard: &Shard<K, V, C>| shard.lock().oldest(keep);
            let firsts = self.shards.iter().filter_map(|shard| Some((oldest(shard)?, shard)));
            firsts.min_by_key(|(oldest, _)| *oldest)
        };
        // Others may have forgotten it meanwhile: then there is another first one, or none.
        while let Some((_, shard)) = first() {
            let mut shard = shard.lock();
            if shard.contains(hash, key) || shard.evict(keep) {
                return true;
            }
        }
        false
    }

    pub(super) fn shards(&self) -> Arc<Shards<K, V, C>> {
        Arc::clone(&self.shards)
    }
}

impl<K, V, M, C> fmt::Debug for IdempotencyCache<K, V, M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyCache").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Returns the number of the shard of a key with this hash; it is taken modulo their count.
#[inline]
pub(super) const fn shard_of(hash: u64) -> u8 {
    let [bits, ..] = (hash >> SHARD_BITS).to_le_bytes();
    bits
}

/// Returns for how many keys a shard has memory at first: for its part, and four standard deviations more.
const fn reserved(capacity: usize) -> usize {
    let part = capacity.div_ceil(SHARDS);
    part + 4 * part.isqrt()
}
