//! Seeded heartbeat streams for tests and benches: what a receiver sees of one sender.
//!
//! A [`Scenario`] says how a sender emits heartbeats, what the network does to them (a [`DelayLaw`], a
//! [`LossLaw`], duplicates, overtaking) and what goes wrong at the ends ([`Stalls`] of the sender,
//! a [`ClockStep`] of the receiver). It yields each [`Emission`] in order of sequence, as a trace file
//! lists them, or each [`Arrival`] in the order in which the receiver sees them.
//!
//! ```
//! use surmise_sim::{LossLaw, Scenario};
//!
//! let scenario = Scenario { beats: 500, loss: LossLaw::Independent(0.1), ..Scenario::calm(7) };
//! let lost = scenario.emissions().filter(|emission| emission.received.is_none()).count();
//! assert_eq!(scenario.arrivals().len(), 500 - lost);
//! assert_eq!(scenario.arrivals(), scenario.arrivals());
//! ```
//!
//! # What stays the same
//!
//! The seed decides everything: a scenario gives the same bits on every platform and in every release,
//! which a test pins. Hence the draws come from ChaCha8 and are shaped here with `libm`; `rand_distr`
//! keeps the freedom to change its values, and takes the platform's own logarithm as soon as any crate
//! in the build asks `num-traits` for `std`.
//!
//! Delay, loss, duplication, overtaking and stalls each draw from a stream of their own, as many
//! numbers for a heartbeat that is lost as for one that is not. So two scenarios that differ in one
//! law share the outcomes of all the others, and a sender that crashes earlier gives the same stream,
//! only shorter.
//!
//! # What this crate does not do
//!
//! It keeps no queues: the delays of two heartbeats are independent, congestion is not modelled, and
//! neither is a receiver that stalls. Numbers out of range are not refused, since a test may want them:
//! a probability below 0 or NaN is never, one above 1 always, and times saturate.

#![forbid(unsafe_code)]

mod law;
mod scenario;
mod sender;

pub use self::{
    law::{DelayLaw, LossLaw},
    scenario::{AfterStall, Arrival, ClockStep, Emission, Scenario, Stall, Stalls},
};
