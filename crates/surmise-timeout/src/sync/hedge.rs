use core::time::Duration;

use crossbeam_utils::CachePadded;
use surmise_time::Instant;

use super::{
    AtomicRetryBudget, SharedAdaptiveTimeout,
    loom::{AtomicU64, Ordering},
};
use crate::{
    AdaptiveTimeoutConfig, AdaptiveTimeoutError, BudgetExhausted, HedgeCounters, HedgeOutcome,
    Quantile, hedge::Backup,
};

/// A [`Hedge`](crate::Hedge) that many threads share.
///
/// To read the delay takes one load, and to record a primary that answered alone one atomic addition, as with
/// [`SharedAdaptiveTimeout`]. The counters lie on a cache line of their own, and are written only for requests
/// that the delay was too short for.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{
///     HedgeOutcome, Outcome, Ratio, RetryBudgetConfig, sync::{AtomicRetryBudget, SharedHedge},
/// };
///
/// let [floor, ceiling] = [1, 1000].map(Duration::from_millis);
/// let hedge = SharedHedge::p95(floor, ceiling)?;
/// let ratio = Ratio::from_percent(5);
/// let budget = AtomicRetryBudget::new(RetryBudgetConfig { ratio, burst: 20, initial: 0 })?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| {
///             for _ in 0..100 {
///                 budget.deposit();
///                 hedge.record(HedgeOutcome::Alone(Outcome::Completed(Duration::from_millis(8))));
///             }
///         });
///     }
/// });
/// let delay = hedge.delay();
/// assert!(delay <= Duration::from_millis(9));
/// hedge.issue(&budget)?;
/// let backup = Duration::from_millis(7);
/// hedge.record(HedgeOutcome::BackupWon { primary: delay + backup, backup });
/// assert_eq!((hedge.counters().won, hedge.counters().under_way()), (1, 0));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SharedHedge {
    primaries: SharedAdaptiveTimeout,
    counters: CachePadded<Counters>,
}

/// All are written on the same occasions, and so share a line.
#[derive(Debug)]
struct Counters {
    issued: AtomicU64,
    won: AtomicU64,
    lost: AtomicU64,
    denied: AtomicU64,
}

impl SharedHedge {
    /// Creates a hedge from how the delay is found, as [`Hedge::new`](crate::Hedge::new).
    ///
    /// # Errors
    ///
    /// Those of [`AdaptiveTimeout::new`](crate::AdaptiveTimeout::new).
    pub fn new(delay: AdaptiveTimeoutConfig) -> Result<Self, AdaptiveTimeoutError> {
        let [issued, won, lost, denied] = [(); 4].map(|()| AtomicU64::new(0));
        Ok(Self {
            primaries: SharedAdaptiveTimeout::new(delay)?,
            counters: CachePadded::new(Counters { issued, won, lost, denied }),
        })
    }

    /// Creates a hedge whose delay is the 95th percentile of the primaries' latencies, within limits.
    ///
    /// # Errors
    ///
    /// Those of [`AdaptiveTimeout::new`](crate::AdaptiveTimeout::new).
    pub fn p95(floor: Duration, ceiling: Duration) -> Result<Self, AdaptiveTimeoutError> {
        Self::new(AdaptiveTimeoutConfig::of(Quantile::P95, floor, ceiling))
    }

    /// Pays for a backup, once the delay has passed without an answer, and counts it.
    ///
    /// # Errors
    ///
    /// If the budget is exhausted. Send no backup then: the primary is all there is.
    pub fn issue(&self, budget: &AtomicRetryBudget) -> Result<(), BudgetExhausted> {
        let result = budget.withdraw();
        let Counters { issued, denied, .. } = &*self.counters;
        let counter = if result.is_ok() { issued } else { denied };
        counter.fetch_add(1, Ordering::Relaxed);
        result
    }

    /// Takes in how a request went.
    #[inline]
    pub fn record(&self, outcome: HedgeOutcome) {
        if let Some(backup) = outcome.backup_ended() {
            self.count_end(backup);
        }
        self.primaries.record(outcome.for_delay());
    }

    /// Forgets requests that are older than the configuration says, if it does.
    ///
    /// A clock that steps back changes nothing.
    pub fn advance(&self, now: Instant) {
        self.primaries.advance(now);
    }

    /// Returns how long to wait for the primary before the backup is issued.
    #[must_use]
    #[inline]
    pub fn delay(&self) -> Duration {
        self.primaries.current()
    }

    /// Returns what became of the backups.
    ///
    /// Others may be counted meanwhile, but none is seen to have won or lost without having been issued.
    #[must_use]
    pub fn counters(&self) -> HedgeCounters {
        let Counters { issued, won, lost, denied } = &*self.counters;
        // With what ended, what was issued before is seen: it is read last.
        let [won, lost] = [won, lost].map(|ended| ended.load(Ordering::Acquire));
        let [issued, denied] = [issued, denied].map(|counter| counter.load(Ordering::Relaxed));
        HedgeCounters { issued, won, lost, denied }
    }

    /// A counter would have to count for centuries to wrap around.
    #[cold]
    fn count_end(&self, backup: Backup) {
        let counter = match backup {
            Backup::Won => &self.counters.won,
            Backup::Lost => &self.counters.lost,
        };
        counter.fetch_add(1, Ordering::Release);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::{sync::Arc, thread};

    use super::*;
    use crate::{Ratio, RetryBudgetConfig};

    /// Issues a backup and has it win or lose.
    fn request(hedge: &SharedHedge, budget: &AtomicRetryBudget, backup: Backup) {
        if hedge.issue(budget).is_ok() {
            hedge.count_end(backup);
        }
    }

    #[test]
    fn loom_counters_add_up_at_any_time() {
        loom::model(|| {
            let [floor, ceiling] = [1, 1000].map(Duration::from_nanos);
            let hedge = Arc::new(SharedHedge::p95(floor, ceiling).unwrap());
            let config = RetryBudgetConfig { ratio: Ratio::ONE, burst: 2, initial: 2 };
            let budget = Arc::new(AtomicRetryBudget::new(config).unwrap());
            let requests = [Backup::Won, Backup::Lost].map(|backup| {
                let (hedge, budget) = (Arc::clone(&hedge), Arc::clone(&budget));
                thread::spawn(move || request(&hedge, &budget, backup))
            });
            let seen = hedge.counters();
            assert!(seen.won + seen.lost <= seen.issued && seen.issued <= 2, "{seen:?}");
            for request in requests {
                request.join().unwrap();
            }
            request(&hedge, &budget, Backup::Won);
            let all = HedgeCounters { issued: 2, won: 1, lost: 1, denied: 1 };
            assert_eq!(hedge.counters(), all);
        });
    }
}
