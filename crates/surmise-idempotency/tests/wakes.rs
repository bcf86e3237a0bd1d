//! Who waits is woken when that for which it waits is over, whatever ended it.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

extern crate alloc;

use alloc::{sync::Arc, task::Wake};
use core::{
    future::Future,
    num::NonZeroUsize,
    pin::{Pin, pin},
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{sync::Mutex, thread};

use surmise_idempotency::{
    Begin, CacheConfig, Fingerprint, Ticket, WhenFull,
    sync::{ExecuteError, IdempotencyCache},
};
use surmise_time::{ManualClock, OsClock};

const NONE: Fingerprint = Fingerprint::NONE;

type Cache = IdempotencyCache<u64, u64, ManualClock>;

fn cache() -> Cache {
    Cache::new(CacheConfig::default(), ManualClock::default()).unwrap()
}

fn ticket<V: core::fmt::Debug, C: core::fmt::Debug>(begin: Begin<V, C>) -> Ticket<C> {
    match begin {
        Begin::Execute(ticket) | Begin::Recover(ticket) => ticket,
        other => panic!("no ticket: {other:?}"),
    }
}

/// A task that counts how often it was woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Task {
    fn woken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn poll<F: Future>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Ends what is in flight, by its ticket if that is needed.
type End = fn(&Cache, Ticket);

const ENDS: [(&str, End); 6] = [
    ("completed", |cache, ticket| cache.complete(ticket, 1).unwrap()),
    ("released", |cache, ticket| cache.release(ticket).unwrap()),
    ("abandoned", |cache, ticket| cache.abandon(ticket).unwrap()),
    ("taken over", |cache, _| {
        cache.clock().advance(cache.config().lease);
        let _successor = ticket(cache.begin(&1, NONE));
    }),
    ("forgotten when asked for", |cache, _| {
        cache.clock().advance(cache.config().lease + cache.config().retention);
        let _successor = ticket(cache.begin(&1, NONE));
    }),
    ("put out", |cache, _| {
        cache.clock().advance(cache.config().lease + cache.config().retention);
        assert_eq!(cache.expire(1), 1);
    }),
];

#[test]
fn tasks_are_woken_once_when_what_they_wait_for_ends() {
    for (name, end) in ENDS {
        let cache = cache();
        let leader = ticket(cache.begin(&1, NONE));
        let tasks = [(); 3].map(|()| Arc::<Task>::default());
        let mut futures =
            [(); 3].map(|()| Box::pin(cache.execute_async(&1, NONE, core::future::pending::<u64>)));
        for (task, future) in tasks.iter().zip(&mut futures) {
            assert!(task.poll(future.as_mut()).is_pending());
        }
        assert_eq!(tasks.each_ref().map(|task| task.woken()), [0; 3], "{name}");
        end(&cache, leader);
        assert_eq!(tasks.each_ref().map(|task| task.woken()), [1; 3], "{name}");
    }
}

#[test]
fn a_task_that_waits_no_longer_is_not_woken() {
    let cache = cache();
    let leader = ticket(cache.begin(&1, NONE));
    let task = Arc::<Task>::default();
    {
        let mut future = pin!(cache.execute_async(&1, NONE, async || 2));
        assert!(task.poll(future.as_mut()).is_pending());
    }
    assert_eq!(Arc::strong_count(&task), 1);
    cache.complete(leader, 1).unwrap();
    assert_eq!(task.woken(), 0);
}

/// Its leader is forgotten, and the key's next one lies somewhere else.
#[test]
fn a_task_is_woken_though_its_key_has_moved() {
    let cache = cache();
    let keys: Vec<u64> = (0..100).collect();
    let _died: Vec<_> = keys.iter().map(|key| ticket(cache.begin(key, NONE))).collect();
    let tasks: Vec<_> = (0..100).map(|_| Arc::<Task>::default()).collect();
    let mut waiting: Vec<_> =
        keys.iter().map(|key| Box::pin(cache.execute_async(key, NONE, async || 0))).collect();
    for (task, future) in tasks.iter().zip(&mut waiting) {
        assert!(task.poll(future.as_mut()).is_pending());
    }
    cache.clock().advance(cache.config().lease + cache.config().retention);
    // In another order, so that most lie in slots that were others'.
    for key in keys.iter().rev() {
        let _leader = ticket(cache.begin(key, NONE));
    }
    assert!(tasks.iter().all(|task| task.woken() == 1));
}

/// A thread that was not woken would be parked until the lease ends.
#[test]
fn a_thread_that_waits_is_woken_when_what_it_waits_for_ends() {
    let config = CacheConfig { lease: Duration::from_secs(24 * 3600), ..CacheConfig::default() };
    let cache = IdempotencyCache::<u64, u64, _>::new(config, OsClock).unwrap();
    thread::scope(|scope| {
        let leader = ticket(cache.begin(&1, NONE));
        let follower = scope.spawn(|| cache.execute(&1, NONE, || 2));
        // It takes no time to speak of, but for the moment that the other needs until it waits.
        thread::yield_now();
        cache.complete(leader, 1).unwrap();
        assert!(matches!(follower.join().unwrap(), Ok(1)));
    });
}

/// Where there is no room at first, and somebody else gets it, a duplicate waits like any other.
#[test]
fn duplicates_join_in_a_full_cache() {
    let config = CacheConfig {
        capacity: NonZeroUsize::MIN,
        when_full: WhenFull::EvictOldest,
        ..CacheConfig::default()
    };
    for _ in 0..100 {
        let cache = IdempotencyCache::<u64, u64, _>::new(config, OsClock).unwrap();
        cache.execute(&0, NONE, || 0).unwrap();
        let execute = || {
            let mut future = pin!(cache.execute_async(&1, NONE, async || {
                thread::yield_now();
                1
            }));
            let waker = Waker::from(Arc::new(Unpark(thread::current())));
            loop {
                match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(result) => return result,
                    Poll::Pending => thread::park(),
                }
            }
        };
        thread::scope(|scope| {
            let others = [scope.spawn(execute), scope.spawn(execute)];
            for other in others {
                let result = other.join().unwrap();
                assert!(matches!(result, Ok(1)), "{result:?}");
            }
        });
    }
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A task that owns what it is woken for, as those of simple executors do.
struct Owner {
    _future: Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Wake for Owner {
    fn wake(self: Arc<Self>) {}
}

/// The last waker of a task drops its future, and so another that waits for the same.
#[test]
fn the_last_waker_of_a_task_may_drop_a_task_that_waits() {
    let cache = Arc::new(cache());
    let _leader = ticket(cache.begin(&1, NONE));
    let inner = {
        let cache = Arc::clone(&cache);
        let mut inner: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let result = cache.execute_async(&1, NONE, async || 2).await;
            assert!(matches!(result, Err(ExecuteError::InFlight { .. })));
        });
        assert!(inner.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        inner
    };
    let owner = Waker::from(Arc::new(Owner { _future: Mutex::new(inner) }));
    let mut outer = pin!(cache.execute_async(&1, NONE, async || 3));
    assert!(outer.as_mut().poll(&mut Context::from_waker(&owner)).is_pending());
    drop(owner);
    assert!(outer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}
