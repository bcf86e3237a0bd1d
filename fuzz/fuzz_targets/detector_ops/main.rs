//! Any sequence of calls to any detector, however it is configured: what the traits promise holds.

#![no_main]

mod config;
mod knob;
mod model;

use libfuzzer_sys::fuzz_target;

use crate::{config::AnyConfig, model::Op};

fuzz_target!(|input: (AnyConfig, Vec<Op>)| {
    let (config, ops) = input;
    // To refuse a configuration is fine; what matters is that an accepted one keeps its promises.
    _ = config.run(&ops);
});
