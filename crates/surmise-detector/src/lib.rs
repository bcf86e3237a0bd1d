//! Failure detectors: is that peer alive?
//!
//! Nobody can know. A detector surmises it from the heartbeats that arrive and, above all, from those
//! that do not. Each detector here is a plain value for one peer: it takes heartbeats with their
//! sequence number and time of arrival, and gives a **deadline** until which the peer is trusted.
//!
//! ```
//! use core::time::Duration;
//! use surmise_detector::{FailureDetector, PhiAccrual, PhiConfig, Verdict};
//! use surmise_time::Instant;
//!
//! let config = PhiConfig::for_interval(Duration::from_millis(100));
//! let mut peer = PhiAccrual::<[u32; 128]>::new(config)?;
//!
//! # let now = Instant::ORIGIN;
//! peer.heartbeat(1, now);
//! match peer.verdict(now) {
//!     Verdict::Suspect => { /* fail over */ }
//!     Verdict::Trust | Verdict::Unknown => { /* sleep until peer.deadline(), or the next packet */ }
//! }
//! # Ok::<(), surmise_detector::ConfigError>(())
//! ```
//!
//! # Which one?
//!
//! | detector | suspects | take it when |
//! |---|---|---|
//! | [`FixedTimeout`] | after a fixed silence | you know the timeout you want |
//! | [`TwoWindow`] | after the expected arrival and a margin, forgiving stalls | you know η: a good default |
//! | [`Chen`] | after the expected arrival and a margin | you have a [`QosContract`] |
//! | [`RateTarget`] | so that a share ε of heartbeats is suspected wrongly | you know the rate of mistakes you can bear |
//! | [`JitterScaled`] | after a margin that follows recent lateness | jitter comes and goes |
//! | [`PhiAccrual`] | when the silence is rare under a normal distribution | you need a level, or come from Akka |
//! | [`Exponential`] | after a number of mean intervals | you come from Cassandra or chitchat |
//! | [`Satzger`] | after a stretched quantile of intervals | intervals have an odd distribution |
//! | [`Bertier`] | after the expected arrival and Jacobson's margin | you want the shortest detection time |
//!
//! None is better than all others: on real traces the shape of the distribution matters little, and
//! stalled senders, poisoned windows and bursts of loss matter much. Measure them on a trace of your own
//! network with `surmise-lab compare`.
//!
//! # What they share
//!
//! * Stale and duplicate heartbeats are [reported](Beat) and change nothing; a gap in the sequence
//!   counts as loss. [`Incarnated`] tells the lives of a restarting peer apart.
//! * [`Capped`] limits how long any of them waits, whatever it has learned.
//! * Whether a heartbeat was late is judged before anything moves. The detectors that learn intervals
//!   ([`PhiAccrual`], [`Exponential`], [`Satzger`]) divide them by the gap, and [`LateIntervals`] says
//!   what they learn from a late one.
//! * Windows are inline arrays, boxes or [none](ExponentiallyWeighted): see [`IntervalStorage`]. They sum
//!   integers. Nothing allocates after construction, and nothing drifts.
//! * Suspicion is never NaN or infinite: see [`phi_from_z`].
//!
//! [`QosMeter`] measures what a detector did, and `sync::Shared` (feature `std`) lets many threads ask
//! one detector without waiting for each other.
//!
//! # What this crate does not do
//!
//! It sends no heartbeats, reads no clock and keeps no table of peers. It does not notice that the
//! *observer* was paused, which makes every peer look dead. And no detector distinguishes a dead peer
//! from one that is cut off: if acting on a wrong suspicion would do damage, fence what you protect.
//!
//! # Features
//!
//! * `std` (default): the `sync` module.
//! * `alloc`: boxed windows.
//! * `serde`: configurations and results. A configuration names all its fields, with durations as serde
//!   has them: `{"interval":{"secs":0,"nanos":100000000},"safety_margin":{"secs":0,"nanos":50000000}}`.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod arrivals;
mod bertier;
mod capped;
mod chen;
mod detector;
mod error;
mod exponential;
mod fixed;
mod float;
mod incarnation;
mod jitter_scaled;
mod late;
mod limits;
mod normal;
mod phi;
mod qos;
mod rate_target;
mod satzger;
mod schedule;
#[cfg(feature = "std")]
pub mod sync;
mod two_window;
mod window;

pub use self::{
    bertier::{Bertier, BertierConfig},
    capped::Capped,
    chen::{Chen, ChenConfig},
    detector::{AccrualDetector, Beat, FailureDetector, Verdict},
    error::ConfigError,
    exponential::{Exponential, ExponentialConfig, ExponentialScale},
    fixed::FixedTimeout,
    incarnation::Incarnated,
    jitter_scaled::{JitterScaled, JitterScaledConfig},
    late::LateIntervals,
    normal::{phi_from_z, z_from_phi},
    phi::{MinStdDeviation, PhiAccrual, PhiConfig, PhiScale},
    qos::{Link, QosContract, QosMeter, QosReport, Unattainable},
    rate_target::{RateTarget, RateTargetConfig},
    satzger::{Satzger, SatzgerConfig},
    two_window::{TwoWindow, TwoWindowConfig},
    window::{ExponentiallyWeighted, InlineStorage, IntervalStorage, OffsetStorage, WindowStorage},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
