//! What uncertainty costs, on clocks that are simulated: seeded, so that it can be run again.

mod history;
pub(crate) mod node;
mod plot;
mod sawtooth;
mod text;

use core::{num::NonZeroU32, time::Duration};

use serde::{Serialize, Serializer};

pub(super) use self::text::describe;
use self::{history::Outcome, sawtooth::Sawtooth};
use super::view::nanos;

/// How many writes are simulated unless another number is asked for.
pub(super) const WRITES: NonZeroU32 = NonZeroU32::new(100_000).unwrap();

/// Both simulations, and what they were made from.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Simulation {
    seed: u64,
    sawtooth: Sawtooth,
    last_write_wins: Vec<Outcome>,
}

impl Simulation {
    /// Simulates one node, and then as many writes on two nodes.
    pub(super) fn run(seed: u64, writes: NonZeroU32) -> Self {
        Self {
            seed,
            sawtooth: Sawtooth::run(seed),
            last_write_wins: Outcome::all(seed, writes.get()),
        }
    }
}

fn as_nanos<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(nanos(*time))
}
