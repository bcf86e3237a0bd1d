use alloc::boxed::Box;
use core::{
    future::{Future as _, pending},
    num::NonZeroUsize,
    task::{Context, Poll, Waker},
};

use loom::{
    future::block_on,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use surmise_time::{Instant, MonotonicClock};

use super::{ExecuteError, IdempotencyCache, cache::shard_of, shard::SHARDS};
use crate::{Begin, CacheConfig, Fingerprint, WhenFull};

/// No time passes in a model.
struct NoTime;

impl MonotonicClock for NoTime {
    fn now(&self) -> Instant {
        Instant::ORIGIN
    }
}

type Cache = IdempotencyCache<u64, u64, NoTime>;

fn cache() -> Arc<Cache> {
    let capacity = NonZeroUsize::MIN.saturating_add(3);
    Arc::new(Cache::new(CacheConfig { capacity, ..CacheConfig::default() }, NoTime).unwrap())
}

/// Returns a key of a shard. The shard of a key that is chosen otherwise is another in each run, as the seed is, and
/// loom's models have to repeat themselves.
fn key(cache: &Cache, shard: u8) -> u64 {
    let is_there =
        |key: &u64| usize::from(shard_of(cache.hash(key))) % SHARDS == usize::from(shard);
    (0..).find(is_there).unwrap()
}

/// Executes, counting how many do so at once and in all.
fn execute(cache: &Cache, at_once: &AtomicUsize, value: u64) -> u64 {
    let run = || {
        assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0, "two executors at once");
        at_once.fetch_sub(1, Ordering::SeqCst);
        value
    };
    cache.execute(&key(cache, 0), Fingerprint::NONE, run).unwrap()
}

#[test]
fn loom_all_callers_of_a_key_have_the_result_of_one() {
    loom::model(|| {
        let (cache, at_once) = (cache(), Arc::new(AtomicUsize::new(0)));
        let other = thread::spawn({
            let (cache, at_once) = (Arc::clone(&cache), Arc::clone(&at_once));
            move || execute(&cache, &at_once, 1)
        });
        let mine = execute(&cache, &at_once, 2);
        assert_eq!(other.join().unwrap(), mine);
        assert_eq!(cache.begin(&key(&cache, 0), Fingerprint::NONE), Begin::Replay(mine));
    });
}

#[test]
fn loom_three_callers_of_a_key_have_the_result_of_one() {
    loom::model(|| {
        let (cache, at_once) = (cache(), Arc::new(AtomicUsize::new(0)));
        let others = [1, 2].map(|value| {
            let (cache, at_once) = (Arc::clone(&cache), Arc::clone(&at_once));
            thread::spawn(move || execute(&cache, &at_once, value))
        });
        let mine = execute(&cache, &at_once, 3);
        assert!(others.into_iter().all(|other| other.join().unwrap() == mine));
    });
}

#[test]
fn loom_a_task_and_a_thread_have_the_result_of_one() {
    loom::model(|| {
        let cache = cache();
        let task = thread::spawn({
            let cache = Arc::clone(&cache);
            move || {
                block_on(cache.execute_async(&key(&cache, 0), Fingerprint::NONE, async || 1))
                    .unwrap()
            }
        });
        let mine = cache.execute(&key(&cache, 0), Fingerprint::NONE, || 2).unwrap();
        assert_eq!(task.join().unwrap(), mine);
    });
}

#[test]
fn loom_after_a_release_one_that_waits_executes() {
    loom::model(|| {
        let cache = cache();
        let Begin::Execute(ticket) = cache.begin(&key(&cache, 0), Fingerprint::NONE) else {
            unreachable!()
        };
        let joiner = thread::spawn({
            let cache = Arc::clone(&cache);
            move || cache.execute(&key(&cache, 0), Fingerprint::NONE, || 2).unwrap()
        });
        cache.release(ticket).unwrap();
        assert_eq!(joiner.join().unwrap(), 2);
    });
}

