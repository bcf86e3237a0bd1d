use core::{fmt, hash::Hash};

use surmise_fence::FencingToken;
use surmise_time::MonotonicClock;

use super::{ExecuteError, Finished, IdempotencyCache};
use crate::{Fenced, Ticket};

/// What a closure is given that executes: it says by which token it does, renews its lease, and saves how far it came.
///
/// It outlives the execution at will, and is [`Fenced`] then.
pub struct Execution<'a, K, V, M, C = ()> {
    cache: &'a IdempotencyCache<K, V, M, C>,
    ticket: Ticket<C>,
}

impl<K: Eq + Hash, V, M: MonotonicClock, C> Execution<'_, K, V, M, C> {
    /// Returns the token of the execution, as [`Ticket::token`].
    #[must_use]
    pub const fn token(&self) -> FencingToken {
        self.ticket.token()
    }

    /// Lets the lease begin anew.
    ///
    /// # Errors
    ///
    /// If another caller took over: this one should stop.
    pub fn renew(&self) -> Result<(), Fenced> {
        self.cache.renew(&self.ticket)
    }

    /// Notes how far the execution came, for whoever has to recover from it.
    ///
    /// # Errors
    ///
    /// If another caller took over: this one should stop.
    pub fn save(&self, checkpoint: C) -> Result<(), Fenced<C>> {
        self.cache.save(&self.ticket, checkpoint)
    }
}

impl<K, V, M, C> fmt::Debug for Execution<'_, K, V, M, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution").field("token", &self.ticket.token()).finish_non_exhaustive()
    }
}

/// An execution that is to be finished. Dropped before, it is abandoned.
pub(super) struct Unfinished<'a, K: Eq + Hash, V, M: MonotonicClock, C> {
    cache: &'a IdempotencyCache<K, V, M, C>,
    ticket: Option<Ticket<C>>,
}

impl<'a, K: Eq + Hash, V: Clone, M: MonotonicClock, C> Unfinished<'a, K, V, M, C> {
    /// Returns what to finish, and what is given to the closure.
    pub(super) const fn new(
        cache: &'a IdempotencyCache<K, V, M, C>,
        ticket: Ticket<C>,
    ) -> (Self, Execution<'a, K, V, M, C>) {
        let execution = Execution { cache, ticket: ticket.again() };
        (Self { cache, ticket: Some(ticket) }, execution)
    }

    pub(super) fn finish(mut self, finished: Finished<V>) -> Result<V, ExecuteError<K, V, C>> {
        let (value, keep) = finished.into_parts();
        // A copy that cannot be made is as an execution that panics, so the ticket is taken only now.
        let kept = keep.map(|keep| (value.clone(), keep));
        match (self.ticket.take(), kept) {
            (Some(ticket), Some((copy, keep))) => self.cache.complete_for(ticket, copy, keep)?,
            (Some(ticket), None) => {
                if let Err(fenced) = self.cache.release(ticket) {
                    return Err(Fenced::new(fenced.token, value).into());
                }
            }
            (None, _) => {}
        }
        Ok(value)
    }
}

impl<K: Eq + Hash, V, M: MonotonicClock, C> Drop for Unfinished<'_, K, V, M, C> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            // If it was given up already, nobody waits for it.
            let _ = self.cache.abandon(ticket);
        }
    }
}
