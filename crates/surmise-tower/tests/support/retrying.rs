//! Retries with known delays, paid for from a budget.

use alloc::sync::Arc;
use core::time::Duration;

use surmise_timeout::{
    Ratio, RetryBudgetConfig,
    backoff::{Backoff, BackoffConfig, Jitter},
    sync::AtomicRetryBudget,
};

use crate::script::{End, Played};

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// 100 ms, 200 ms, 400 ms and so on.
pub(crate) fn backoff() -> Backoff {
    Backoff::new(BackoffConfig {
        base: millis(100),
        multiplier: Ratio::from_percent(200),
        cap: millis(10_000),
        floor: Duration::ZERO,
        jitter: Jitter::None,
    })
    .unwrap()
}

pub(crate) fn budget(ratio: Ratio, initial: u32) -> Arc<AtomicRetryBudget> {
    let config = RetryBudgetConfig { ratio, burst: 10, initial };
    Arc::new(AtomicRetryBudget::new(config).unwrap())
}

/// Returns what became of calls that each took 1 ms, the nth of which began at this time.
pub(crate) fn played_from(times: &[u64]) -> Vec<Played> {
    times.iter().map(|&from| Played { from, end: End::At(from + 1) }).collect()
}