/// A lost wake-up would be a joiner that waits for ever, which loom reports as a deadlock.
#[test]
fn loom_who_waits_hears_that_an_execution_was_abandoned() {
    loom::model(|| {
        let cache = cache();
        let Begin::Execute(ticket) = cache.begin(&key(&cache, 0), Fingerprint::NONE) else {
            unreachable!()
        };
        let joiner = thread::spawn({
            let cache = Arc::clone(&cache);
            move || cache.execute(&key(&cache, 0), Fingerprint::NONE, || 2)
        });
        cache.abandon(ticket).unwrap();
        assert!(matches!(joiner.join().unwrap(), Err(ExecuteError::InFlight { .. })));
    });
}

#[test]
fn loom_a_task_that_is_dropped_abandons_and_who_waits_hears_it() {
    loom::model(|| {
        let cache = cache();
        let joiner = thread::spawn({
            let cache = Arc::clone(&cache);
            move || cache.execute(&key(&cache, 0), Fingerprint::NONE, || 2)
        });
        let key = key(&cache, 0);
        let mut mine = Box::pin(cache.execute_async(&key, Fingerprint::NONE, pending::<u64>));
        let waker = Waker::noop();
        let polled = mine.as_mut().poll(&mut Context::from_waker(waker));
        drop(mine);
        match (polled, joiner.join().unwrap()) {
            // Mine was first, or the other before it was over.
            (Poll::Pending, Err(ExecuteError::InFlight { .. }) | Ok(2)) => {}
            (Poll::Ready(Ok(2)), Ok(2)) => {}
            (polled, joined) => panic!("{polled:?} and {joined:?}"),
        }
    });
}

#[test]
fn loom_a_full_cache_is_full_for_one_of_two() {
    loom::model(|| {
        let config = CacheConfig { capacity: NonZeroUsize::MIN, ..CacheConfig::default() };
        let cache = Arc::new(Cache::new(config, NoTime).unwrap());
        let other = thread::spawn({
            let cache = Arc::clone(&cache);
            move || cache.execute(&key(&cache, 0), Fingerprint::NONE, || 1).is_ok()
        });
        let mine = cache.execute(&key(&cache, 1), Fingerprint::NONE, || 2).is_ok();
        assert!(other.join().unwrap() ^ mine);
        assert_eq!(cache.len(), 1);
    });
}

/// Who follows may go at any time while the leader ends, and another follower is woken all the same.
#[test]
fn loom_a_follower_is_dropped_while_the_leader_ends() {
    loom::model(|| {
        let cache = cache();
        let Begin::Execute(ticket) = cache.begin(&key(&cache, 0), Fingerprint::NONE) else {
            unreachable!()
        };
        let follower = thread::spawn({
            let cache = Arc::clone(&cache);
            move || cache.execute(&key(&cache, 0), Fingerprint::NONE, || 2).unwrap()
        });
        {
            let key = key(&cache, 0);
            let mut dropped = Box::pin(cache.execute_async(&key, Fingerprint::NONE, async || 3));
            let waker = Waker::noop();
            assert!(dropped.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
            let leader = thread::spawn({
                let cache = Arc::clone(&cache);
                move || cache.complete(ticket, 1).unwrap()
            });
            drop(dropped);
            leader.join().unwrap();
        }
        assert_eq!(follower.join().unwrap(), 1);
    });
}

/// Two want the room of one result at once. Neither hears that there is none, nor that the other is at it, and neither
/// forgets the result of the other, which is its own.
#[test]
fn loom_duplicates_join_where_there_is_room_for_one() {
    loom::model(|| {
        let config = CacheConfig {
            capacity: NonZeroUsize::MIN,
            when_full: WhenFull::EvictOldest,
            ..CacheConfig::default()
        };
        let cache = Arc::new(Cache::new(config, NoTime).unwrap());
        cache.execute(&key(&cache, 1), Fingerprint::NONE, || 0).unwrap();
        let other = thread::spawn({
            let cache = Arc::clone(&cache);
            move || {
                block_on(cache.execute_async(&key(&cache, 0), Fingerprint::NONE, async || 1))
                    .unwrap()
            }
        });
        let mine = cache.execute(&key(&cache, 0), Fingerprint::NONE, || 2).unwrap();
        let other = other.join().unwrap();
        assert_eq!(other, mine);
        assert_eq!(cache.len(), 1);
    });
}
