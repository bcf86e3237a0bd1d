//! How long to wait for an answer, and what to do when there is none.
//!
//! # What this crate does not do
//!
//! It waits for nothing, sends nothing and draws no random numbers: durations, outcomes and random numbers
//! come in, durations and decisions go out. `surmise-tower` has middleware for tower services over it.
//!
//! # Features
//!
//! * `std` (default): timeouts and budgets that many threads share.
//! * `alloc`: a timeout for each of many destinations.
//! * `serde`: configurations and results.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod adaptive;
mod buckets;
mod kaplan_meier;
mod outcome;
mod quantile;
mod ratio;
#[cfg(feature = "std")]
pub mod sync;

pub use self::{
    adaptive::{AdaptiveTimeout, AdaptiveTimeoutConfig, AdaptiveTimeoutError},
    outcome::Outcome,
    quantile::{Quantile, QuantileError},
    ratio::Ratio,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
