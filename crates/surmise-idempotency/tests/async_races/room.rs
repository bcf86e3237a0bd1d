//! Caches that have room for a few keys, and too many callers.

use surmise_idempotency::WhenFull;

use super::caller::{
    Cache, Caller, LEASE, RETENTION, TICK, ask, cache, execute, kept, mismatches, refuses, replays,
};

const POLICIES: [WhenFull; 2] = [WhenFull::Refuse, WhenFull::EvictOldest];

fn names(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|nth| format!("{name}-{nth}")).collect()
}

/// Returns the keys of a cache that is full of results.
fn fill(cache: &Cache, name: &str) -> Vec<String> {
    let keys = names(name, cache.config().capacity.get());
    for key in &keys {
        execute(cache, key, 0, kept("done"));
    }
    keys
}

#[test]
fn fresh_among_hot() {
    // Where there are fewer keys than shards, room is made in another one.
    for (room, count) in [(1, 1), (4, 4), (1000, 100)] {
        let cache = cache(room, WhenFull::EvictOldest);
        let hot = fill(&cache, "hot");
        for _ in 0..10 {
            for key in &hot {
                replays(ask(&cache, key, 0), "done");
            }
        }
        let fresh = names("fresh", count);
        // All are under way at once, and none makes room for another.
        let leaders: Vec<_> = fresh.iter().map(|key| Caller::executes(&cache, key, 0)).collect();
        let followers: Vec<_> = fresh.iter().map(|key| Caller::waits(&cache, key, 0)).collect();
        for leader in leaders {
            replays(leader.finish(kept("new")), "new");
        }
        for follower in followers {
            replays(follower.answer(), "new");
        }
        for key in &fresh {
            replays(ask(&cache, key, 0), "new");
        }
        assert_eq!(cache.stats().evicted, count as u64);
    }
}

#[test]
fn full_of_what_was_promised() {
    let cache = cache(1000, WhenFull::Refuse);
    let old = fill(&cache, "old");
    cache.clock().advance(RETENTION - TICK);
    for key in names("fresh", 100) {
        refuses(ask(&cache, &key, 0));
    }
    for key in &old {
        replays(ask(&cache, key, 0), "done");
        mismatches(ask(&cache, key, 1));
    }
}

#[test]
fn full_of_what_is_in_flight() {
    for when_full in POLICIES {
        let cache = cache(100, when_full);
        let old = names("old", 100);
        let leaders: Vec<_> = old.iter().map(|key| Caller::executes(&cache, key, 0)).collect();
        let followers: Vec<_> = old.iter().map(|key| Caller::waits(&cache, key, 0)).collect();
        refuses(ask(&cache, "fresh", 0));
        cache.clock().advance(LEASE);
        refuses(ask(&cache, "fresh", 0));
        for leader in leaders {
            replays(leader.finish(kept("done")), "done");
        }
        for follower in followers {
            replays(follower.answer(), "done");
        }
    }
}

#[test]
fn room_of_the_expired() {
    for when_full in POLICIES {
        let cache = cache(100, when_full);
        fill(&cache, "old");
        cache.clock().advance(RETENTION);
        for key in fill(&cache, "new") {
            replays(ask(&cache, &key, 0), "done");
        }
        assert_eq!(cache.stats().evicted, 0);
    }
}
