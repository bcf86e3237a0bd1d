//! Quorums, ballots and split-brain alarms: how many must agree, do they, and do two lead?
//!
//! What one node thinks of another is a guess. What more than half of them think is a guess too, but no other half can
//! think the opposite. That is all there is to a quorum: any two of them have a node in common.
//!
//! ```
//! use surmise_quorum::{ByzantineQuorum, Majority, ReadWriteQuorum, ReadWriteSizes};
//!
//! assert_eq!(Majority::new(5)?.tolerates(), 2); // nodes that fail
//! assert_eq!(ByzantineQuorum::new(5)?.tolerates(), 1); // nodes that lie
//! assert!(ReadWriteQuorum::new(5, ReadWriteSizes { read: 2, write: 3 }).is_err()); // 2 + 3 is not more than 5
//! # Ok::<(), surmise_quorum::NoNodes>(())
//! ```
//!
//! # Who needs what
//!
//! | you | take |
//! |---|---|
//! | want at most one side of a partition to go on | [`Majority`] |
//! | keep replicas, and read and write some of them | [`ReadWriteQuorum`] |
//! | have nodes that count for more than others | [`Weights`] |
//! | have nodes that may lie | [`ByzantineQuorum`] |
//! | just want k of n | [`Threshold`] |
//! | ask several observers whether a peer is dead | `Ballot` |
//! | want to hear of two leaders, and of one that was replaced | [`LeaderWatch`] |
//!
//! # What this crate does not do
//!
//! It elects nobody, replicates nothing and sends nothing: it is not consensus, but what consensus counts with. It cannot
//! tell who is who: that two votes are of different nodes, and that they are theirs, is the caller's business. A ballot
//! is one node's view, and two nodes' views differ; what must be agreed on takes a consensus protocol. And an alarm of
//! a [`LeaderWatch`] undoes nothing: what a leader that was replaced writes is to be refused by a fence, such as
//! those of `surmise-fence`.
//!
//! # Features
//!
//! * `std` (default): nothing of its own.
//! * `alloc`: ballots.
//! * `serde`: quorums and opinions. A quorum that could not be made is not read.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "alloc")]
mod ballot;
mod byzantine;
mod leader_watch;
mod majority;
mod read_write;
mod threshold;
mod weighted;

#[cfg(feature = "alloc")]
pub use self::ballot::{
    Ballot, BallotError, ElectorateError, Opinion, Outcome, Receipt, Tally, UnknownObserver,
};
pub use self::{
    byzantine::{ByzantineQuorum, TooFewNodes, TooManyFaults},
    leader_watch::{LeaderWatch, Sighting},
    majority::{Majority, NoNodes},
    read_write::{ReadWriteError, ReadWriteQuorum, ReadWriteSizes},
    threshold::{Threshold, ThresholdError},
    weighted::{WeightedQuorum, WeightedReadWriteQuorum, Weights, WeightsError},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
