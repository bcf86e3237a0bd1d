//! Requests that come twice, and keys that come for something else.

use core::iter::repeat_with;

use super::caller::{Caller, LEASE, ask, execute, kept, mismatches, recovers, replays, roomy};

#[test]
fn concurrent_duplicate() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let mut followers: Vec<_> = repeat_with(|| Caller::waits(&cache, "a", 0)).take(50).collect();
    let other = Caller::executes(&cache, "b", 0);
    let mut other_follower = Caller::waits(&cache, "b", 0);
    // To be polled for nothing changes nothing.
    followers.iter_mut().for_each(Caller::must_wait);
    assert!(followers.iter().all(|follower| follower.wakes() == 0));

    replays(leader.finish(kept("done")), "done");
    for follower in followers {
        assert_eq!(follower.wakes(), 1);
        replays(follower.answer(), "done");
    }
    replays(ask(&cache, "a", 0), "done");
    other_follower.must_wait();
    assert_eq!(other_follower.wakes(), 0);
    replays(other.finish(kept("other")), "other");
    replays(other_follower.answer(), "other");
}

#[test]
fn other_payload_while_done() {
    let cache = roomy();
    execute(&cache, "a", 0, kept("done"));
    mismatches(ask(&cache, "a", 1));
    replays(ask(&cache, "a", 0), "done");
}

#[test]
fn other_payload_while_in_flight() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let follower = Caller::waits(&cache, "a", 0);
    // It does not wait either.
    mismatches(ask(&cache, "a", 1));
    replays(leader.finish(kept("done")), "done");
    replays(follower.answer(), "done");
    mismatches(ask(&cache, "a", 1));
}

#[test]
fn other_payload_while_indeterminate() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    cache.clock().advance(LEASE);
    mismatches(ask(&cache, "a", 1));
    replays(leader.finish(kept("done")), "done");

    drop(Caller::executes(&cache, "b", 0));
    for _ in 0..2 {
        mismatches(ask(&cache, "b", 1));
        cache.clock().advance(LEASE);
    }
    mismatches(ask(&cache, "b", 1));
    let recoverer = recovers(ask(&cache, "b", 0));
    mismatches(ask(&cache, "b", 1));
    cache.complete(recoverer, "done".to_owned()).expect("nobody took over");
    replays(ask(&cache, "b", 0), "done");
}
