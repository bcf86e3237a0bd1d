//! An interval clock: what time is it at most?

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod drift;
mod interval;
mod sample;

pub use self::{
    drift::{Drift, DriftTooLarge},
    interval::{Interval, InvertedInterval},
    sample::Sample,
};
