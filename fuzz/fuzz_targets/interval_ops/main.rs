//! Any samples and readings at interval clocks, and any sources to select from: what they tell is never
//! narrower than the model's, holds the truth where the samples do, and never steps back between samples.

#![no_main]

mod clocks;
mod model;
mod ops;
mod selection;
mod world;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_fuzz::Span;
use surmise_interval::IntervalClockConfig;

use crate::{ops::Op, selection::Source};

#[derive(Arbitrary, Debug)]
struct Input {
    free_running_after: Span,
    unsynchronized_after: Span,
    drift: u32,
    ops: Vec<Op>,
    sources: Vec<Source>,
}

fuzz_target!(|input: Input| {
    let config = IntervalClockConfig {
        free_running_after: input.free_running_after.into(),
        unsynchronized_after: input.unsynchronized_after.into(),
    };
    clocks::drive(config, ops::drift(input.drift), &input.ops);
    selection::check(&input.sources);
});
