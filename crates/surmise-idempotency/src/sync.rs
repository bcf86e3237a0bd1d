//! A cache that many threads and tasks share.

mod cache;
mod execute;
mod finished;
mod join;
mod loom;
#[cfg(all(test, loom))]
mod loom_tests;
mod shard;
mod together;
mod waiters;

pub use self::{cache::IdempotencyCache, execute::ExecuteError, finished::Finished};
