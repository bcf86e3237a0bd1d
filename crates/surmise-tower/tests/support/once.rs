//! What tests of the idempotency layer share: a clock, a store, and what requests are answered.

#[path = "answer.rs"]
mod answer;

use alloc::sync::Arc;

use surmise_store::memory::{MemoryConfig, MemoryStore};
use surmise_time::{Instant, MonotonicClock};

pub(crate) use self::answer::Answer;

/// Tokio's clock, which a test can stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(tokio::time::Instant);

impl MonotonicClock for Clock {
    fn now(&self) -> Instant {
        Instant::ORIGIN + self.0.elapsed()
    }
}

pub(crate) type Memory = MemoryStore<Clock>;

pub(crate) fn memory() -> Arc<Memory> {
    let clock = Clock(tokio::time::Instant::now());
    Arc::new(MemoryStore::new(MemoryConfig::default(), clock).unwrap())
}
