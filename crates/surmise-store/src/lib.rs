//! Leases, fenced writes and idempotent requests on storage that lasts: a paused leader's writes are refused by the store,
//! and what was executed is not executed again.
//!
//! A lease says who may write; a *fencing token*, higher with each grant, is what makes it true. Its holder shows the
//! token with each write, and the store refuses those of earlier holders, however long they were paused.
//!
//! ```
//! use core::time::Duration;
//! use surmise_store::{
//!     FencedStore, LeaseClock, LeaseStore,
//!     memory::{MemoryConfig, MemoryStore},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let store = MemoryStore::new(MemoryConfig::default(), LeaseClock)?;
//! let lease = store.acquire("ledger", "node-1", Duration::from_secs(10)).await?;
//! store.raise("ledger", lease.pass()?).await?.applied()?; // before it reads what it goes on from
//! store.write("ledger", b"balance", b"100", lease.next_pass()?).await?.applied()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What was executed
//!
//! [`IdempotencyStore`] remembers requests, so that one that is sent again is answered and not executed again. The same stores
//! keep it. Between an effect somewhere else and the note that it is done, the one who executes can die; then the next is
//! told to recover. Only in one transaction are they one: `postgres::settle` runs in yours.
//!
//! # Which store?
//!
//! | store | lasts | survives | take it for |
//! |---|---|---|---|
//! | [`memory`] | as long as the process | nothing | tests, threads of one process |
//! | `redb` | in a file | a crash, a power loss | one process, and others that ask it |
//! | `postgres` | as long as the server's disk | kill −9, a crash of its machine | what is in a database anyway: fenced in your own transactions |
//! | `etcd` | on the disks of a majority of the members | the loss of a minority of them | leases of several machines |
//! | `redis` | in the log of one server, if that is set up so | kill −9, a crash of its machine; no promoted replica | what is in Redis anyway, and is not to be lost with it |
//!
//! Each module says what its store guarantees and by what means, what the operator must set, and what it costs.
//!
//! # What all of them hold to
//!
//! * [`LeaseStore`], [`FencedStore`] and [`IdempotencyStore`] say it; the module `conformance` (feature `conformance`) tests it, for your store too.
//! * *A [`StoreError`] means that nothing happened.* What may have happened, or may yet, is `Indeterminate`; that a read
//!   does not show it proves nothing. [`Outcome::Indeterminate`] says what does.
//! * Names, keys, values and times have the same limits everywhere: [`Resource`], [`Change`], [`Ttl`].
//! * Every request of a store to a server has a time limit; `postgres`'s functions for transactions have the connection's.
//!   None that counts is sent twice without being asked for: only reads, and leases of etcd's own, are asked of the
//!   next member.
//!
//! # What this crate does not do
//!
//! A fence protects what is in the store, and what a transaction of the same database does. A mail that a paused holder
//! sends is sent. Nothing here elects or watches anybody: a holder that died is replaced when its lease is over.
//! Values are bytes, there are no queries, and passes of removed keys stay for good.
//!
//! # Features
//!
//! * `redb` (default), `etcd`, `postgres`, `redis`: the stores of these names.
//! * `conformance`: the suite of what every store has to do.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod epoch;
mod error;
#[cfg(feature = "etcd")]
pub mod etcd;
mod fenced_store;
mod forward;
mod idempotency_store;
mod lease;
mod lease_store;
mod limits;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redb")]
pub mod redb;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(all(test, any(feature = "postgres", feature = "redis")))]
#[path = "../tests/support/servers.rs"]
mod servers;
#[cfg(any(feature = "etcd", feature = "redis"))]
mod stream;

pub use self::{
    clock::LeaseClock,
    error::{BoxError, LimitExceeded, LostReply, StoreError},
    fenced_store::{Change, Entry, FencedStore, NotApplied, Outcome},
    idempotency_store::{Claim, Claimed, IdempotencyStore, Settled, Settlement, Terms, Ticket},
    lease::{AcquireError, Lease, ReleaseError, RenewError},
    lease_store::{Extended, Granted, Holding, LeaseRequest, LeaseStore, Revoked},
    limits::{Resource, Ttl},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
