//! Watches many peers with one failure detector each, and does not take its own pause for their death.
//!
//! A failure detector answers for one peer. A service watches thousands, and its worst enemy is its own pause: whoever
//! was stopped for twenty seconds has heard of nobody for twenty seconds. A [`Monitor`] knows the difference. It keeps
//! the detectors, says when the next of them has to be looked at, and tells what changed.
//!
//! ```
//! use core::time::Duration;
//! use surmise_detector::FixedTimeout;
//! use surmise_monitor::{Event, Monitor, MonitorConfig};
//! use surmise_time::Instant;
//!
//! let mut monitor = Monitor::new(MonitorConfig::default())?;
//! # let now = Instant::ORIGIN;
//! monitor.watch("node-1", FixedTimeout::new(Duration::from_secs(3))?, now)?;
//!
//! // With each heartbeat that arrives:
//! let (incarnation, sequence) = (1, 1);
//! monitor.heartbeat(&"node-1", incarnation, sequence, now)?;
//!
//! // Then, and whenever `monitor.deadline()` is over:
//! for event in monitor.poll(now) {
//!     match event {
//!         Event::Suspected { peer, silent_for, .. } => println!("{peer}: silent for {silent_for:?}"),
//!         Event::Trusted { peer, .. } => println!("{peer} is alive"),
//!         Event::Dead { peer, .. } => println!("{peer} is dead, as far as anybody can tell"),
//!         Event::ObserverStalled { gap } => println!("we were paused for {gap:?}"),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # A service
//!
//! This is all of an axum service to which nodes send heartbeats, `examples/axum.rs`. Where one task owns the monitor,
//! it needs no lock; in `examples/tokio.rs` such a task is told of heartbeats by a channel.
#![doc = concat!("\n```no_run\n", include_str!("../examples/axum.rs"), "```\n")]
//!
//! # What keeps it from convicting the living
//!
//! * **A stall of the observer** moves all deadlines by as much, at once, and nothing is learned from heartbeats that were
//!   queued in it. If the queue was lost, peers have their whole time again. See [`MonitorConfig::max_poll_gap`].
//! * **Many that expire together** point at the observer's own network. Verdicts are held back for a while, and whoever
//!   is heard of in it was never suspected. See [`CorrelatedExpiry`].
//! * **The observer's own health** stretches the [grace](Grace) between suspicion and death, and the suspicions of other
//!   observers shorten it. The latter is Lifeguard's; there health stretches probes. See [`LocalHealth`].
//! * **A peer that restarts** counts its heartbeats anew under a higher incarnation; whatever is told of a former
//!   one is [ignored](Ignored).
//!
//! # Time
//!
//! `now` comes from one monotonic clock, which must go on while the machine sleeps if the monitor is to notice
//! that: `BootClock` of `surmise-time` on Linux and Android. Elsewhere take `OsClock`; if it stands still in
//! the meantime, nobody is suspected for that, but what is queued then is taken for regular heartbeats. Where the
//! clock steps back, no time passes. Events tell durations in the time that the observer was awake.
//!
//! # Threads
//!
//! A [`Monitor`] is a plain value. The module `sync` (feature `std`) has one that threads share, in which heartbeats of
//! different peers seldom wait for each other, handles whose verdicts wait for nobody, and a thread that polls.
//!
//! # What this crate does not do
//!
//! It sends nothing and receives nothing. But for `sync::Driver`, it reads no clock and starts no thread. It does not gossip: who confirms or
//! refutes a suspicion is for the caller to find out. And no monitor can tell a peer that is dead from one that is cut off
//! or slow: if acting on a wrong suspicion would do damage, fence what you protect.
//!
//! # Features
//!
//! * `std` (default): the module `sync`.
//! * `serde`: configurations, events, and what is known of a peer.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod config;
mod error;
mod event;
mod health;
mod monitor;
mod status;
#[cfg(feature = "std")]
pub mod sync;

pub use self::{
    config::{CorrelatedExpiry, Grace, MonitorConfig, MonitorConfigError},
    error::{Ignored, NotWatched, WatchRefusal},
    event::{Event, SuspicionReason, TrustReason},
    health::LocalHealth,
    monitor::{Heartbeat, Monitor, Poll},
    status::{PeerState, PeerStatus},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
