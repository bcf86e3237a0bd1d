//! What a distributed service can never know for certain, as small crates under one roof.
//!
//! *To surmise: to hold something true without proof. It is all that a node can do about another node.*
//!
//! This crate owns no logic: each module is a crate of the family, which can be depended on alone. Take this one if you
//! need three of them, and the crates themselves if you need one.
//!
//! ```
//! # #[cfg(feature = "alloc")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use core::time::Duration;
//! use surmise::{
//!     detector::{FixedTimeout, Verdict},
//!     monitor::{Event, Monitor, MonitorConfig},
//!     quorum::{Ballot, Majority, Opinion},
//!     time::Instant,
//! };
//!
//! // We watch the leader, and hear what `c` thinks of it. The leader has a vote too, so that no half of a partition
//! // convicts the other's.
//! let mut now = Instant::from_nanos(0); // in a program, that of a clock of `surmise::time`
//! let mut monitor = Monitor::new(MonitorConfig::default())?;
//! monitor.watch("leader", FixedTimeout::new(Duration::from_secs(3))?, now)?;
//! let mut ballot = Ballot::new(["leader", "us", "c"], Majority::new(3)?, Duration::from_secs(10))?;
//!
//! let (incarnation, sequence) = (1, 1);
//! monitor.heartbeat(&"leader", incarnation, sequence, now)?;
//!
//! // Nothing more is heard of it, by us or by `c`.
//! let mut vote = 0;
//! while monitor.verdict(&"leader") != Some(Verdict::Suspect) {
//!     now = monitor.deadline().ok_or("somebody is watched")?;
//!     for event in monitor.poll(now) {
//!         let opinion = match event {
//!             Event::Trusted { .. } => Opinion::Trust,
//!             Event::Suspected { .. } => Opinion::Suspect,
//!             _ => continue,
//!         };
//!         vote += 1;
//!         ballot.vote(&"us", opinion, vote, now)?;
//!     }
//! }
//! assert!(!ballot.outcome(now).is_convicted()); // one of three: perhaps it is we who are cut off
//! ballot.vote(&"c", Opinion::Suspect, 1, now)?;
//! assert!(ballot.outcome(now).is_convicted()); // so somebody else may apply for its lease
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "alloc"))]
//! # fn main() {}
//! ```
//!
//! # Which crate do I need?
//!
//! | the question | the module, and where to begin |
//! |---|---|
//! | Is that peer alive? | [`detector`]: `FixedTimeout` if you know the timeout, `TwoWindow` if you know the interval; `surmise-lab tune` finds one |
//! | Which of my thousand peers are alive? | `monitor`: `Monitor`; `sync` for many threads |
//! | Do most of us think that it is dead? Do two lead? | [`quorum`]: `Ballot`, `Majority`, `LeaderWatch` |
//! | How long should I wait for an answer? | [`timeout`]: `AdaptiveTimeout` |
//! | It did not answer. Again? When? | [`timeout`]: `Backoff`, `RetryBudget`, `Hedge` |
//! | … and what if it was done the first time? | `idempotency`: `IdempotencyCache` |
//! | Which of these happened first? | [`clock`]: `HybridClock` for stamps, `VectorClock` for versions |
//! | What time is it, at most? | [`interval`]: `IntervalClock`, `CommitWait` |
//! | Do I still hold the lease? | [`fence`]: `LeaseGuard` to know better, `Fence` to be safe |
//!
//! Three answers are crates of their own that are not re-exported here, for what they depend on:
//!
//! * `surmise-store` keeps leases, fenced writes and what was executed, in memory, in a file, on PostgreSQL, etcd or Redis.
//!   Whoever elects a leader, or must remember over a restart what was done, begins there.
//! * `surmise-tower` has timeouts, retries, hedging and the `Idempotency-Key` header as layers for axum, tonic and hyper.
//! * `surmise-lab` is a command: it compares detectors on traces of your network, and shows what goes wrong without
//!   each of these.
//!
//! ## What goes together
//!
//! * **A leader.** A lease in a store says who leads, and its [token](fence) goes with every write, so that a leader
//!   that was paused is refused. A monitor and a [ballot](quorum) make the others apply sooner than when the
//!   lease ends; they decide nothing about safety, and may be wrong.
//! * **A call.** A [timeout] says when to give up, a backoff when to try again, a budget whether to. As soon as
//!   anything is tried twice, the other side needs an idempotency cache.
//! * **A record.** A [hybrid stamp](clock) orders it behind all that its writer had seen. If it must also be behind all
//!   that was finished *anywhere* before, the clock has to be an [interval], and the writer has to wait.
//!
//! # More to read
//!
//! * [`_design`]: why the crates are as they are.
//! * [`_limits`]: what none of this can do, and who proved it.
//!
//! # Features
//!
//! * `std` (default): what many threads share, the operating system's clocks, and sources of time. Implies `alloc`.
//! * `alloc`: what needs memory, such as monitors and idempotency caches.
//!
//! Without either it is `no_std`. For serde, depend on the crate in question with its feature `serde`: cargo
//! unites the features of one crate, so the types are the same.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use surmise_clock as clock;
pub use surmise_detector as detector;
pub use surmise_fence as fence;
#[cfg(feature = "alloc")]
pub use surmise_idempotency as idempotency;
pub use surmise_interval as interval;
#[cfg(feature = "alloc")]
pub use surmise_monitor as monitor;
pub use surmise_quorum as quorum;
pub use surmise_time as time;
pub use surmise_timeout as timeout;

#[doc = include_str!("../docs/design.md")]
pub mod _design {}

#[doc = include_str!("../docs/limits.md")]
pub mod _limits {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
