//! Futures that go on after they were given up. What they bring comes back, and nothing changes.

use surmise_idempotency::Ticket;

use super::caller::{
    Cache, Caller, LEASE, RETENTION, TICK, ask, is_fenced, kept, kept_briefly, recovers, released,
    replays, roomy,
};

#[test]
fn expiry_while_running() {
    let cache = roomy();
    let [zombie, other_zombie] = ["a", "b"].map(|key| Caller::executes(&cache, key, 0));
    let [mut follower, mut other_follower] = ["a", "b"].map(|key| Caller::waits(&cache, key, 0));
    cache.clock().advance(LEASE);
    let [successor, other] = ["a", "b"].map(|key| recovers(ask(&cache, key, 0)));
    // They wait for the successor now.
    for follower in [&mut follower, &mut other_follower] {
        assert_eq!(follower.wakes(), 1);
        follower.must_wait();
    }

    is_fenced(zombie.finish(kept("late")), "late");
    is_fenced(other_zombie.finish(released("nothing")), "nothing");
    for follower in [&mut follower, &mut other_follower] {
        assert_eq!(follower.wakes(), 1, "a zombie wakes nobody");
        follower.must_wait();
    }

    cache.complete(successor, "done".to_owned()).expect("nobody took over");
    replays(follower.answer(), "done");
    cache.renew(&other).expect("nobody took over");
    cache.complete(other, "done".to_owned()).expect("nobody took over");
    replays(other_follower.answer(), "done");
}

/// To be dropped is all that is left to it, and ends nothing of its successor's.
#[test]
fn expiry_while_running_and_dropped() {
    let cache = roomy();
    let zombie = Caller::executes(&cache, "a", 0);
    cache.clock().advance(LEASE);
    let successor = recovers(ask(&cache, "a", 0));
    let mut follower = Caller::waits(&cache, "a", 0);
    drop(zombie);
    assert_eq!(follower.wakes(), 0);
    follower.must_wait();
    cache.complete(successor, "done".to_owned()).expect("nobody took over");
    replays(follower.answer(), "done");
}

#[test]
fn zombie_after_completion() {
    let cache = roomy();
    let zombies = superseded(&cache, |successor| {
        cache.complete(successor, "done".to_owned()).expect("nobody took over");
    });
    let [late, brief, failed, dropped] = zombies;
    is_fenced(late.finish(kept("late")), "late");
    is_fenced(brief.finish(kept_briefly("late")), "late");
    is_fenced(failed.finish(released("nothing")), "nothing");
    drop(dropped);
    cache.clock().advance(RETENTION - TICK);
    for key in KEYS {
        replays(ask(&cache, key, 0), "done");
    }
}

#[test]
fn zombie_after_release() {
    let cache = roomy();
    let zombies = superseded(&cache, |successor| {
        cache.release(successor).expect("nobody took over");
    });
    let thirds = KEYS.map(|key| recovers(ask(&cache, key, 0)));
    let mut followers = KEYS.map(|key| Caller::waits(&cache, key, 0));
    let [late, brief, failed, dropped] = zombies;
    is_fenced(late.finish(kept("late")), "late");
    is_fenced(brief.finish(kept_briefly("late")), "late");
    is_fenced(failed.finish(released("nothing")), "nothing");
    drop(dropped);
    followers.iter_mut().for_each(Caller::must_wait);
    for third in thirds {
        cache.complete(third, "done".to_owned()).expect("nobody took over");
    }
    for follower in followers {
        assert_eq!(follower.wakes(), 1);
        replays(follower.answer(), "done");
    }
}

#[test]
fn zombie_after_oblivion() {
    let cache = roomy();
    let zombies = KEYS.map(|key| Caller::executes(&cache, key, 0));
    cache.clock().advance(LEASE + RETENTION);
    let keys = ["f", "a", "e", "b", "c", "d"];
    let others = keys.map(|key| Caller::executes(&cache, key, 0));
    let [late, brief, failed, dropped] = zombies;
    is_fenced(late.finish(kept("late")), "late");
    is_fenced(brief.finish(kept_briefly("late")), "late");
    is_fenced(failed.finish(released("nothing")), "nothing");
    drop(dropped);
    for (key, other) in keys.into_iter().zip(others) {
        replays(other.finish(kept(key)), key);
        replays(ask(&cache, key, 0), key);
    }
}

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// Returns futures that execute keys whose successors did something.
fn superseded<'a>(cache: &'a Cache, ended: impl Fn(Ticket<String>)) -> [Caller<'a>; 4] {
    let zombies = KEYS.map(|key| Caller::executes(cache, key, 0));
    cache.clock().advance(LEASE);
    for key in KEYS {
        ended(recovers(ask(cache, key, 0)));
    }
    zombies
}
