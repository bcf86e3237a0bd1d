//! Vector clocks.

mod clock;
mod error;

pub use self::{clock::VectorClock, error::CounterOverflow};
