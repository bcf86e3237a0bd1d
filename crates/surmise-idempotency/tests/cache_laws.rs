//! A cache against a naive one, over random schedules with tickets that are late and time that steps back.

#[path = "cache_laws/naive.rs"]
mod naive;
#[path = "cache_laws/op.rs"]
mod op;
#[path = "cache_laws/world.rs"]
mod world;

use core::{num::NonZeroUsize, time::Duration};

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_idempotency::{CacheConfig, WhenFull};

use self::{
    op::{Config, Op},
    world::{Seen, World},
};

fn run(config: CacheConfig, from: u64, ops: impl IntoIterator<Item = Op>) -> World {
    let mut world = World::new(config).expect("it is a cache");
    for (at, Op { forth, back, action }) in ops.into_iter().enumerate() {
        let begin = if at == 0 { from } else { 0 };
        world.step(begin.saturating_add(forth.into()), back.into(), action);
    }
    world
}

quickcheck! {
    fn a_cache_does_what_a_naive_one_does(config: Config, ops: Vec<Op>) -> bool {
        run(config.0, 0, ops);
        true
    }

    fn it_does_so_until_the_end_of_time(config: Config, ops: Vec<Op>, left: u8) -> bool {
        run(config.0, u64::MAX - u64::from(left), ops);
        true
    }
}

/// All answers, and all that a cache does, come up often enough in what is tried.
#[test]
fn everything_comes_up_in_long_schedules() {
    let mut random = Gen::from_size_and_seed(1_000, 7);
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        let [lease, retention, brief_retention] = [4, 14, 5].map(Duration::from_nanos);
        let capacity = NonZeroUsize::MIN.saturating_add(3);
        let config =
            CacheConfig { lease, retention, brief_retention, capacity, when_full, epoch: 1 };
        let world = run(config, 0, (0..30_000).map(|_| Op::arbitrary(&mut random)));
        let (seen, naive) = (world.seen, &world.naive);
        let Seen { executed, replayed, in_flight, mismatched, recovered, .. } = seen;
        let Seen { recovered_from, full, accepted, fenced, expired, .. } = seen;
        let evicted = if when_full == WhenFull::Refuse { naive.abandoned } else { naive.evicted };
        let begun = [executed, replayed, in_flight, mismatched, recovered, recovered_from, full];
        let rest = [accepted, fenced, expired, naive.abandoned, evicted];
        assert!(begun.into_iter().chain(rest).all(|count| count > 50), "{seen:?}, {rest:?}");
    }
}
