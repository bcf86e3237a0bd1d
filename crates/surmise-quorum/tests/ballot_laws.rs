//! A ballot against a naive one, over random votes, discounts and electorates, with time that steps back.

#![cfg(feature = "alloc")]

#[path = "ballot_laws/naive.rs"]
mod naive;
#[path = "ballot_laws/op.rs"]
mod op;
#[path = "ballot_laws/world.rs"]
mod world;

use core::time::Duration;

use quickcheck::quickcheck;
use surmise_quorum::Threshold;

use self::{op::Op, world::World};

fn run(needed: usize, freshness: Duration, ops: impl IntoIterator<Item = Op>) -> World {
    let threshold = Threshold::new(needed, 5).expect("so many are needed");
    let mut world = World::new(threshold, freshness);
    for Op { forth, back, action } in ops {
        world.step(forth.into(), back.into(), action);
    }
    world
}

quickcheck! {
    fn a_ballot_does_what_a_naive_one_does(needed: u8, freshness: u8, ops: Vec<Op>) -> () {
        let freshness = Duration::from_nanos(u64::from(freshness % 24) + 1);
        run(usize::from(needed % 5) + 1, freshness, ops);
    }
}

/// All outcomes come up often enough in what is tried.
#[test]
fn all_outcomes_are_found() {
    let mut random = quickcheck::Gen::from_size_and_seed(1_000, 8);
    let mut found = [0; 3];
    for _ in 0..200 {
        let ops = (0..60).map(|_| quickcheck::Arbitrary::arbitrary(&mut random));
        let world = run(3, Duration::from_nanos(20), ops);
        found.iter_mut().zip(world.found).for_each(|(sum, found)| *sum += found);
    }
    assert!(found.iter().all(|&times| times > 100), "{found:?}");
}
