//! Futures that are dropped or panic, and those that take longer than their lease.

use core::{
    future::Ready,
    iter::repeat_with,
    panic::AssertUnwindSafe,
    pin::pin,
    task::{Context, Waker},
};
use std::panic::catch_unwind;

use surmise_idempotency::{Begin, Ticket};

use super::caller::{
    Cache, Caller, LEASE, RETENTION, TICK, ask, execute, fingerprint, in_flight, kept, recovers,
    released, replays, roomy,
};

fn begin(cache: &Cache, key: &str) -> Ticket<String> {
    match cache.begin(key, fingerprint(0)) {
        Begin::Execute(ticket) => ticket,
        other => panic!("to be executed, but it says {other:?}"),
    }
}

#[test]
fn crash_midway() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let followers: Vec<_> = repeat_with(|| Caller::waits(&cache, "a", 0)).take(50).collect();
    drop(leader);
    // There is nobody to wait for, and nobody executes in its place.
    for follower in followers {
        assert_eq!(follower.wakes(), 1);
        assert_eq!(in_flight(follower.answer()), LEASE);
    }
    cache.clock().advance(LEASE - TICK);
    assert_eq!(in_flight(ask(&cache, "a", 0)), TICK);
    cache.clock().advance(TICK);
    let recoverer = recovers(ask(&cache, "a", 0));
    assert_eq!(recoverer.checkpoint(), None);
    let follower = Caller::waits(&cache, "a", 0);
    cache.complete(recoverer, "recovered".to_owned()).expect("nobody took over");
    assert_eq!(follower.wakes(), 1);
    replays(follower.answer(), "recovered");
}

#[test]
fn crash_of_the_recoverer() {
    let cache = roomy();
    drop(Caller::executes(&cache, "a", 0));
    cache.clock().advance(LEASE);
    let mut last = recovers(ask(&cache, "a", 0));
    let mut follower = Caller::waits(&cache, "a", 0);
    for nth in 1..4 {
        cache.clock().advance(LEASE);
        // Whoever waits is not to recover unasked: it waits for the next one.
        let next = recovers(ask(&cache, "a", 0));
        assert!(next.token() > last.token());
        assert_eq!(follower.wakes(), nth);
        follower.must_wait();
        assert!(cache.complete(last, "late".to_owned()).is_err());
        last = next;
    }
    cache.abandon(last).expect("nobody took over");
    assert_eq!(follower.wakes(), 4);
    assert_eq!(in_flight(follower.answer()), LEASE);
}

#[test]
fn panic_of_the_future() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let followers: Vec<_> = repeat_with(|| Caller::waits(&cache, "a", 0)).take(50).collect();
    let _left = leader.panic();
    // It is given up by now, and not only once its future is dropped.
    for follower in followers {
        assert_eq!(follower.wakes(), 1);
        assert_eq!(in_flight(follower.answer()), LEASE);
    }
    must_be_recovered_from(&cache);
}

#[test]
fn panic_before_there_is_a_future() {
    let cache = roomy();
    let panics = || -> Ready<String> { panic!("as asked") };
    let mut leader = pin!(cache.execute_async("a", fingerprint(0), panics));
    let mut context = Context::from_waker(Waker::noop());
    let poll = AssertUnwindSafe(|| leader.as_mut().poll(&mut context).is_ready());
    catch_unwind(poll).unwrap_err();
    assert_eq!(in_flight(ask(&cache, "a", 0)), LEASE);
    must_be_recovered_from(&cache);
}

/// Fails unless one caller, and no other, is to recover from what was done of a key just now.
fn must_be_recovered_from(cache: &Cache) {
    cache.clock().advance(LEASE - TICK);
    assert_eq!(in_flight(ask(cache, "a", 0)), TICK);
    cache.clock().advance(TICK);
    let recoverer = recovers(ask(cache, "a", 0));
    Caller::waits(cache, "a", 0);
    cache.complete(recoverer, "recovered".to_owned()).expect("nobody took over");
    replays(ask(cache, "a", 0), "recovered");
}

#[test]
fn late_but_not_superseded() {
    let cache = roomy();
    let [late, failed] = ["a", "b"].map(|key| Caller::executes(&cache, key, 0));
    let followers = ["a", "b"].map(|key| Caller::waits(&cache, key, 0));
    cache.clock().advance(2 * LEASE);
    replays(late.finish(kept("late")), "late");
    replays(failed.finish(released("nothing")), "nothing");
    let [answered, mut executing] = followers;
    replays(answered.answer(), "late");
    executing.must_execute();
    replays(executing.finish(kept("done")), "done");
}

#[test]
fn renewed_lease() {
    let cache = roomy();
    let leader = begin(&cache, "a");
    let mut follower = Caller::waits(&cache, "a", 0);
    for _ in 0..3 {
        cache.clock().advance(LEASE - TICK);
        cache.renew(&leader).expect("nobody took over");
        follower.must_wait();
        Caller::waits(&cache, "a", 0);
    }
    cache.clock().advance(LEASE);
    let recoverer = recovers(ask(&cache, "a", 0));
    assert!(cache.renew(&leader).is_err());
    follower.must_wait();
    cache.complete(recoverer, "done".to_owned()).expect("nobody took over");
    replays(follower.answer(), "done");
}

#[test]
fn checkpoints_are_handed_on() {
    let cache = roomy();
    let first = begin(&cache, "a");
    for step in ["charged", "shipped"] {
        cache.save(&first, step.to_owned()).expect("nobody took over");
    }
    for _ in 0..2 {
        cache.clock().advance(LEASE);
        let recoverer = recovers(ask(&cache, "a", 0));
        assert_eq!(recoverer.checkpoint().map(String::as_str), Some("shipped"));
    }
    assert!(cache.save(&first, "charged twice".to_owned()).is_err());
    cache.clock().advance(LEASE);
    let last = recovers(ask(&cache, "a", 0));
    assert_eq!(last.checkpoint().map(String::as_str), Some("shipped"));
    cache.complete(last, "arrived".to_owned()).expect("nobody took over");
    cache.clock().advance(RETENTION);

    drop(Caller::executes(&cache, "a", 0));
    cache.clock().advance(LEASE);
    assert_eq!(recovers(ask(&cache, "a", 0)).checkpoint(), None);
}

#[test]
fn the_abandoned_is_forgotten_in_the_end() {
    let cache = roomy();
    for key in ["a", "b"] {
        drop(Caller::executes(&cache, key, 0));
    }
    cache.clock().advance(LEASE + RETENTION - TICK);
    let _recoverer = recovers(ask(&cache, "a", 0));
    cache.clock().advance(TICK);
    Caller::waits(&cache, "a", 0);
    execute(&cache, "b", 0, kept("done"));
}
