//! Anything done to fences and fenced maps, for one thread and for many: they accept what the definition accepts.

#![no_main]

mod fences;
mod maps;
#[path = "../../../crates/surmise-fence/tests/support/map.rs"]
mod reference;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Fences(Vec<fences::Op>),
    Maps { capacity: u8, ops: Vec<maps::Op> },
}

fuzz_target!(|input: Input| match input {
    Input::Fences(ops) => fences::check(&ops),
    Input::Maps { capacity, ops } => maps::check(capacity, &ops),
});
