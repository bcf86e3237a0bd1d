use alloc::borrow::ToOwned;
use core::{borrow::Borrow, future, future::Future, hash::Hash, time::Duration};

use surmise_time::{Instant, MonotonicClock};

use super::{ExecuteError, Execution, Finished, IdempotencyCache, Recovery, execution::Unfinished};
use crate::{Begin, Fingerprint};

impl<K: Eq + Hash, V: Clone, M: MonotonicClock, C: Clone> IdempotencyCache<K, V, M, C> {
    /// Returns the result of a request: of an earlier execution, of one under way, or of this.
    ///
    /// The closure runs without a lock. If another caller is at it, this one waits, for as long as its lease lasts; if
    /// that caller releases, this one executes.
    ///
    /// If the closure panics, nobody knows how far it came: who waits for it hears that it is in flight, the
    /// key is held up until the lease ends, and then the next caller is to [recover](ExecuteError::Recover).
    ///
    /// # Results that are errors
    ///
    /// Whatever the closure returns is kept for the retention, an `Err` as well, and is the answer to each retry. The
    /// closure says otherwise by a [`Finished`]:
    ///
    /// ```
    /// # use surmise_idempotency::{CacheConfig, Fingerprint, sync::IdempotencyCache};
    /// # use surmise_time::OsClock;
    /// use surmise_idempotency::sync::Finished;
    ///
    /// # let cache = IdempotencyCache::<u64, Result<u64, &str>, _>::new(CacheConfig::default(), OsClock)?;
    /// # let (key, fingerprint) = (17, Fingerprint::NONE);
    /// # let mut answers = [Err("refused"), Ok(100)].into_iter();
    /// # let mut connect = || answers.next().expect("it is done twice");
    /// let mut pay = || {
    ///     cache.execute(&key, fingerprint, || match connect() {
    ///         Ok(charged) => Finished::kept(Ok(charged)),
    ///         Err(refused) => Finished::released(Err(refused)), // nothing was sent: try again
    ///     })
    /// };
    /// assert_eq!(pay()?, Err("refused"));
    /// assert_eq!(pay()?, Ok(100));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Waiting
    ///
    /// Any number of callers can wait for one. When it releases, all of them are woken, one executes, and the others wait
    /// again; a newcomer may be before them. So the last of many callers of what always fails waits for each of the
    /// others, or until its deadline, of [`execute_within`](Self::execute_within).
    ///
    /// # Deadlocks
    ///
    /// A closure that executes its own key waits for itself until its lease ends, recovers from itself, and is
    /// [fenced](ExecuteError::Fenced); with [`execute_async`](Self::execute_async) it waits for ever. So do two that
    /// execute each other's key.
    ///
    /// # Errors
    ///
    /// If there is no result, or if it could not be kept. See [`ExecuteError`].
    pub fn execute<Q, R>(
        &self,
        key: &Q,
        fingerprint: Fingerprint,
        execute: impl FnOnce() -> R,
    ) -> Result<V, ExecuteError<K, V, C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        R: Into<Finished<V>>,
    {
        self.run(self.join(key, fingerprint, Instant::MAX), |_| execute())
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
    ) -> Result<V, ExecuteError<K, V, C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        R: Into<Finished<V>>,
    {
        let deadline = self.clock().now() + wait;
        self.run(self.join(key, fingerprint, deadline), |_| execute())
    }

    /// Returns the result of a request as [`execute`](Self::execute), whose closure is given its [`Execution`]: the token for
    /// the fence of its effect, its lease to renew, its checkpoint to save.
    ///
    /// # Errors
    ///
    /// If there is no result, or if it could not be kept. See [`ExecuteError`].
    pub fn execute_with<'a, Q, R>(
        &'a self,
        key: &Q,
        fingerprint: Fingerprint,
        execute: impl FnOnce(Execution<'a, K, V, M, C>) -> R,
    ) -> Result<V, ExecuteError<K, V, C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        R: Into<Finished<V>>,
    {
        self.run(self.join(key, fingerprint, Instant::MAX), execute)
    }

