//! Leases and fenced writes on storage that lasts: a paused leader's writes are refused by the store.
//!
//! # What this crate does not do

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod fenced_store;
mod lease;
mod lease_store;
mod limits;
pub mod memory;

pub use self::{
    error::{BoxError, LimitExceeded, LostReply, StoreError},
    fenced_store::{Change, Entry, FencedStore, Outcome},
    lease::{AcquireError, Lease, ReleaseError, RenewError},
    lease_store::{Extended, Granted, Holding, LeaseRequest, LeaseStore, Revoked},
    limits::{Resource, Ttl},
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
