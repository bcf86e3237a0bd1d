mod index;
mod records;
mod spans;
mod surroundings;
mod table;

use alloc::borrow::ToOwned;
use core::{borrow::Borrow, fmt, hash::Hash};

use surmise_time::Instant;

use self::surroundings::Alone;
#[cfg(feature = "std")]
pub(crate) use self::surroundings::Surroundings;
pub(crate) use self::table::{Hasher, Table};
use crate::{Begin, CacheConfig, CacheConfigError, Fenced, Fingerprint, Keep, Ticket};

/// Remembers which requests were executed, are being executed, or may have been, and what came of them.
///
/// Of all that ask with one key, one is told to execute; the others get its result, or hear that it is being
/// worked at. If that one dies, nobody knows how far it came, and the cache does not pretend to: after its lease
/// the next caller is told to [recover](Begin::Recover), and what the first one brings later is [`Fenced`].
///
/// What is in flight is never forgotten before its lease and the retention are over, and what was completed not before
/// its retention is over, whatever else is asked for: a full cache refuses new keys, unless
/// [told otherwise](crate::WhenFull).
///
/// The pattern is that of Leach and others' *The Idempotency-Key HTTP Header Field*
/// (draft-ietf-httpapi-idempotency-key-header) and of Lee and others, "Implementing Linearizability at Large Scale and
/// Low Latency" (RIFL), SOSP 2015.
///
/// Each operation takes O(1) time, expected over the seed of the hash, and allocates nothing but what keys and values do:
/// all memory is reserved at first. The hash is fast and not made to withstand whoever studies it: hash keys that clients
/// choose, with a secret, before they come here, if that is to be feared. No thread works in the background:
/// each new key puts out up to two results of each retention whose time is over.
///
/// # Time
///
/// Time is an argument: that of a clock which goes on while the machine sleeps, such as `BootClock` of
/// `surmise-time`. The cache never goes back: a `now` before the latest that it saw counts as that one. So one `now` that is
/// far in the future is for ever: nothing is over any more until then, and a cache that is full of it stays so.
///
/// # Examples
///
/// ```
/// use surmise_idempotency::{Begin, CacheConfig, FingerprintKey, IdempotencyCache};
/// use surmise_time::{BootClock, MonotonicClock};
///
/// let mut cache = IdempotencyCache::<String, u64>::new(CacheConfig::default())?;
/// let fingerprint = FingerprintKey::new([7; 16]).of([&b"/payments"[..], b"100"]);
/// let now = BootClock.now();
///
/// let Begin::Execute(ticket) = cache.begin("payment-17", fingerprint, now) else { panic!() };
/// assert!(matches!(cache.begin("payment-17", fingerprint, now), Begin::InFlight { .. }));
/// cache.complete(ticket, 100, now)?;
/// assert_eq!(cache.begin("payment-17", fingerprint, now), Begin::Replay(100));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct IdempotencyCache<K, V, C = ()> {
    table: Table<K, V, C, Alone>,
}

impl<K: Eq + Hash, V> IdempotencyCache<K, V> {
    /// Creates an empty cache whose executors save no checkpoints.
    ///
    /// # Errors
    ///
    /// If the configuration is not one of a cache, or there is not as much memory.
    pub fn new(config: CacheConfig) -> Result<Self, CacheConfigError> {
        Self::with_checkpoints(config)
    }
}

impl<K: Eq + Hash, V, C> IdempotencyCache<K, V, C> {
    /// Creates an empty cache whose executors can [`save`](Self::save) how far they came.
    ///
    /// # Errors
    ///
    /// If the configuration is not one of a cache, or there is not as much memory.
    pub fn with_checkpoints(config: CacheConfig) -> Result<Self, CacheConfigError> {
        let capacity = config.checked()?.capacity.get();
        let mut table = Table::new(config, Hasher::default(), Alone::new(capacity));
        table.reserve(capacity)?;
        Ok(Self { table })
    }

    /// Says what to do about a request.
    ///
    /// The fingerprint tells whether two requests with the same key are the same: [`Fingerprint::NONE`] where
    /// the key says it all.
    #[inline]
    pub fn begin<Q>(&mut self, key: &Q, fingerprint: Fingerprint, now: Instant) -> Begin<V, C>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        V: Clone,
        C: Clone,
    {
        let hash = self.table.hash(key);
        self.table.begin(hash, key, fingerprint, now)
    }

    /// Keeps the result of an execution, to be replayed for the retention, which begins now.
    ///
    /// It does not matter whether the lease is over, if nobody has taken over yet.
    ///
    /// # Errors
    ///
    /// If the ticket is void. The result comes back, and nothing is changed.
    #[inline]
    pub fn complete(&mut self, ticket: Ticket<C>, value: V, now: Instant) -> Result<(), Fenced<V>> {
        self.complete_for(ticket, value, Keep::Long, now)
    }

    /// Keeps the result of an execution for one of the two retentions.
    ///
    /// # Errors
    ///
    /// If the ticket is void. The result comes back, and nothing is changed.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up")]
    pub fn complete_for(
        &mut self,
        ticket: Ticket<C>,
        value: V,
        keep: Keep,
        now: Instant,
    ) -> Result<(), Fenced<V>> {
        self.table.complete(&ticket, value, keep, now)
    }

    /// Gives up an execution of which nothing was done: the next caller executes as if there had been none.
    ///
    /// Of a ticket to [recover](Begin::Recover) it gives up only the recovery. What was done before is as unknown as it
    /// was, so that the next caller is told to recover, at once and from the last checkpoint. Who has found out that
    /// nothing was done executes by that ticket.
    ///
    /// # Errors
    ///
    /// If the ticket is void. Nothing is changed.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up")]
    pub fn release(&mut self, ticket: Ticket<C>) -> Result<(), Fenced> {
        self.table.release(&ticket)
    }

    /// Lets the lease begin anew.
    ///
    /// It does not matter whether it is over, if nobody has taken over yet.
    ///
    /// # Errors
    ///
    /// If the ticket is void: whoever has it should stop.
    pub fn renew(&mut self, ticket: &Ticket<C>, now: Instant) -> Result<(), Fenced> {
        self.table.renew(ticket, now)
    }

    /// Notes how far an execution came, for whoever has to recover from it.
    ///
    /// # Errors
    ///
    /// If the ticket is void: whoever has it should stop.
    pub fn save(&mut self, ticket: &Ticket<C>, checkpoint: C) -> Result<(), Fenced<C>> {
        self.table.save(ticket, checkpoint)
    }

    /// Forgets results and abandoned executions whose time is over, so many of each at most, and returns how many
    /// there were.
    ///
    /// Nobody has to call this: it frees what they hold when there are no new keys.
    pub fn expire(&mut self, now: Instant, at_most: usize) -> usize {
        self.table.expire(now, at_most)
    }

    /// Returns how many keys there are, counting those whose time is over and that are not yet put out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what was counted since the cache was made.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        self.table.stats()
    }

    /// Returns how the cache was set up.
    #[must_use]
    pub fn config(&self) -> CacheConfig {
        self.table.config()
    }
}

impl<K, V, C> fmt::Debug for IdempotencyCache<K, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyCache").finish_non_exhaustive()
    }
}

/// What a cache counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Results that were forgotten before their retention was over, to make room.
    pub evicted: u64,
    /// Executions that were forgotten without ever having ended, a retention after their lease.
    pub forgotten_in_flight: u64,
}
