//! What the benches share: the detectors to be measured, the peers they are measured beside, and the
//! heartbeats that all of them see.
//!
//! | command | what it measures |
//! |---|---|
//! | `cargo bench -p benches` | wall time, by criterion |
//! | `cargo run --release -p benches --bin ratios` | wall time, instructions and bytes as one table |
//! | `cargo xtask budgets` | instructions and bytes, which must stay within their budgets |
//!
//! Wall time is for a quiet machine. Instructions are the same on every run of one build, so they
//! decide.
//!
//! # What stays the same
//!
//! Everything sees the same [`Heartbeats`]: one every 100 ms with log-normal jitter, 1 % of them lost,
//! from a fixed seed. Windows hold 1000 intervals, unless the name says otherwise, and are full before
//! anything is measured. Verdicts and levels of suspicion are asked for at times from the last
//! heartbeat to two intervals later, so that the answers are mixed; criterion asks for one of them.

extern crate alloc;

mod beats;
mod contender;
mod contenders;
mod memory;
pub mod peers;
mod phi_values;

pub use self::{
    beats::{Beat, Heartbeats, INTERVAL, WARM_UP, query_times, warm},
    contender::{AccrualContender, Contender, Made, Origin, Visitor},
    contenders::{boxed, phi, visit_all},
    memory::{allocations, footprint},
    phi_values::PHI_VALUES,
};
