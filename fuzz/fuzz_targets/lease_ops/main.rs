//! Any leases: a table does what a naive one does, over restarts, epochs and any times; and a holder believes in its
//! lease for as long as the longest of its grants says, and renews it in time.

#![no_main]

extern crate alloc;

mod holder;
#[path = "../../../crates/surmise-fence/tests/lease_table_laws/naive.rs"]
mod naive;
mod table;
#[path = "../../../crates/surmise-fence/tests/lease_table_laws/world.rs"]
mod world;

use core::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Input {
    Table(table::Input),
    Holder(holder::Input),
}

/// Mostly a short time: operations are to meet the same leases.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Span {
    Nanos(u8),
    Micros(u8),
    Any(u64),
    Longer(u64),
}

impl Span {
    fn nanos(self) -> u64 {
        match self {
            Self::Nanos(nanos) => nanos.into(),
            Self::Micros(micros) => u64::from(micros) * 1_000,
            Self::Any(nanos) | Self::Longer(nanos) => nanos,
        }
    }

    fn duration(self) -> Duration {
        match self {
            Self::Longer(seconds) => Duration::from_secs(seconds),
            _ => Duration::from_nanos(self.nanos()),
        }
    }
}

fuzz_target!(|input: Input| match input {
    Input::Table(input) => table::check(&input),
    Input::Holder(input) => holder::check(&input),
});
