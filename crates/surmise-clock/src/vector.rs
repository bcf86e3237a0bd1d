//! Vector clocks.

mod clock;
mod error;

pub(crate) use self::error::AppendError;
pub use self::{
    clock::VectorClock,
    error::{CapacityExceeded, CounterOverflow},
};
