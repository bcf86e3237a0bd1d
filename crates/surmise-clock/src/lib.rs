//! Logical clocks: what happened first?

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod causal_order;
mod dot;
mod hybrid;
mod lamport;
pub mod sync;
#[cfg(feature = "alloc")]
mod vector;

#[cfg(feature = "alloc")]
pub use self::vector::{CounterOverflow, VectorClock};
pub use self::{
    causal_order::CausalOrder,
    dot::Dot,
    hybrid::{
        CeilingReached, CeilingTooHigh, DriftExceeded, DurableHybridClock, HybridClock,
        HybridTimestamp, Jump, JumpMonitor, JumpStatistics, OutOfRange, ParseTimestampError,
        Reservation, StampRefused, WallLogical,
    },
    lamport::{LamportClock, LamportOverflow, LamportTime, LamportTimestamp},
};
