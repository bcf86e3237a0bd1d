//! Have I done this already?
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
#[cfg(feature = "std")]
pub mod sync;

pub use self::{
    begin::{Begin, Fenced, Keep, Ticket},
    cache::{CacheStats, IdempotencyCache},
    config::{CacheConfig, CacheConfigError, WhenFull},
    fingerprint::Fingerprint,
};
