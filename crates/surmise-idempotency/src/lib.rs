//! Have I done this already? An idempotency cache that loses none of the races.
//!
//! A client that got no answer asks again. At-least-once delivery and a service that remembers what it did are how
//! "exactly once" is really made. What is hard are the races: two duplicates at once, a crash half-way, an executor
//! that was given up and comes back, a record that goes while its client still retries.
//!
//! ```
//! use surmise_idempotency::{CacheConfig, FingerprintKey, sync::{ExecuteError, IdempotencyCache}};
//! use surmise_time::OsClock;
//!
//! let cache = IdempotencyCache::<String, u64, _>::new(CacheConfig::default(), OsClock)?;
//! let fingerprints = FingerprintKey::new([7; 16]); // of the system's randomness
//! let mut charged = 0;
//! let mut pay = |amount: u64| {
//!     let request = fingerprints.of([&b"POST"[..], b"/payments", &amount.to_le_bytes()]);
//!     cache.execute("payment-17", request, || {
//!         charged += amount; // charges the card
//!         charged
//!     })
//! };
//! for _ in 0..3 {
//!     assert_eq!(pay(100)?, 100);
//! }
//! assert_eq!(pay(900), Err(ExecuteError::Mismatch));
//! assert_eq!(charged, 100);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Who needs what
//!
//! | you | take |
//! |---|---|
//! | drive it from one thread or an event loop | [`IdempotencyCache`] |
//! | share it among threads or tasks | `sync::IdempotencyCache` |
//! | want it to outlast the process | `surmise-store` |
//! | have clients of many tenants choose keys | [`Key`] |
//! | want to know that a retry is the same request | [`FingerprintKey`] |
//! | get numbered messages from a producer | [`ProducerWindow`] |
//!
//! # The life of a key
//!
//! ```text
//!            begin: Execute              complete: kept for the retention
//! (unknown) ----------------> in flight ----------------------------------> completed --> (unknown)
//!     ^                        |  |   ^                                      begin: Replay
//!     |  release: nothing done |  |   | begin: Recover, a new ticket
//!     +------------------------+  |   |
//!                                 v   |
//!                            indeterminate: the lease ended, nobody knows what was done --> (unknown)
//! ```
//!
//! As long as nobody recovers, the late executor may still complete, release or renew what is indeterminate. Who was to
//! recover and releases makes it indeterminate again.
//!
//! In every state another payload, by its [`Fingerprint`], is a [`Begin::Mismatch`]. What is indeterminate is forgotten a
//! retention after its lease.
//!
//! # What this crate does not do
//!
//! It cannot undo. If an executor dies between the effect and [`complete`](IdempotencyCache::complete), nobody but the
//! place of the effect knows whether it happened: this crate says [`Begin::Recover`] instead of guessing. Only where
//! effect and completion are one transaction, as with PostgreSQL in `surmise-store`, is there nothing to find
//! out. And a cache in memory forgets all when its process ends.
//!
//! # Features
//!
//! * `std` (default): the module `sync`.
//! * `serde`: configurations, fingerprints, keys and producers' windows.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod begin;
mod cache;
mod config;
mod fingerprint;
mod key;
mod producer;
#[cfg(feature = "std")]
pub mod sync;

pub use self::{
    begin::{Begin, Fenced, Keep, Ticket},
    cache::{CacheStats, IdempotencyCache},
    config::{CacheConfig, CacheConfigError, WhenFull},
    fingerprint::{Fingerprint, FingerprintKey},
    key::{Key, KeyBytesError, KeyError, KeyPart},
    producer::{Acceptance, Admission, ProducerWindow},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
