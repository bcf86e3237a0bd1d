//! Hybrid clocks.
//!
//! Everything sees the same physical times, in steps of 1 ms: one step a call where physical time
//! advances, one in a thousand calls where it stands still. It is an argument of ours and of the
//! textbook's clock. The peers' own clocks show what was set before the call, which counts as part of
//! it: a store, and in hlc-gen, when the time has changed, one that is sequentially consistent.

mod contender;
mod contenders;
mod operations;
pub mod peers;

use core::time::Duration;

pub use self::{
    contender::{HybridContender, Visitor},
    contenders::visit_all,
    operations::{measure, physical_times},
};

/// How far a remote stamp may be ahead, where a clock asks.
pub const MAX_OFFSET: Duration = Duration::from_millis(500);
