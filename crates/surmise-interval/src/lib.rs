//! An interval clock: what time is it at most?

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod clock;
mod commit_wait;
mod drift;
mod interval;
#[cfg(feature = "alloc")]
pub mod order;
mod sample;
#[cfg(feature = "std")]
pub mod sampler;
#[cfg(feature = "alloc")]
pub mod select;
#[cfg(feature = "std")]
pub mod source;
#[cfg(feature = "std")]
pub mod sync;

#[cfg(feature = "std")]
pub use self::commit_wait::WhenUnsynchronized;
pub use self::{
    clock::{ClockError, ClockStatus, IntervalClock, IntervalClockConfig, Synchronization},
    commit_wait::CommitWait,
    drift::{Drift, DriftTooLarge},
    interval::{Interval, InvertedInterval},
    sample::Sample,
};
