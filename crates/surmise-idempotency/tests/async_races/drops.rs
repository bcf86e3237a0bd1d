//! Callers that go, wherever they are.

use alloc::sync::Arc;
use core::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::caller::{
    Cache, Caller, LEASE, RETENTION, Wakes, ask, execute, fingerprint, in_flight, is_fenced, kept,
    recovers, released, replays, roomy,
};

#[test]
fn a_follower_that_is_dropped_leaves_no_trace() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let staying = Caller::waits(&cache, "a", 0);
    for _ in 0..50 {
        let going = Caller::waits(&cache, "a", 0);
        let waker = going.waker();
        drop(going);
        assert_eq!(Arc::strong_count(&waker), 1, "its waker is kept");
    }
    replays(leader.finish(kept("done")), "done");
    assert_eq!(staying.wakes(), 1);
    replays(staying.answer(), "done");
}

#[test]
fn a_follower_that_was_answered_leaves_no_trace() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let follower = Caller::waits(&cache, "a", 0);
    let waker = follower.waker();
    replays(leader.finish(kept("done")), "done");
    replays(follower.answer(), "done");
    assert_eq!(Arc::strong_count(&waker), 1, "its waker is kept");
}

/// Whoever is woken and goes takes nothing with it that others wait for.
#[test]
fn a_follower_that_is_dropped_after_it_was_woken_does_not_hold_up_the_others() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let mut followers: Vec<_> = (0..3).map(|_| Caller::waits(&cache, "a", 0)).collect();
    replays(leader.finish(released("nothing")), "nothing");
    drop(followers.remove(0));
    assert!(followers.iter().all(|follower| follower.wakes() == 1));
    // Nor whoever executed instead, and goes as well.
    let mut next = followers.remove(0);
    next.must_execute();
    let mut last = followers.remove(0);
    last.must_wait();
    drop(next);
    assert_eq!(last.wakes(), 2);
    assert_eq!(in_flight(last.answer()), LEASE);
}

#[test]
fn a_call_that_is_never_polled_begins_nothing() {
    let cache = roomy();
    drop(Caller::new(&cache, "a", 0));
    assert!(cache.is_empty());
    execute(&cache, "a", 0, kept("done"));
}

/// A future of some steps is dropped after each of them.
#[test]
fn dropped_at_each_await() {
    // Of these polls the last one is answered.
    const POLLS: usize = 6;
    for polls in 1..=POLLS {
        let cache = roomy();
        let mut leader = Box::pin(cache.execute_async("a", fingerprint(0), async || {
            for _ in 1..POLLS {
                pending_once().await;
            }
            "done".to_owned()
        }));
        let mut context = Context::from_waker(Waker::noop());
        for nth in 1..=polls {
            assert_eq!(leader.as_mut().poll(&mut context).is_ready(), nth == POLLS);
        }
        if polls == POLLS {
            drop(leader);
            replays(ask(&cache, "a", 0), "done");
            continue;
        }
        let follower = Caller::waits(&cache, "a", 0);
        drop(leader);
        assert_eq!(follower.wakes(), 1);
        assert_eq!(in_flight(follower.answer()), LEASE);
        cache.clock().advance(LEASE);
        drop(recovers(ask(&cache, "a", 0)));
    }
}

async fn pending_once() {
    let mut polls = 0..1;
    poll_fn(|_| if polls.next().is_some() { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// Between two polls a caller may go to another task, whose waker is the one that counts.
#[test]
fn the_latest_waker_is_woken() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let wakes = [(); 2].map(|()| Arc::new(Wakes::default()));
    let mut follower = pin!(cache.execute_async("a", fingerprint(0), async || String::new()));
    for wakes in &wakes {
        let waker = Waker::from(Arc::clone(wakes));
        assert!(follower.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&wakes[0]), 1, "the earlier waker is kept");
    replays(leader.finish(kept("done")), "done");
    assert_eq!(wakes.map(|wakes| wakes.count()), [0, 1]);
}

/// Nobody ended what it waits for, and the record lies elsewhere when somebody executes anew.
#[test]
fn a_follower_of_what_is_forgotten_is_woken() {
    let keys: Vec<_> = (0..50).map(|key| key.to_string()).collect();
    let others: Vec<_> = (50..100).map(|key| key.to_string()).collect();
    let expire = |cache: &Cache| assert_eq!(cache.expire(keys.len()), keys.len());
    let push_out = |cache: &Cache| {
        others.iter().for_each(|key| execute(cache, key, 0, kept("other")));
    };
    let ways: [&dyn Fn(&Cache); 2] = [&expire, &push_out];
    for (key, forget) in keys.iter().flat_map(|key| ways.map(|forget| (key, forget))) {
        let cache = roomy();
        let _hung: Vec<_> = keys.iter().map(|key| Caller::executes(&cache, key, 0)).collect();
        let follower = Caller::waits(&cache, key, 0);
        cache.clock().advance(LEASE + RETENTION);
        forget(&cache);
        execute(&cache, key, 0, kept("done"));
        assert!(follower.wakes() > 0, "it waits for ever");
        replays(follower.answer(), "done");

        // That was once. Whoever waits by now is not woken for it.
        cache.expire(keys.len());
        let _leader = Caller::executes(&cache, "leader", 0);
        let follower = Caller::waits(&cache, "leader", 0);
        let more: Vec<_> = (100..140).map(|key| key.to_string()).collect();
        let _more: Vec<_> = more.iter().map(|key| Caller::executes(&cache, key, 0)).collect();
        assert_eq!(follower.wakes(), 0);
    }
}

#[test]
fn a_follower_of_what_expires_executes() {
    let cache = roomy();
    let hung = Caller::executes(&cache, "a", 0);
    let mut followers = [(); 3].map(|()| Caller::waits(&cache, "a", 0));
    cache.clock().advance(LEASE + RETENTION);
    assert_eq!(cache.expire(1), 1);
    assert!(followers.iter().all(|follower| follower.wakes() == 1));
    followers[0].must_execute();
    followers[1].must_wait();
    is_fenced(hung.finish(kept("late")), "late");
    let [executor, follower, last] = followers;
    replays(executor.finish(kept("done")), "done");
    replays(follower.answer(), "done");
    replays(last.answer(), "done");
}
