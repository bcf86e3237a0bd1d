//! Logical clocks: what happened first?
//!
//! No two wall clocks agree, and a message can arrive before its reader's clock says that it was sent.
//! Logical clocks order events by what could have caused what, and give to each node numbers that it can
//! compare with those of all others.
//!
//! ```
//! use core::time::Duration;
//! use surmise_clock::HybridClock;
//! use surmise_time::WallTime;
//!
//! // Stamps: close to physical time, and always later than what led to them.
//! let mut clock = HybridClock::new(Duration::from_millis(500));
//! # let (now, remote) = (WallTime::from_nanos(1_000), clock.tick(WallTime::from_nanos(900)));
//! let stamp = clock.tick(now);
//! let seen = clock.witness(remote, now)?; // or an error, and nothing has changed
//!
//! # #[cfg(feature = "alloc")] {
//! use surmise_clock::{CausalOrder, VectorClock};
//!
//! // Versions: which of the two has seen the other, if any?
//! let (mut a, mut b) = (VectorClock::<&str>::new(), VectorClock::<&str>::new());
//! a.increment(&"left")?;
//! b.increment(&"right")?;
//! match a.causal_order(&b) {
//!     CausalOrder::Concurrent => { /* keep both */ }
//!     order => { /* keep the later one */ }
//! }
//! # }
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Which one?
//!
//! | clock | a stamp is | it tells | take it for |
//! |---|---|---|---|
//! | [`HybridClock`] | 8 bytes, close to wall time | an order that agrees with causality | versions in a store, snapshots, logs that people read |
//! | [`DurableHybridClock`] | the same | the same, across restarts | a node that may forget its clock, but not its data |
//! | [`LamportClock`] | 8 bytes and a node | an order that agrees with causality | total order where there is no wall clock |
//! | [`VectorClock`] | a counter for each replica | exactly what has seen what | conflicts between replicas |
//! | [`DottedVersionVectorSet`] | the same, and the values | which writes are siblings | a replicated store of values, as Dynamo and Riak |
//! | [`CausalBuffer`] | the same | which message is to wait | delivery in causal order |
//!
//! An order that *agrees with* causality puts concurrent events in some order; only vectors tell that they
//! are concurrent. What that costs is a counter for each replica that ever wrote: [`Retirements`] says how
//! one that departed is left out, and why to drop old entries is wrong.
//!
//! # What they share
//!
//! * Each is a plain value with `&mut self`; the [`sync`] module has those that threads share, without
//!   locks. Physical time is an argument: `CachedWallClock` of `surmise-time` makes reading it cheap, and
//!   [`JumpMonitor`] tells when it jumps.
//! * A refused stamp, a counter at its limit, a buffer that is full: a typed error, and nothing has changed.
//! * What nodes send each other has one [wire form](wire), which is decoded under limits.
//!
//! # What this crate does not do
//!
//! It reads no clock and sends nothing. Hybrid stamps are no proof of when something happened: whoever sends
//! a stamp can make it up, up to `max_offset` ahead. To know that an instant has *passed* takes a clock that
//! knows its own error, as in `surmise-interval`.
//!
//! # Features
//!
//! * `std` (default): long vector clocks are compared with the widest instructions of the machine.
//! * `alloc`: vector clocks of any length, siblings, causal delivery, retirement.
//! * `serde`: all values.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "alloc")]
mod causal_buffer;
mod causal_order;
mod dot;
mod hybrid;
mod lamport;
#[cfg(feature = "alloc")]
mod retirement;
#[cfg(feature = "alloc")]
mod siblings;
pub mod sync;
mod vector;
pub mod wire;

#[cfg(feature = "alloc")]
pub use self::{
    causal_buffer::{Arrival, CausalBuffer, Refusal, Refused, Stamped},
    retirement::{LearnError, RetireError, Retirements, Tombstone},
    siblings::{DottedVersionVectorSet, EntriesError, PutError},
    vector::VectorClock,
};
pub use self::{
    causal_order::CausalOrder,
    dot::Dot,
    hybrid::{
        CeilingReached, CeilingTooHigh, DriftExceeded, DurableHybridClock, HybridClock,
        HybridTimestamp, Jump, JumpMonitor, JumpStatistics, OutOfRange, ParseTimestampError,
        Reservation, StampRefused, WallLogical,
    },
    lamport::{LamportClock, LamportOverflow, LamportTime, LamportTimestamp},
    vector::{
        BoundedIncrementError, BoundedVectorClock, CapacityExceeded, CounterOverflow,
        DenseIncrementError, DenseVectorClock, UnknownReplica,
    },
};

// Its example reads the operating system's clock.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
mod readme {}
