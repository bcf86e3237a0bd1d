//! Vector clocks, of which there are three: one grows, one is bounded, and one has its members fixed.

mod bounded;
#[cfg(feature = "alloc")]
mod clock;
mod columns;
mod counters;
mod dense;
mod entries;
mod error;
#[cfg(feature = "alloc")]
mod growable;
#[cfg(feature = "serde")]
mod serialize;

#[cfg(feature = "alloc")]
pub use self::clock::VectorClock;
pub(crate) use self::error::AppendError;
pub use self::{
    bounded::BoundedVectorClock,
    dense::DenseVectorClock,
    error::{
        BoundedIncrementError, CapacityExceeded, CounterOverflow, DenseIncrementError,
        UnknownReplica,
    },
};
