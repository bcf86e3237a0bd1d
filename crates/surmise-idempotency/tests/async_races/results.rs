//! What is kept, for how long, and by which clock.

use super::caller::{
    BRIEF, Caller, LEASE, RETENTION, TICK, ask, execute, in_flight, kept, kept_briefly, recovers,
    released, replays, roomy, set_back,
};

#[test]
fn error_is_released() {
    let cache = roomy();
    let failed = Caller::executes(&cache, "a", 0);
    let mut followers = [(); 50].map(|()| Caller::waits(&cache, "a", 0));
    replays(failed.finish(released("nothing")), "nothing");
    assert!(followers.iter().all(|follower| follower.wakes() == 1));
    // Of those who waited one executes, whichever is polled first, and the others wait for it.
    followers.reverse();
    let mut followers = followers.into_iter();
    let mut next = followers.next().expect("there are fifty");
    next.must_execute();
    let mut others: Vec<_> = followers.collect();
    others.iter_mut().for_each(Caller::must_wait);
    replays(next.finish(kept("done")), "done");
    for other in others {
        assert_eq!(other.wakes(), 2);
        replays(other.answer(), "done");
    }

    // It is as if there had been no request, so that the next may be another one.
    execute(&cache, "b", 0, released("nothing"));
    execute(&cache, "b", 1, kept("done"));
    replays(ask(&cache, "b", 1), "done");
}

#[test]
fn error_is_kept_briefly() {
    let cache = roomy();
    let failed = Caller::executes(&cache, "a", 0);
    let follower = Caller::waits(&cache, "a", 0);
    replays(failed.finish(kept_briefly("503")), "503");
    replays(follower.answer(), "503");
    cache.clock().advance(BRIEF - TICK);
    replays(ask(&cache, "a", 0), "503");
    cache.clock().advance(TICK);
    execute(&cache, "a", 0, kept("done"));
}

#[test]
fn error_is_kept_like_a_result() {
    let cache = roomy();
    for (key, value) in [("a", "402"), ("b", "")] {
        execute(&cache, key, 0, kept(value));
    }
    cache.clock().advance(RETENTION - TICK);
    for (key, value) in [("a", "402"), ("b", "")] {
        replays(ask(&cache, key, 0), value);
    }
    cache.clock().advance(TICK);
    for key in ["a", "b"] {
        Caller::executes(&cache, key, 0);
    }
}

#[test]
fn retention_counts_from_completion() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    cache.clock().advance(LEASE + RETENTION - TICK);
    replays(leader.finish(kept("done")), "done");
    // Replays do not prolong it.
    for _ in 0..2 {
        cache.clock().advance((RETENTION - TICK) / 2);
        replays(ask(&cache, "a", 0), "done");
    }
    cache.clock().advance(2 * TICK);
    Caller::executes(&cache, "a", 0);
}

#[test]
fn time_steps_back() {
    let cache = roomy();
    cache.clock().advance(10 * RETENTION);
    let leader = Caller::executes(&cache, "a", 0);
    set_back(&cache, 5 * RETENTION);
    let follower = Caller::waits(&cache, "a", 0);
    replays(leader.finish(kept("done")), "done");
    replays(follower.answer(), "done");
    cache.clock().advance(6 * RETENTION - TICK);
    replays(ask(&cache, "a", 0), "done");
    cache.clock().advance(TICK);
    let leader = Caller::executes(&cache, "a", 0);
    set_back(&cache, RETENTION);
    Caller::waits(&cache, "a", 0);
    replays(leader.finish(released("nothing")), "nothing");
}

#[test]
fn time_steps_back_in_flight() {
    let cache = roomy();
    cache.clock().advance(10 * LEASE);
    drop(Caller::executes(&cache, "a", 0));
    set_back(&cache, 5 * LEASE);
    assert_eq!(in_flight(ask(&cache, "a", 0)), LEASE);
    cache.clock().advance(6 * LEASE - TICK);
    assert_eq!(in_flight(ask(&cache, "a", 0)), TICK);
    cache.clock().advance(TICK);
    let recoverer = recovers(ask(&cache, "a", 0));
    set_back(&cache, 5 * LEASE);
    let mut follower = Caller::waits(&cache, "a", 0);
    cache.renew(&recoverer).expect("nobody took over");
    follower.must_wait();
    cache.complete(recoverer, "done".to_owned()).expect("nobody took over");
    replays(follower.answer(), "done");
}
