use alloc::borrow::ToOwned;
use core::{borrow::Borrow, error::Error, fmt, future::Future, hash::Hash, time::Duration};

use surmise_time::{Instant, MonotonicClock};

use super::{Finished, IdempotencyCache};
use crate::{Begin, Fenced, Fingerprint, Ticket};

impl<K: Eq + Hash, V: Clone, M: MonotonicClock, C: Clone> IdempotencyCache<K, V, M, C> {
    /// Returns the result of a request: of an earlier execution, of one under way, or of this.
    ///
    /// The closure runs without a lock. If another caller is at it, this one waits, for as long as its lease lasts; if
    /// that caller releases, this one executes.
    ///
    /// If the closure panics, nobody knows how far it came: who waits for it hears that it is in flight, the
    /// key is held up until the lease ends, and then the next caller is to [recover](ExecuteError::Recover).
    ///
    /// # Errors
    ///
    /// If there is no result, or if it could not be kept. See [`ExecuteError`].
    pub fn execute<Q, R>(
        &self,
        key: &Q,
        fingerprint: Fingerprint,
        execute: impl FnOnce() -> R,
    ) -> Result<V, ExecuteError<V, C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        R: Into<Finished<V>>,
    {
        self.run(self.join(key, fingerprint, Instant::MAX), execute)
    }

    /// Returns the result of a request as [`execute`](Self::execute), but waits no longer than that for the execution
    /// of another caller.
    ///
    /// # Errors
    ///
    /// If there is no result, or if it could not be kept. See [`ExecuteError`].
    pub fn execute_within<Q, R>(
        &self,
        wait: Duration,
        key: &Q,
        fingerprint: Fingerprint,
        execute: impl FnOnce() -> R,
    ) -> Result<V, ExecuteError<V, C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        R: Into<Finished<V>>,
    {
        let deadline = self.clock().now() + wait;
        self.run(self.join(key, fingerprint, deadline), execute)
    }

    /// Returns the result of a request as [`execute`](Self::execute), without blocking the thread.
    ///
    /// It runs on any runtime and sets no timers: a caller that is to wait for only so long wraps this in its runtime's
    /// timeout. To drop it is safe. Dropped while it waits for another, it leaves no trace. Dropped while its own
    /// future was under way, nobody knows how far that came, as after a panic of `execute`'s closure. What must go on
    /// although its caller has gone is to be spawned as a task.
    ///
    /// # Errors
    ///
    /// If there is no result, or if it could not be kept. See [`ExecuteError`].
    pub async fn execute_async<Q, F>(
        &self,
        key: &Q,
        fingerprint: Fingerprint,
        execute: impl FnOnce() -> F,
    ) -> Result<V, ExecuteError<V, C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        F: Future<Output: Into<Finished<V>>>,
    {
        match self.start(self.join_async(key, fingerprint).await)? {
            Ok(execution) => {
                let finished = execute().await.into();
                execution.finish(finished)
            }
            Err(replayed) => Ok(replayed),
        }
    }

    fn run<R: Into<Finished<V>>>(
        &self,
        begin: Begin<V, C>,
        execute: impl FnOnce() -> R,
    ) -> Result<V, ExecuteError<V, C>> {
        match self.start(begin)? {
            Ok(execution) => execution.finish(execute().into()),
            Err(replayed) => Ok(replayed),
        }
    }

    /// Returns an execution, or else the result of an earlier one.
    fn start(&self, begin: Begin<V, C>) -> Result<Started<'_, K, V, M, C>, ExecuteError<V, C>> {
        match begin {
            Begin::Execute(ticket) => Ok(Ok(Execution { cache: self, ticket: Some(ticket) })),
            Begin::Replay(value) => Ok(Err(value)),
            Begin::InFlight { retry_after } => Err(ExecuteError::InFlight { retry_after }),
            Begin::Mismatch => Err(ExecuteError::Mismatch),
            Begin::Recover(ticket) => Err(ExecuteError::Recover(ticket)),
            Begin::Full => Err(ExecuteError::Full),
        }
    }
}

type Started<'a, K, V, M, C> = Result<Execution<'a, K, V, M, C>, V>;

/// An execution under way. Dropped unfinished, it is abandoned.
struct Execution<'a, K: Eq + Hash, V, M: MonotonicClock, C> {
    cache: &'a IdempotencyCache<K, V, M, C>,
    ticket: Option<Ticket<C>>,
}

impl<K: Eq + Hash, V: Clone, M: MonotonicClock, C> Execution<'_, K, V, M, C> {
    fn finish(mut self, finished: Finished<V>) -> Result<V, ExecuteError<V, C>> {
        let (value, keep) = finished.into_parts();
        // A copy that cannot be made is as an execution that panics, so the ticket is taken only now.
        let copy = value.clone();
        let Some(ticket) = self.ticket.take() else { return Ok(value) };
        match keep {
            Some(keep) => self.cache.complete_for(ticket, copy, keep)?,
            None => self.cache.release(ticket).map_err(|fenced| Fenced::new(fenced.token, copy))?,
        }
        Ok(value)
    }
}

impl<K: Eq + Hash, V, M: MonotonicClock, C> Drop for Execution<'_, K, V, M, C> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            // If it was given up already, nobody waits for it.
            let _ = self.cache.abandon(ticket);
        }
    }
}

/// Why there is no result, or why it was not kept.
#[must_use = "a ticket to recover may be in it"]
#[non_exhaustive]
pub enum ExecuteError<V, C = ()> {
    /// Another caller is at it, and this one waited for long enough; or that caller gave up, and nobody knows how far
    /// it came.
    InFlight {
        /// When its lease ends, unless it is completed before or renewed.
        retry_after: Duration,
    },
    /// The key was used for another request.
    Mismatch,
    /// There is no room for another key.
    Full,
    /// Another caller was at it, and nobody knows how far it came. It is up to whoever has this ticket to find out, as
    /// of [`Begin::Recover`].
    Recover(Ticket<C>),
    /// This caller executed, and took so long that another took over: it was perhaps done twice. The result comes
    /// back.
    Fenced(Fenced<V>),
}

impl<V, C> From<Fenced<V>> for ExecuteError<V, C> {
    fn from(fenced: Fenced<V>) -> Self {
        Self::Fenced(fenced)
    }
}

/// Without what was returned or saved: neither need be printable, and may not be for every log.
impl<V, C> fmt::Debug for ExecuteError<V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight { retry_after } => {
                f.debug_struct("InFlight").field("retry_after", retry_after).finish()
            }
            Self::Mismatch => f.write_str("Mismatch"),
            Self::Full => f.write_str("Full"),
            Self::Recover(ticket) => f.debug_tuple("Recover").field(&ticket.token()).finish(),
            Self::Fenced(fenced) => f.debug_tuple("Fenced").field(&fenced.token).finish(),
        }
    }
}

impl<V, C> fmt::Display for ExecuteError<V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight { retry_after } => {
                write!(f, "another caller is at it, for {retry_after:?} at most unless it renews")
            }
            Self::Mismatch => f.write_str("the key was used for another request"),
            Self::Full => f.write_str("no room for another key"),
            Self::Recover(_) => {
                f.write_str("another caller was at it, and nobody knows how far it came")
            }
            Self::Fenced(fenced) => fenced.fmt(f),
        }
    }
}

impl<V, C> Error for ExecuteError<V, C> {}
