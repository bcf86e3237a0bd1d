//! A cache that many threads and tasks share.

mod cache;
mod error;
mod execute;
mod execution;
mod finished;
mod join;
mod loom;
#[cfg(all(test, loom))]
mod loom_tests;
mod recovery;
mod shard;
mod together;
mod waiters;

pub use self::{
    cache::IdempotencyCache, error::ExecuteError, execution::Execution, finished::Finished,
    recovery::Recovery,
};
