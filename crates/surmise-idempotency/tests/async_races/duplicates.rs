//! Requests that come twice, and keys that come for something else.

use core::iter::repeat_with;

use super::caller::{Caller, LEASE, ask, execute, kept, mismatches, recovers, replays, roomy};

#[test]
fn concurrent_duplicate() {
    let cache = roomy();
    let leader = Caller::executes(&cache, "a", 0);
    let mut followers: Vec<_> = repeat_with(|| Caller::waits(&cache, "a", 0)).take(50).collect();
    let other_keys: Vec<_> = (0..50).map(|key| key.to_string()).collect();
    let others: Vec<_> = other_keys.iter().map(|key| Caller::executes(&cache, key, 0)).collect();
    let mut other_followers: Vec<_> =
        other_keys.iter().map(|key| Caller::waits(&cache, key, 0)).collect();
    // To be polled for nothing changes nothing.
    followers.iter_mut().for_each(Caller::must_wait);
    assert!(followers.iter().all(|follower| follower.wakes() == 0));

    replays(leader.finish(kept("done")), "done");
    for follower in followers {
        assert_eq!(follower.wakes(), 1);
        replays(follower.answer(), "done");
    }
    replays(ask(&cache, "a", 0), "done");
    // Nobody is woken for another key, though it be in the same shard.
    other_followers.iter_mut().for_each(Caller::must_wait);
    for (other, follower) in others.into_iter().zip(other_followers) {
        assert_eq!(follower.wakes(), 0);
        replays(other.finish(kept("other")), "other");
        replays(follower.answer(), "other");
    }
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
