//! Fencing tokens, fences and leases: do I still hold it, and what if I am wrong?
//!
//! A lease is never certain. Its holder may be paused for longer than it lasts, with no way to notice before the
//! next instruction, which may be a write. What can be certain is that the *storage* refuses that write:
//! each grant of the lease has a higher token than all before it, and the storage refuses a token that is lower than
//! the one that what is written was last written with, or that it was raised to.
//!
//! ```
//! use surmise_fence::{Fence, FencingToken};
//!
//! let mut fence = Fence::new(); // next to what it protects
//! let (paused, next) = (FencingToken::first(1), FencingToken::first(1).next()?);
//!
//! fence.admit(paused)?;
//! fence.raise(next)?; // the next holder, before it reads
//! assert!(fence.admit(paused).is_err()); // it woke up, and writes
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Who needs what
//!
//! | you | take |
//! |---|---|
//! | guard something by its latest holder | [`Fence`]; for many threads `sync::AtomicFence` |
//! | also tell apart a token issued twice, or late writes of one holder | [`StrictFence`] |
//! | keep values that only the latest holder may write | `FencedMap`; for many threads `sync::FencedMap` |
//! | grant leases | `LeaseTable` |
//! | hold a lease | [`LeaseGuard`], [`RenewSchedule`] |
//! | want all this on a database | `surmise-store` |
//!
//! # What each side has to do
//!
//! * The *grantor* gives each grant a higher token than all before, over restarts too.
//! * The *holder* raises the fence before it reads what it goes on from, shows its token with each write, and stops when
//!   it is refused. That its lease is valid by its own clock is a hint that spares useless work.
//! * The *storage* checks and writes in one step. A check and a later write are two, and a holder that was replaced
//!   in between does harm.
//!
//! # What this crate does not do
//!
//! It reads no clock, sends nothing and keeps nothing on disk. It does not elect anybody: whoever the grantor grants the
//! lease to is the holder. And a fence protects only what is behind it: a mail that a paused holder sends is sent.
//!
//! # Features
//!
//! * `std` (default): the module `sync`.
//! * `alloc`: the map and the table of leases.
//! * `serde`: tokens, passes and configurations.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod fence;
mod grant;
mod lease;
#[cfg(feature = "alloc")]
mod map;
mod pass;
#[cfg(feature = "std")]
pub mod sync;
mod token;

#[cfg(feature = "alloc")]
pub use self::map::{FencedMap, Refused, WriteRefusal};
pub use self::{
    fence::{Fence, StaleToken, StrictFence},
    grant::Grant,
    lease::{
        DriftAllowance, LeaseExpired, LeaseGuard, OtherToken, RenewSchedule, Renewal, ZeroSpacing,
    },
    pass::{Pass, Refusal},
    token::{FencingToken, ParseTokenError, TokensExhausted, ZeroToken},
};

#[cfg(feature = "alloc")]
pub use self::lease::{
    AcquireError, EndedLease, EpochNotHigher, Holding, LeaseTable, LeaseTableConfig,
    LeaseTableError, ReleaseError, RenewError, RestoreError, TokenBlock, TokenBlockError,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
