//! Any operations on some vector clocks of each kind: they are the maps that the model is.

#![no_main]

mod clocks;
mod model;

use libfuzzer_sys::fuzz_target;
use surmise_clock::{BoundedVectorClock, DenseVectorClock, VectorClock};

use crate::model::{Op, drive};

fuzz_target!(|ops: Vec<Op>| {
    drive::<VectorClock<u8, 3>>(&ops);
    drive::<BoundedVectorClock<u8, 4>>(&ops);
    drive::<BoundedVectorClock<u8, 24>>(&ops);
    drive::<DenseVectorClock<3>>(&ops);
    drive::<DenseVectorClock<24>>(&ops);
});
