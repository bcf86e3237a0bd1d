//! Any reads, writes, deletions and synchronisations at some replicas: the siblings are those that causal
//! histories tell.

#![no_main]

mod entries;
mod history;
mod store;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

use crate::{
    entries::Entry,
    store::{Op, Store},
};

#[derive(Arbitrary, Debug)]
struct Input {
    ops: Vec<Op>,
    entries: Vec<Entry>,
}

fuzz_target!(|input: Input| {
    let mut store = Store::default();
    for op in &input.ops {
        store.step(op);
    }
    store.converge();
    entries::check(&input.entries);
});
