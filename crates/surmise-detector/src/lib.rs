//! stub
#![no_std]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;
mod arrivals;
mod detector;
mod error;
mod fixed;
mod limits;
pub use self::{
    detector::{AccrualDetector, Beat, FailureDetector, Verdict},
    error::ConfigError,
    fixed::FixedTimeout,
};
