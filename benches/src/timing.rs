use core::{hint::black_box, mem, time::Duration};

use surmise_time::{MonotonicClock, OsClock};

use crate::Operation;

/// Performs an operation so often, and returns how long the calls took in all.
pub fn time<O: Operation>(operation: &mut O, calls: u32) -> Duration {
    let mut inputs: Vec<O::Input> = Vec::with_capacity(calls as usize);
    inputs.extend((0..calls).map(|_| operation.next_input()));
    let mut inputs = inputs.into_iter();
    let mut outputs = Vec::with_capacity(inputs.len());

    let start = OsClock.now();
    for input in inputs.by_ref() {
        let output = O::call(operation.subject(), black_box(input));
        // By reference: to move it would read what was just written in other widths, and stall.
        black_box(&output);
        if mem::needs_drop::<O::Output>() {
            outputs.push(output);
        }
    }
    OsClock.now() - start
}
