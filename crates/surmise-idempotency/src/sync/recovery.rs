use alloc::sync::Arc;
use core::{fmt, mem, ops::Deref};

use super::shard::Shards;
use crate::Ticket;

/// The right to find out what an earlier caller did, and to say what came of it: a [`Ticket`] that is not forgotten.
///
/// Dropped, it is [abandoned](super::IdempotencyCache::abandon): nobody waits for it, and when its lease ends another
/// caller is to recover. So whoever has no use for it may pass the error on.
///
/// # Examples
///
/// ```
/// # use surmise_idempotency::{CacheConfig, Fingerprint};
/// # use surmise_time::ManualClock;
/// use surmise_idempotency::sync::{ExecuteError, IdempotencyCache};
///
/// # let cache = IdempotencyCache::<u64, u64, _>::new(CacheConfig::default(), ManualClock::default())?;
/// # let (key, fingerprint) = (17, Fingerprint::NONE);
/// # drop(cache.begin(&key, fingerprint));
/// # cache.clock().advance(CacheConfig::default().lease);
/// let charged = match cache.execute(&key, fingerprint, || 100) {
///     Err(ExecuteError::Recover(recovery)) => {
///         let charged = 100; // Asks the bank what was charged for this key, and charges if nothing was.
///         cache.complete(recovery.into_ticket(), charged)?;
///         charged
///     }
///     other => other?,
/// };
/// # assert_eq!(charged, 100);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use = "dropped, it leaves it to another caller to recover"]
pub struct Recovery<K, V, C = ()> {
    shards: Arc<Shards<K, V, C>>,
    ticket: Ticket<C>,
}

impl<K, V, C> Recovery<K, V, C> {
    pub(super) const fn new(shards: Arc<Shards<K, V, C>>, ticket: Ticket<C>) -> Self {
        Self { shards, ticket }
    }

    /// Returns the ticket, to be completed, released or abandoned. Dropped, it holds up whoever waits for it.
    pub fn into_ticket(mut self) -> Ticket<C> {
        let void = self.ticket.void();
        mem::replace(&mut self.ticket, void)
    }
}

impl<K, V, C> Deref for Recovery<K, V, C> {
    type Target = Ticket<C>;

    fn deref(&self) -> &Ticket<C> {
        &self.ticket
    }
}

impl<K, V, C> Drop for Recovery<K, V, C> {
    fn drop(&mut self) {
        // If it was given up already, or was used, nobody waits for it.
        let _ = self.shards.lock(self.ticket.shard).abandon(&self.ticket);
    }
}

impl<K, V, C: PartialEq> PartialEq for Recovery<K, V, C> {
    fn eq(&self, other: &Self) -> bool {
        self.ticket == other.ticket
    }
}

impl<K, V, C: Eq> Eq for Recovery<K, V, C> {}

/// Only the token: what was saved need not be printable, and may not be for every log.
impl<K, V, C> fmt::Debug for Recovery<K, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").field("token", &self.ticket.token()).finish_non_exhaustive()
    }
}
