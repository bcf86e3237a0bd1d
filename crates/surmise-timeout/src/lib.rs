//! How long to wait for an answer, and what to do when there is none.
//!
//! ```
//! use core::time::Duration;
//! use surmise_timeout::{AdaptiveTimeout, AdaptiveTimeoutConfig, Outcome, Quantile};
//!
//! let [floor, ceiling] = [1, 5000].map(Duration::from_millis);
//! let config = AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling);
//! let mut timeout = AdaptiveTimeout::<1000>::new(config)?;
//! # let call = |_: Duration| Some(Duration::from_millis(20));
//!
//! let wait = timeout.current();
//! match call(wait) {
//!     Some(elapsed) => timeout.record(Outcome::Completed(elapsed)),
//!     None => timeout.record(Outcome::TimedOut(wait)),
//! }
//! # Ok::<(), surmise_timeout::AdaptiveTimeoutError>(())
//! ```
//!
//! # What is in it
//!
//! * [`AdaptiveTimeout`]: a timeout that follows the latencies of a destination, and does not forget the calls that
//!   timed out. `sync::SharedAdaptiveTimeout` is for many threads.
//! * [`backoff`]: how long to wait before a call is tried again, with the published jitters, and when to stop.
//! * [`RetryBudget`]: how many retries and hedges there may be over all calls; [`RetryThrottle`] is gRPC's.
//!   `sync` has both for many threads.
//! * [`Hedge`]: when a request that is slow gets a backup, and whether the budget allows it; `sync::SharedHedge`.
//! * `Destinations`: a bounded table of timeouts, budgets or hedges, one for each destination (feature `alloc`), and
//!   `sync::SharedDestinations`.
//! * [`rtt`]: retransmission timeouts as TCP and QUIC have them.
//! * [`window`]: quantiles of the last so many values, exact or in buckets.
//! * [`textbook`]: timeouts that forget what timed out, to compare with.
//!
//! # Why what timed out must be recorded
//!
//! A call that timed out is missing from the latencies that were seen, and it is always a slow one. An estimator
//! that leaves it out believes that the service is faster than it is. When the service slows down that gets worse
//! with each call: the timeout becomes *shorter*, and most calls fail that would have been answered. Here
//! a call that was given up is recorded as what it is: an answer that takes longer than that.
//!
//! So does a call whose future is dropped: with an executor that drops futures, record
//! [`Outcome::Cancelled`] when a guard around the call is dropped, as the layers of `surmise-tower` do.
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
pub mod backoff;
mod buckets;
mod budget;
#[cfg(feature = "alloc")]
mod destinations;
mod duration;
mod hedge;
mod kaplan_meier;
mod outcome;
mod quantile;
mod ratio;
pub mod rtt;
#[cfg(feature = "std")]
pub mod sync;
pub mod textbook;
mod throttle;
pub mod window;

#[cfg(feature = "alloc")]
pub use self::destinations::Destinations;
pub use self::{
    adaptive::{AdaptiveTimeout, AdaptiveTimeoutConfig, AdaptiveTimeoutError},
    budget::{BudgetExhausted, RetryBudget, RetryBudgetConfig, RetryBudgetError},
    hedge::{Hedge, HedgeCounters, HedgeOutcome},
    outcome::Outcome,
    quantile::{Quantile, QuantileError},
    ratio::Ratio,
    throttle::{RetryThrottle, RetryThrottleConfig, RetryThrottleError},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
