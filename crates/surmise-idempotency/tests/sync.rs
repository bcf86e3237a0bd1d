//! Threads and tasks that share a cache.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use core::{
    cell::Cell,
    future::Future,
    num::NonZeroUsize,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{panic, sync::Barrier, thread};

use surmise_idempotency::{
    Begin, CacheConfig, Fingerprint, Ticket, WhenFull,
    sync::{ExecuteError, Finished, IdempotencyCache},
};
use surmise_time::{ManualClock, MonotonicClock, OsClock};

const NONE: Fingerprint = Fingerprint::NONE;
const MILLISECOND: Duration = Duration::from_millis(1);

fn config() -> CacheConfig {
    CacheConfig::default()
}

fn cache() -> IdempotencyCache<u64, u64, ManualClock, &'static str> {
    IdempotencyCache::with_checkpoints(config(), ManualClock::default()).unwrap()
}

fn ticket<V: core::fmt::Debug, C: core::fmt::Debug>(begin: Begin<V, C>) -> Ticket<C> {
    match begin {
        Begin::Execute(ticket) | Begin::Recover(ticket) => ticket,
        other => panic!("no ticket: {other:?}"),
    }
}

/// Polls a future once.
fn poll<F: Future>(future: core::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn of_many_threads_one_executes() {
    let cache = IdempotencyCache::<u64, usize, _>::new(config(), OsClock).unwrap();
    let (executed, start) = (AtomicUsize::new(0), Barrier::new(8));
    let execute = || {
        start.wait();
        let run = |key| cache.execute(&key, NONE, || executed.fetch_add(1, Ordering::SeqCst));
        (0..100).map(|key| run(key).unwrap()).collect::<Vec<_>>()
    };
    let results = thread::scope(|scope| {
        let threads = [(); 8].map(|()| scope.spawn(execute));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(executed.load(Ordering::SeqCst), 100);
    assert!(results.iter().all(|other| *other == results[0]));
}

#[test]
fn a_panic_leaves_the_key_in_flight_until_its_lease_ends() {
    let cache = cache();
    let panics = || cache.execute(&1, NONE, || -> u64 { panic!("as asked") });
    assert!(panic::catch_unwind(panic::AssertUnwindSafe(panics)).is_err());

    // Nobody works at it, so that there is nothing to wait for.
    let retried = cache.execute(&1, NONE, || 2);
    assert!(
        matches!(retried, Err(ExecuteError::InFlight { retry_after }) if retry_after == config().lease)
    );

    cache.clock().advance(config().lease);
    let Err(ExecuteError::Recover(ticket)) = cache.execute(&1, NONE, || 3) else { panic!() };
    cache.complete(ticket.into_ticket(), 4).unwrap();
    assert_eq!(cache.execute(&1, NONE, || 5).unwrap(), 4);
}

#[test]
fn a_result_is_kept_as_the_closure_says() {
    let cache = cache();
    assert_eq!(cache.execute(&1, NONE, || Finished::released(1)).unwrap(), 1);
    assert_eq!(cache.execute(&1, NONE, || Finished::kept_briefly(2)).unwrap(), 2);
    assert_eq!(cache.execute(&1, NONE, || 3).unwrap(), 2);

    cache.clock().advance(config().brief_retention);
    assert_eq!(cache.execute(&1, NONE, || Finished::kept(4)).unwrap(), 4);
    cache.clock().advance(config().retention - Duration::from_nanos(1));
    assert_eq!(cache.execute(&1, NONE, || 5).unwrap(), 4);
    cache.clock().advance(Duration::from_nanos(1));
    assert_eq!(cache.execute(&1, NONE, || 6).unwrap(), 6);
}

#[test]
fn a_zombie_has_its_result_back() {
    let cache = cache();
    let result = cache.execute(&1, NONE, || {
        cache.clock().advance(config().lease);
        let ticket = ticket(cache.begin(&1, NONE));
        cache.complete(ticket, 2).unwrap();
        1
    });
    let Err(ExecuteError::Fenced(fenced)) = result else { panic!("{result:?}") };
    assert_eq!(fenced.rejected, 1);
    assert_eq!(cache.begin(&1, NONE), Begin::Replay(2));
}

#[test]
fn a_zombie_that_would_release_has_its_result_back() {
    let cache = cache();
    let result = cache.execute(&1, NONE, || {
        cache.clock().advance(config().lease);
        let _successor = ticket(cache.begin(&1, NONE));
        Finished::released(1)
    });
    let Err(ExecuteError::Fenced(fenced)) = result else { panic!("{result:?}") };
    assert_eq!(fenced.rejected, 1);
    assert!(matches!(cache.begin(&1, NONE), Begin::InFlight { .. }));
}

#[test]
fn who_waits_long_enough_goes() {
    let cache = IdempotencyCache::<u64, u64, _>::new(config(), OsClock).unwrap();
    let _ticket = ticket(cache.begin(&1, NONE));
    for wait in [Duration::ZERO, MILLISECOND] {
        let waited = cache.execute_within(wait, &1, NONE, || 2);
        assert!(matches!(waited, Err(ExecuteError::InFlight { .. })), "{waited:?}");
    }
}

#[test]
fn who_waits_until_the_lease_ends_recovers() {
    let config = CacheConfig { lease: MILLISECOND, ..config() };
    let cache = IdempotencyCache::<u64, u64, _>::new(config, OsClock).unwrap();
    let dead = ticket(cache.begin(&1, NONE));
    let Err(ExecuteError::Recover(ticket)) = cache.execute(&1, NONE, || 2) else { panic!() };
    assert!(ticket.token() > dead.token());
    assert_eq!(cache.complete(dead, 1).unwrap_err().rejected, 1);
}

#[test]
fn checkpoints_and_renewals_reach_the_right_shard() {
    let cache = cache();
    let tickets: Vec<_> = (0..100).map(|key| ticket(cache.begin(&key, NONE))).collect();
    cache.clock().advance(config().lease / 2);
    for ticket in &tickets[..50] {
        cache.save(ticket, "charged").unwrap();
        cache.renew(ticket).unwrap();
    }
    cache.clock().advance(config().lease / 2);
    for (key, _zombie) in tickets.iter().enumerate() {
        let begin = cache.begin(&(key as u64), NONE);
        match begin {
            Begin::InFlight { retry_after } => {
                assert!(key < 50 && retry_after == config().lease / 2);
            }
            Begin::Recover(ticket) => assert!(key >= 50 && ticket.checkpoint().is_none()),
            other => panic!("{other:?}"),
        }
    }
    cache.clock().advance(config().lease / 2);
    assert_eq!(ticket(cache.begin(&0, NONE)).checkpoint(), Some(&"charged"));
    assert!(cache.renew(&tickets[0]).is_err() && cache.save(&tickets[0], "late").is_err());
}

#[test]
fn the_capacity_is_that_of_all_shards() {
    let capacity = NonZeroUsize::MIN.saturating_add(99);
    for (when_full, evicted) in [(WhenFull::Refuse, 0), (WhenFull::EvictOldest, 900)] {
        let config = CacheConfig { capacity, when_full, ..config() };
        let cache = IdempotencyCache::<u64, u64, _>::new(config, ManualClock::default()).unwrap();
        let executed = (0..1000).filter(|key| cache.execute(key, NONE, || *key).is_ok()).count();
        assert_eq!(executed as u64, 100 + evicted);
        assert_eq!((cache.len(), cache.stats().evicted), (100, evicted));
    }
}

#[test]
fn what_is_over_in_one_shard_makes_room_in_another() {
    let capacity = NonZeroUsize::MIN.saturating_add(9);
    let config = CacheConfig { capacity, ..config() };
    let cache = IdempotencyCache::<u64, u64, _>::new(config, ManualClock::default()).unwrap();
    for round in 0..100 {
        for key in 0..10 {
            assert!(cache.execute(&(10 * round + key), NONE, || key).is_ok());
        }
        assert!(matches!(cache.begin(&u64::MAX, NONE), Begin::Full));
        cache.clock().advance(config.retention);
    }
    assert_eq!(cache.expire(10), 10);
    assert!(cache.is_empty());
}

#[test]
fn a_task_that_waits_is_answered_when_the_other_completes() {
    let cache = cache();
    let leader = ticket(cache.begin(&1, NONE));
    let mut follower = pin!(cache.execute_async(&1, NONE, async || 2));
    assert!(poll(follower.as_mut()).is_pending());
    cache.complete(leader, 1).unwrap();
    assert!(matches!(poll(follower), Poll::Ready(Ok(1))));
}

#[test]
fn a_task_that_is_dropped_while_it_waits_leaves_no_trace() {
    let cache = cache();
    let leader = ticket(cache.begin(&1, NONE));
    {
        let mut dropped = pin!(cache.execute_async(&1, NONE, async || 2));
        assert!(poll(dropped.as_mut()).is_pending());
    }
    let mut follower = pin!(cache.execute_async(&1, NONE, async || 3));
    assert!(poll(follower.as_mut()).is_pending());
    cache.release(leader).unwrap();
    assert!(matches!(poll(follower), Poll::Ready(Ok(3))));
}

#[test]
fn a_task_that_is_dropped_at_work_leaves_the_key_in_flight_until_its_lease_ends() {
    let cache = cache();
    let mut follower = pin!(cache.execute_async(&1, NONE, async || 2));
    {
        let mut leader = pin!(cache.execute_async(&1, NONE, core::future::pending::<u64>));
        assert!(poll(leader.as_mut()).is_pending());
        assert!(poll(follower.as_mut()).is_pending());
    }
    assert!(matches!(poll(follower), Poll::Ready(Err(ExecuteError::InFlight { .. }))));
    cache.clock().advance(config().lease);
    let mut next = pin!(cache.execute_async(&1, NONE, async || 3));
    assert!(matches!(poll(next.as_mut()), Poll::Ready(Err(ExecuteError::Recover(_)))));
}

#[test]
fn a_task_that_waits_for_one_that_died_waits_for_its_successor() {
    let cache = cache();
    let _dead = ticket(cache.begin(&1, NONE));
    let mut follower = pin!(cache.execute_async(&1, NONE, async || 2));
    assert!(poll(follower.as_mut()).is_pending());
    cache.clock().advance(config().lease);
    let successor = ticket(cache.begin(&1, NONE));
    assert!(poll(follower.as_mut()).is_pending());
    cache.complete(successor, 1).unwrap();
    assert!(matches!(poll(follower), Poll::Ready(Ok(1))));
}

#[test]
fn a_recovery_that_is_dropped_keeps_nobody_waiting() {
    let cache = cache();
    let _hung = ticket(cache.begin(&1, NONE));
    let mut followers =
        [(); 2].map(|()| Box::pin(cache.execute_async(&1, NONE, core::future::pending::<u64>)));
    for follower in &mut followers {
        assert!(poll(follower.as_mut()).is_pending());
    }
    cache.clock().advance(config().lease);
    let [first, second] = &mut followers;
    let Poll::Ready(Err(error)) = poll(first.as_mut()) else { panic!("its lease is over") };
    assert!(matches!(error, ExecuteError::Recover(_)), "{error:?}");
    assert!(poll(second.as_mut()).is_pending());

    let passed_on: Result<(), Box<dyn core::error::Error>> = Err(error.into());
    drop(passed_on);
    let answer = poll(second.as_mut());
    assert!(matches!(answer, Poll::Ready(Err(ExecuteError::InFlight { .. }))), "{answer:?}");
    // Nor does anybody who comes later.
    assert!(matches!(cache.execute(&1, NONE, || 2), Err(ExecuteError::InFlight { .. })));
    cache.clock().advance(config().lease);
    assert!(matches!(cache.execute(&1, NONE, || 2), Err(ExecuteError::Recover(_))));
}

#[test]
fn a_recovery_is_used_by_its_ticket() {
    let cache = cache();
    let dead = ticket(cache.begin(&1, NONE));
    cache.save(&dead, "charged").unwrap();
    cache.clock().advance(config().lease);
    let Err(ExecuteError::Recover(recovery)) = cache.execute(&1, NONE, || 2) else { panic!() };
    assert_eq!(recovery.checkpoint(), Some(&"charged"));
    cache.renew(&recovery).unwrap();
    let mut follower = pin!(cache.execute_async(&1, NONE, async || 3));
    assert!(poll(follower.as_mut()).is_pending());
    cache.release(recovery.into_ticket()).unwrap();
    let Poll::Ready(Err(ExecuteError::Recover(recovery))) = poll(follower) else { panic!() };
    cache.complete(recovery.into_ticket(), 1).unwrap();
    assert!(matches!(cache.execute(&1, NONE, || 4), Ok(1)));
}

#[test]
fn who_executes_renews_and_saves_and_knows_its_token() {
    let cache = cache();
    let mut kept = None;
    let result = cache.execute_with(&1, NONE, |execution| {
        for _ in 0..3 {
            cache.clock().advance(config().lease - Duration::from_nanos(1));
            execution.renew().unwrap();
            assert!(matches!(cache.begin(&1, NONE), Begin::InFlight { .. }));
        }
        execution.save("charged").unwrap();
        cache.clock().advance(config().lease);
        let successor = ticket(cache.begin(&1, NONE));
        assert_eq!(successor.checkpoint(), Some(&"charged"));
        assert!(successor.token() > execution.token());
        assert!(execution.renew().is_err());
        assert_eq!(execution.save("shipped").unwrap_err().rejected, "shipped");
        cache.complete(successor, 2).unwrap();
        kept = Some(execution);
        1
    });
    assert!(matches!(result, Err(ExecuteError::Fenced(fenced)) if fenced.rejected == 1));
    assert!(kept.unwrap().renew().is_err());
}

/// A timer of a runtime that is ready when the clock says so.
async fn sleep(clock: &ManualClock, time: Duration) {
    let until = clock.now() + time;
    core::future::poll_fn(|_| if clock.now() < until { Poll::Pending } else { Poll::Ready(()) })
        .await;
}

#[test]
fn a_task_that_has_a_timer_recovers_when_the_lease_ends() {
    let cache = cache();
    let _dead = ticket(cache.begin(&1, NONE));
    let slept = Cell::new(0);
    let timer = |time| {
        slept.set(slept.get() + 1);
        assert!(time <= config().lease);
        sleep(cache.clock(), time)
    };
    let execute = cache.execute_async_with(timer, &1, NONE, |execution| async move {
        assert!(execution.renew().is_ok());
        2
    });
    let mut execute = pin!(execute);
    assert!(poll(execute.as_mut()).is_pending());
    assert_eq!(slept.get(), 1);
    cache.clock().advance(config().lease);
    let answer = poll(execute.as_mut());
    assert!(matches!(answer, Poll::Ready(Err(ExecuteError::Recover(_)))), "{answer:?}");

    let timer = |time| sleep(cache.clock(), time);
    let executes = cache.execute_async_with(timer, &2, NONE, |execution| async move {
        assert!(execution.renew().is_ok());
        3
    });
    assert!(matches!(poll(pin!(executes)), Poll::Ready(Ok(3))));
}

/// Whoever polls it once gets it back, for others to run.
#[test]
fn a_timer_that_is_ahead_of_the_clock_does_not_spin() {
    let cache = cache();
    let leader = ticket(cache.begin(&1, NONE));
    let at_once = |_| core::future::ready(());
    let mut follower = pin!(cache.execute_async_with(at_once, &1, NONE, |_| async { 2 }));
    for _ in 0..10 {
        assert!(poll(follower.as_mut()).is_pending());
    }
    cache.complete(leader, 1).unwrap();
    assert!(matches!(poll(follower), Poll::Ready(Ok(1))));
}

#[test]
fn no_two_executions_have_the_same_token() {
    let cache = cache();
    let tokens = (0..100).map(|key| ticket(cache.begin(&key, NONE)).token());
    assert!(tokens.is_sorted_by(|earlier, later| earlier < later));
}
