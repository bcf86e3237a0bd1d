//! The cache among tasks that run at once, on threads that take them from each other. Nothing here depends on how long
//! anything takes.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use surmise_idempotency::{
    CacheConfig, Fingerprint,
    sync::{ExecuteError, Finished, IdempotencyCache},
};
use surmise_time::ManualClock;
use tokio::{
    sync::{Barrier, Semaphore},
    task::{JoinHandle, JoinSet, yield_now},
};

const NONE: Fingerprint = Fingerprint::NONE;

type Cache = IdempotencyCache<u64, usize, ManualClock>;

fn cache() -> Arc<Cache> {
    Arc::new(Cache::new(CacheConfig::default(), ManualClock::default()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_duplicate() {
    let (cache, executed) = (cache(), Arc::new(AtomicUsize::new(0)));
    for key in 0..200 {
        let start = Arc::new(Barrier::new(50));
        let mut duplicates = JoinSet::new();
        for _ in 0..50 {
            let (cache, executed, start) = (cache.clone(), executed.clone(), start.clone());
            duplicates.spawn(async move {
                start.wait().await;
                let work = async || {
                    yield_now().await;
                    executed.fetch_add(1, Ordering::SeqCst)
                };
                cache.execute_async(&key, NONE, work).await.unwrap()
            });
        }
        let results = duplicates.join_all().await;
        assert_eq!(results, [usize::try_from(key).unwrap(); 50]);
    }
    assert_eq!(executed.load(Ordering::SeqCst), 200);
}

/// Each of many executes once, and never two at once: a wake-up that gets lost is a test that never ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn error_is_released() {
    for key in 0..50 {
        let (cache, at_once) = (cache(), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for nth in 0..50 {
            let (cache, at_once) = (cache.clone(), at_once.clone());
            tasks.spawn(async move {
                let work = async || {
                    assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0, "two at once");
                    yield_now().await;
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    Finished::released(nth)
                };
                assert_eq!(cache.execute_async(&key, NONE, work).await.unwrap(), nth);
            });
        }
        tasks.join_all().await;
        assert!(cache.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crash_midway() {
    for key in 0..200 {
        let (cache, begun) = (cache(), Arc::new(Semaphore::new(0)));
        let leader = hanging(&cache, key, &begun);
        begun.acquire().await.unwrap().forget();
        let mut followers = JoinSet::new();
        for _ in 0..50 {
            let cache = cache.clone();
            followers.spawn(async move { cache.execute_async(&key, NONE, async || 1).await });
        }
        // Some wait by now, and some do not yet.
        yield_now().await;
        leader.abort();
        assert!(leader.await.unwrap_err().is_cancelled());
        for answer in followers.join_all().await {
            assert!(matches!(answer, Err(ExecuteError::InFlight { .. })), "{answer:?}");
        }
        cache.clock().advance(cache.config().lease);
        let recovery = cache.execute_async(&key, NONE, async || 1).await;
        assert!(matches!(recovery, Err(ExecuteError::Recover(_))), "{recovery:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn panic_of_the_future() {
    let cache = cache();
    let (begun, may_go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let leader = {
        let (cache, begun, may_go) = (cache.clone(), begun.clone(), may_go.clone());
        tokio::spawn(async move {
            let work = async || -> usize {
                begun.add_permits(1);
                may_go.acquire().await.unwrap().forget();
                panic!("as asked")
            };
            cache.execute_async(&1, NONE, work).await
        })
    };
    begun.acquire().await.unwrap().forget();
    let mut followers = JoinSet::new();
    for _ in 0..50 {
        let cache = cache.clone();
        followers.spawn(async move { cache.execute_async(&1, NONE, async || 1).await });
    }
    yield_now().await;
    may_go.add_permits(1);
    assert!(leader.await.unwrap_err().is_panic());
    for answer in followers.join_all().await {
        assert!(matches!(answer, Err(ExecuteError::InFlight { .. })), "{answer:?}");
    }
}

/// Those who are aborted, wherever they are, hold up nobody who stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dropped_followers() {
    for key in 0..200 {
        let (cache, begun) = (cache(), Arc::new(Semaphore::new(0)));
        let may_end = Arc::new(Semaphore::new(0));
        let leader = {
            let (cache, begun, may_end) = (cache.clone(), begun.clone(), may_end.clone());
            tokio::spawn(async move {
                let work = async || {
                    begun.add_permits(1);
                    may_end.acquire().await.unwrap().forget();
                    Finished::released(0)
                };
                cache.execute_async(&key, NONE, work).await
            })
        };
        begun.acquire().await.unwrap().forget();
        let follow = || {
            let cache = cache.clone();
            tokio::spawn(async move { cache.execute_async(&key, NONE, async || 7).await })
        };
        let [going, staying] = [(); 2].map(|()| (0..25).map(|_| follow()).collect::<Vec<_>>());
        yield_now().await;
        may_end.add_permits(1);
        going.iter().for_each(JoinHandle::abort);
        assert_eq!(leader.await.unwrap().unwrap(), 0);
        for follower in staying {
            assert_eq!(follower.await.unwrap().unwrap(), 7);
        }
    }
}

/// Executes something that never ends.
fn hanging(
    cache: &Arc<Cache>,
    key: u64,
    begun: &Arc<Semaphore>,
) -> JoinHandle<Result<usize, ExecuteError<u64, usize>>> {
    let (cache, begun) = (cache.clone(), begun.clone());
    tokio::spawn(async move {
        let work = async || {
            begun.add_permits(1);
            core::future::pending::<usize>().await
        };
        cache.execute_async(&key, NONE, work).await
    })
}
