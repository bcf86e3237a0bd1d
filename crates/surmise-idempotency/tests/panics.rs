//! The keys, results and checkpoints of others may panic when they are dropped, and no promise is broken by that.

use core::{num::NonZeroUsize, panic::AssertUnwindSafe, time::Duration};
use std::panic::catch_unwind;

use surmise_idempotency::{Begin, CacheConfig, Fingerprint, IdempotencyCache, Ticket, WhenFull};
use surmise_time::Instant;

/// A checkpoint that cannot be dropped without a panic.
#[derive(Clone, Debug)]
struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "as asked");
    }
}

type Cache = IdempotencyCache<&'static str, u32, Explosive>;

fn begin(cache: &mut Cache, key: &'static str, now: u64) -> Begin<u32, Explosive> {
    cache.begin(&key, Fingerprint::NONE, Instant::from_nanos(now))
}

fn execute(cache: &mut Cache, key: &'static str) -> Ticket<Explosive> {
    match begin(cache, key, 0) {
        Begin::Execute(ticket) => ticket,
        other => panic!("to be executed, but it says {other:?}"),
    }
}

#[test]
fn a_checkpoint_that_panics_when_dropped_leaves_what_is_in_flight_alone() {
    let config = CacheConfig {
        retention: Duration::from_nanos(100),
        capacity: NonZeroUsize::MIN.saturating_add(3),
        when_full: WhenFull::EvictOldest,
        ..CacheConfig::default()
    };
    let mut cache = Cache::with_checkpoints(config).expect("it is a cache");
    let [before, exploding, _behind] =
        ["before", "exploding", "behind"].map(|key| execute(&mut cache, key));
    cache.save(&exploding, Explosive).expect("nobody took over");
    let complete = AssertUnwindSafe(|| cache.complete(exploding, 2, Instant::ORIGIN));
    assert!(catch_unwind(complete).is_err());

    // It is completed all the same, and is forgotten when its time is over.
    assert_eq!(cache.complete(before, 1, Instant::from_nanos(1)), Ok(()));
    assert!(matches!(begin(&mut cache, "exploding", 99), Begin::Replay(2)));
    assert!(matches!(begin(&mut cache, "exploding", 100), Begin::Execute(_)));
    assert!(matches!(begin(&mut cache, "before", 100), Begin::Replay(1)));
    for key in ["fourth", "fifth", "sixth"] {
        drop(begin(&mut cache, key, 100));
        assert!(matches!(begin(&mut cache, "behind", 100), Begin::InFlight { .. }));
    }
}
