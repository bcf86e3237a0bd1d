//! Fencing tokens, fences and leases: do I still hold it, and what if I am wrong?
//!
//! A lease is never certain. Its holder may be paused for longer than it lasts, with no way to notice before the
//! next instruction, which may be a write. What can be certain is that the *storage* refuses that write:
//! each grant of the lease has a higher token than all before it, and the storage refuses tokens lower than
//! the highest that it saw.
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
mod pass;
#[cfg(feature = "std")]
pub mod sync;
mod token;

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
