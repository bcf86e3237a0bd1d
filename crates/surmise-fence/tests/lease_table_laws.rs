//! A table of leases against a naive one, over random schedules with restarts, new epochs and time that steps back.

#![cfg(feature = "alloc")]

extern crate alloc;

#[path = "lease_table_laws/naive.rs"]
mod naive;
#[path = "lease_table_laws/op.rs"]
mod op;
#[path = "lease_table_laws/world.rs"]
mod world;

use core::time::Duration;

use quickcheck::quickcheck;
use surmise_fence::LeaseTableConfig;

use self::{op::Op, world::World};

/// There is room for all resources but one.
const CONFIG: LeaseTableConfig = LeaseTableConfig {
    epoch: 1,
    max_ttl: Duration::from_nanos(10),
    lock_delay: Duration::from_nanos(3),
    max_leases: 3,
};

fn run(ops: impl IntoIterator<Item = Op>) -> World {
    let mut world = World::new(CONFIG, None).expect("it can grant leases");
    for Op { forth, back, action } in ops {
        world.step(forth.into(), back.into(), action);
    }
    world
}

quickcheck! {
    fn a_table_does_what_a_naive_one_does_and_grants_no_token_twice(ops: Vec<Op>) -> () {
        run(ops);
    }
}

/// Restarts, epochs and grants come together often enough in what is tried.
#[test]
fn many_tokens_are_granted_over_restarts_and_epochs() {
    let mut random = quickcheck::Gen::from_size_and_seed(1_000, 6);
    let world = run((0..5_000).map(|_| quickcheck::Arbitrary::arbitrary(&mut random)));
    assert!(world.granted.len() > 300, "{}", world.granted.len());
    assert!(world.naive.epoch() > 10, "{}", world.naive.epoch());
}
