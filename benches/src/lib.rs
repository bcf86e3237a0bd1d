//! What the benches share: the families that are measured, and the peers they are measured beside.
//!
//! | command | what it measures |
//! |---|---|
//! | `cargo bench -p benches` | wall time, by criterion |
//! | `cargo run --release -p benches --bin ratios` | wall time, instructions and bytes as tables |
//! | `cargo run --release -p benches --bin ratios -- clocks` | the same of one family |
//! | `cargo xtask budgets` | instructions and bytes, which must stay within their budgets |
//! | `cargo run --release -p benches --bin spiral` | which share of calls times out while a service slows down |
//! | `cargo run --release -p benches --bin drill` | which cache loses which race |
//! | `cargo run --release -p benches --bin stalls` | whom an observer suspects that was itself stalled |
//! | `cargo run --release -p benches --bin stores` | how many fenced writes a second reach the disk, and how long each takes |
//!
//! Wall time is for a quiet machine. Instructions are the same on every run of one build, so they
//! decide.
//!
//! # Families
//!
//! Each [`Family`] is a module that shows its [`Operation`]s to a [`Meter`]: what is called, on what,
//! with which inputs. The programs know nothing else of it. To add a family is to write its module,
//! name it in [`Family`], and give it a table of budgets.

extern crate alloc;

pub mod clocks;
pub mod detectors;
pub mod drill;
mod family;
pub mod fences;
pub mod fleet;
pub mod idempotency;
pub mod intervals;
mod memory;
mod meter;
pub mod quorums;
pub mod spiral;
pub mod stalls;
pub mod stores;
pub mod timeouts;
mod timing;

pub use self::{
    family::Family,
    memory::{allocations, footprint},
    meter::{Made, Meter, Operation, Origin, Subject},
    timing::time,
};

/// The family's own readme, whose examples are tested here because all crates are at hand.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
