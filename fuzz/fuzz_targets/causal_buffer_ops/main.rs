//! Any way that messages take through a group, forged ones among them: each is delivered once, and after
//! what its sender had delivered.

#![no_main]

mod group;
mod node;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

use crate::group::{Counter, Group, Op};

#[derive(Arbitrary, Debug)]
struct Input {
    capacity: u8,
    /// How many messages each member had sent before.
    start: Counter,
    ops: Vec<Op>,
}

fuzz_target!(|input: Input| {
    let mut group = Group::new(usize::from(input.capacity) % 16, input.start.into());
    for op in &input.ops {
        group.step(op);
    }
    group.deliver_all();
});
