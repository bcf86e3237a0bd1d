//! Any events, messages, crashes and wall times at hybrid clocks: stamps are what the model says, and
//! none is given twice.

#![no_main]

mod clocks;
mod jumps;
mod model;
mod ops;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_fuzz::Span;

use crate::{
    clocks::{Durable, Volatile},
    ops::Op,
};

#[derive(Arbitrary, Debug)]
struct Input {
    max_offset: Span,
    window: Span,
    ops: Vec<Op>,
    readings: Vec<[u64; 2]>,
}

fuzz_target!(|input: Input| {
    let (max_offset, window) = (input.max_offset.into(), input.window.into());
    model::drive(Volatile::new(max_offset), max_offset, window, &input.ops);
    model::drive(Durable::new(max_offset, window), max_offset, window, &input.ops);
    jumps::check(max_offset, &input.readings);
});
