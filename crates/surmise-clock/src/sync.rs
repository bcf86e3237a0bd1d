//! Clocks that many threads share, without locks.
//!
//! Each is one atomic number, and the durable one has a second for its ceiling. What a thread does is computed
//! by the clock for one thread of the same name, and takes effect in one compare-and-swap, so the two never
//! differ. A clock lies on a cache line of its own. On targets without 64-bit atomics, portable-atomic's fallback takes their place.

mod durable;
mod hybrid;
mod lamport;
mod loom;

pub use self::{
    durable::AtomicDurableHybridClock, hybrid::AtomicHybridClock, lamport::AtomicLamportClock,
};