    /// Returns the result of a request as [`execute`](Self::execute), without blocking the thread.
    ///
    /// It runs on any runtime. To drop it is safe. Dropped while it waits for another, it leaves no trace. Dropped while its
    /// own future was under way, nobody knows how far that came, as after a panic of `execute`'s closure. What must
    /// go on although its caller has gone is to be spawned as a task.
    ///
    /// # Leases
    ///
    /// It sets no timers, and so does not notice by itself that the lease of whom it waits for has ended: if that
    /// one hangs, or its ticket was dropped, and nobody else asks for the key, it waits for ever. Wrap it in a timeout of your
    /// runtime, or give the runtime's timer to [`execute_async_with`](Self::execute_async_with).
    ///
    /// # Errors
    ///
    /// If there is no result, or if it could not be kept. See [`ExecuteError`].
    pub async fn execute_async<Q, F>(
        &self,
        key: &Q,
        fingerprint: Fingerprint,
        execute: impl FnOnce() -> F,
    ) -> Result<V, ExecuteError<K, V, C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        F: Future<Output: Into<Finished<V>>>,
    {
        let for_ever = |_| future::pending();
        self.execute_async_with(for_ever, key, fingerprint, |_| execute()).await
    }

    /// Returns the result of a request as [`execute_async`](Self::execute_async), and waits as [`execute`](Self::execute):
    /// until the lease of another caller ends, by a timer of the caller's runtime.
    ///
    /// A timer is a function that returns a future which is ready after that time, such as `tokio::time::sleep`. The
    /// closure is given its [`Execution`], as that of [`execute_with`](Self::execute_with).
    ///
    /// # Errors
    ///
    /// If there is no result, or if it could not be kept. See [`ExecuteError`].
    pub async fn execute_async_with<'a, Q, F, S>(
        &'a self,
        sleep: impl FnMut(Duration) -> S,
        key: &Q,
        fingerprint: Fingerprint,
        execute: impl FnOnce(Execution<'a, K, V, M, C>) -> F,
    ) -> Result<V, ExecuteError<K, V, C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        F: Future<Output: Into<Finished<V>>>,
        S: Future<Output = ()>,
    {
        match self.start(self.join_async(key, fingerprint, sleep).await)? {
            Started::Executing(unfinished, execution) => {
                let finished = execute(execution).await.into();
                unfinished.finish(finished)
            }
            Started::Replayed(value) => Ok(value),
        }
    }

    fn run<'a, R: Into<Finished<V>>>(
        &'a self,
        begin: Begin<V, C>,
        execute: impl FnOnce(Execution<'a, K, V, M, C>) -> R,
    ) -> Result<V, ExecuteError<K, V, C>> {
        match self.start(begin)? {
            Started::Executing(unfinished, execution) => {
                unfinished.finish(execute(execution).into())
            }
            Started::Replayed(value) => Ok(value),
        }
    }

    fn start(&self, begin: Begin<V, C>) -> Begun<'_, K, V, M, C> {
        match begin {
            Begin::Execute(ticket) => {
                let (unfinished, execution) = Unfinished::new(self, ticket);
                Ok(Started::Executing(unfinished, execution))
            }
            Begin::Replay(value) => Ok(Started::Replayed(value)),
            Begin::InFlight { retry_after } => Err(ExecuteError::InFlight { retry_after }),
            Begin::Mismatch => Err(ExecuteError::Mismatch),
            Begin::Recover(ticket) => {
                Err(ExecuteError::Recover(Recovery::new(self.shards(), ticket)))
            }
            Begin::Full => Err(ExecuteError::Full),
        }
    }
}

type Begun<'a, K, V, M, C> = Result<Started<'a, K, V, M, C>, ExecuteError<K, V, C>>;

enum Started<'a, K: Eq + Hash, V, M: MonotonicClock, C> {
    Executing(Unfinished<'a, K, V, M, C>, Execution<'a, K, V, M, C>),
    Replayed(V),
}
