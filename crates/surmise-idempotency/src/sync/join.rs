use alloc::borrow::ToOwned;
use core::{
    borrow::Borrow,
    future,
    future::Future,
    hash::Hash,
    mem,
    pin::pin,
    task::{Poll, Waker},
    time::Duration,
};

use surmise_time::{Instant, MonotonicClock};

use super::{
    cache::{IdempotencyCache, shard_of},
    loom::park_timeout,
    waiters::{Place, unparker},
};
use crate::{Begin, Fingerprint};

/// A caller that waits for the execution of another.
struct Joiner<'a, K: Eq + Hash, V, M: MonotonicClock, C, Q: ?Sized> {
    cache: &'a IdempotencyCache<K, V, M, C>,
    key: &'a Q,
    hash: u64,
    fingerprint: Fingerprint,
    /// Where it waits, if it does.
    place: Option<Place>,
}

enum Asked<V, C> {
    Answer(Begin<V, C>),
    /// The execution is under way, and its lease ends after that time.
    Wait(Duration),
}

impl<K: Eq + Hash, V: Clone, M: MonotonicClock, C: Clone> IdempotencyCache<K, V, M, C> {
    /// Says what to do about a request, once it is not in flight any more, or the deadline has passed, or
    /// who was at it gave up.
    pub(super) fn join<Q>(
        &self,
        key: &Q,
        fingerprint: Fingerprint,
        deadline: Instant,
    ) -> Begin<V, C>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let begin = self.begin(key, fingerprint);
        if !matches!(begin, Begin::InFlight { .. }) {
            return begin;
        }
        let (mut joiner, waker) = (Joiner::new(self, key, fingerprint), unparker());
        loop {
            match joiner.ask(&waker) {
                Asked::Answer(begin) => return begin,
                Asked::Wait(lease) => {
                    let left = deadline - self.clock().now();
                    if left.is_zero() {
                        return Begin::InFlight { retry_after: lease };
                    }
                    park_timeout(left.min(lease));
                }
            }
        }
    }

    /// Says what to do about a request, once it is not in flight any more, or who was at it gave up.
    pub(super) async fn join_async<Q, S>(
        &self,
        key: &Q,
        fingerprint: Fingerprint,
        mut sleep: impl FnMut(Duration) -> S,
    ) -> Begin<V, C>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        S: Future<Output = ()>,
    {
        let begin = self.begin(key, fingerprint);
        if !matches!(begin, Begin::InFlight { .. }) {
            return begin;
        }
        let mut joiner = Joiner::new(self, key, fingerprint);
        loop {
            match future::poll_fn(|context| Poll::Ready(joiner.ask(context.waker()))).await {
                Asked::Answer(begin) => return begin,
                Asked::Wait(lease) => until_polled_again(sleep(lease)).await,
            }
        }
    }
}

/// Waits until the task is polled again, which is woken when it has slept.
///
/// Whatever else it is woken for, asking once more tells.
async fn until_polled_again(sleep: impl Future<Output = ()>) {
    let (mut sleep, mut was_polled) = (pin!(sleep), false);
    future::poll_fn(|context| {
        if mem::replace(&mut was_polled, true) {
            return Poll::Ready(());
        }
        if sleep.as_mut().poll(context).is_ready() {
            // Others may run in between, should the timer be ahead of the cache's clock.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
}

impl<'a, K: Eq + Hash, V, M: MonotonicClock, C, Q: Hash + ?Sized> Joiner<'a, K, V, M, C, Q> {
    fn new(cache: &'a IdempotencyCache<K, V, M, C>, key: &'a Q, fingerprint: Fingerprint) -> Self {
        Self { cache, key, hash: cache.hash(key), fingerprint, place: None }
    }

    /// Asks what to do, and if it is to wait, for being woken when that may have changed.
    ///
    /// Both happen under one lock, so that no end of the execution comes in between.
    fn ask(&mut self, waker: &Waker) -> Asked<V, C>
    where
        K: Borrow<Q>,
        Q: Eq + ToOwned<Owned = K>,
        V: Clone,
        C: Clone,
    {
        let mut may_be_room = true;
        loop {
            let now = self.cache.clock().now();
            match self.ask_once(waker, now) {
                // If there is none, who took it may be at this key: it is asked for once more.
                Asked::Answer(Begin::Full) if may_be_room => {
                    may_be_room = self.cache.make_room(self.hash, self.key, now);
                }
                asked => return asked,
            }
        }
    }

    fn ask_once(&mut self, waker: &Waker, now: Instant) -> Asked<V, C>
    where
        K: Borrow<Q>,
        Q: Eq + ToOwned<Owned = K>,
        V: Clone,
        C: Clone,
    {
        let waker = waker.clone();
        // It is dropped after the lock is given back: the last waker of a task may drop the task, and that another joiner.
        let _earlier;
        let mut shard = self.cache.shard_of(self.hash);
        let waiters = &mut shard.surroundings().waiters;
        _earlier = self.place.take().and_then(|place| waiters.remove(place));
        let mut begin = shard.begin(self.hash, self.key, self.fingerprint, now);
        if let Begin::InFlight { retry_after } = begin {
            if let Some(slot) = shard.worked_at(self.hash, self.key) {
                self.place = Some(shard.surroundings().waiters.add(slot, waker));
                return Asked::Wait(retry_after);
            }
        }
        begin.number_shard(shard_of(self.hash));
        Asked::Answer(begin)
    }
}

/// Who does not wait any more is not woken.
impl<K: Eq + Hash, V, M: MonotonicClock, C, Q: ?Sized> Drop for Joiner<'_, K, V, M, C, Q> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = self.cache.shard_of(self.hash).surroundings().waiters.remove(place);
            drop(waker);
        }
    }
}
