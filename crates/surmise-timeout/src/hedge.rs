mod counters;
mod outcome;

use core::time::Duration;

use surmise_time::Instant;

#[cfg(feature = "std")]
pub(crate) use self::outcome::Backup;
pub use self::{counters::HedgeCounters, outcome::HedgeOutcome};
use crate::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, AdaptiveTimeoutError, BudgetExhausted, Quantile,
    RetryBudget,
};

/// Decides when a request that is slow gets a backup, and whether it may.
///
/// A request is sent to one replica, the primary. If there is no answer after a delay, the same request is sent to
/// another, the backup, and the first answer counts (Dean and Barroso, "The Tail at Scale", Communications of the
/// ACM 56(2), 2013, <https://doi.org/10.1145/2408776.2408794>). With the 95th percentile of the primaries'
/// latencies as the delay, that is one request in twenty, and it takes away most of the tail.
///
/// Hedge only what may be done twice: reads, and writes with an idempotency key.
///
/// # Why the primaries that lost count
///
/// A primary whose backup answered first is cancelled, and it is always a slow one. Who forgets it believes that
/// primaries are faster than they are, and hedges more of them than was asked for. Here it counts as what it is,
/// a primary that would have taken longer than that. What to record of winner and loser follows from the
/// [`HedgeOutcome`]. If more primaries are never answered than the quantile leaves, the delay is no longer than
/// the slowest answers, or than it was before.
///
/// # Why there is a budget
///
/// When a service slows down, all requests take longer than the delay, until enough of them were answered to move
/// it. That is the worst time to double the load. Each backup is paid for from a [`RetryBudget`], the one that
/// retries are paid from, so that both together add no more than its share. Make one deposit for each
/// request, not for its backup.
///
/// # While nothing is known
///
/// The delay is the ceiling at first, and is blended over to what is learned. Set the ceiling to how long a request
/// may take at all, and nothing is hedged while nothing is known.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{Hedge, HedgeOutcome, Outcome, Ratio, RetryBudget, RetryBudgetConfig};
///
/// let [floor, ceiling] = [1, 1000].map(Duration::from_millis);
/// let mut hedge = Hedge::<1000>::p95(floor, ceiling)?;
/// let ratio = Ratio::from_percent(5);
/// let mut budget = RetryBudget::new(RetryBudgetConfig { ratio, burst: 20, initial: 0 })?;
/// assert_eq!(hedge.delay(), ceiling, "as long as nothing is known");
///
/// for _ in 0..200 {
///     budget.deposit();
///     hedge.record(HedgeOutcome::Alone(Outcome::Completed(Duration::from_millis(8))));
/// }
/// // The next primary is slow: the delay passes without an answer.
/// let delay = hedge.delay();
/// assert!(delay <= Duration::from_millis(9));
/// budget.deposit();
/// if hedge.issue(&mut budget).is_ok() {
///     let backup = Duration::from_millis(7);
///     hedge.record(HedgeOutcome::BackupWon { primary: delay + backup, backup });
/// }
/// assert_eq!((hedge.counters().issued, hedge.counters().won), (1, 1));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Hedge<const N: usize = 1000> {
    primaries: AdaptiveTimeout<N>,
    counters: HedgeCounters,
}

impl<const N: usize> Hedge<N> {
    /// Creates a hedge from how the delay is found: `quantile` is which share of primaries shall be answered before
    /// it. Nothing explores.
    ///
    /// # Errors
    ///
    /// Those of [`AdaptiveTimeout::new`].
    pub fn new(delay: AdaptiveTimeoutConfig) -> Result<Self, AdaptiveTimeoutError> {
        Ok(Self { primaries: AdaptiveTimeout::new(delay)?, counters: HedgeCounters::default() })
    }

    /// Creates a hedge whose delay is the 95th percentile of the primaries' latencies, within limits.
    ///
    /// # Errors
    ///
    /// Those of [`AdaptiveTimeout::new`].
    pub fn p95(floor: Duration, ceiling: Duration) -> Result<Self, AdaptiveTimeoutError> {
        Self::new(AdaptiveTimeoutConfig::of(Quantile::P95, floor, ceiling))
    }

    /// Pays for a backup, once the delay has passed without an answer, and counts it.
    ///
    /// # Errors
    ///
    /// If the budget is exhausted. Send no backup then: the primary is all there is.
    pub fn issue(&mut self, budget: &mut RetryBudget) -> Result<(), BudgetExhausted> {
        let result = budget.withdraw();
        self.counters.count_issue(result.is_ok());
        result
    }

    /// Takes in how a request went.
    pub fn record(&mut self, outcome: HedgeOutcome) {
        self.counters.count_end(outcome);
        self.primaries.record(outcome.for_delay());
    }

    /// Forgets requests that are older than the configuration says, if it does.
    ///
    /// A clock that steps back changes nothing.
    pub fn advance(&mut self, now: Instant) {
        self.primaries.advance(now);
    }

    /// Returns how long to wait for the primary before the backup is issued.
    #[must_use]
    #[inline]
    pub const fn delay(&self) -> Duration {
        self.primaries.current()
    }

    /// Returns what became of the backups.
    #[must_use]
    pub const fn counters(&self) -> HedgeCounters {
        self.counters
    }
}
