//! Callers that go, wherever they are.

use alloc::sync::Arc;
use core::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::caller::{
    Caller, LEASE, Wakes, ask, execute, fingerprint, in_flight, kept, recovers, released, replays,
    roomy,
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
