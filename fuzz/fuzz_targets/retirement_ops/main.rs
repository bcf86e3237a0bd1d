//! Any events, messages and retirements of some replicas, and tombstones from anywhere: clocks tell what
//! causal histories tell, whether they are compacted or not.

#![no_main]

mod forged;
mod group;
mod node;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

use crate::{
    forged::Forged,
    group::{Group, Op},
};

#[derive(Arbitrary, Debug)]
struct Input {
    ops: Vec<Op>,
    forged: Forged,
}

fuzz_target!(|input: Input| {
    let mut group = Group::default();
    for &op in &input.ops {
        group.step(op);
    }
    group.settle();
    input.forged.check();
});
