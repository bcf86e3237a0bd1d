use core::{error::Error, time::Duration};

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use surmise_time::Instant;
use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, Hedge, HedgeOutcome, Outcome, Quantile, Ratio,
    RetryBudget, RetryBudgetConfig,
    backoff::{Backoff, BackoffConfig, Jitter, Retries},
};

use super::session::Reading;
use crate::failover::{
    seed::{Purpose, of_run},
    setup::Timing,
};

/// For how long the client waits for what.
#[derive(Debug)]
pub(super) struct Calls {
    timeout: AdaptiveTimeout<128>,
    backoff: Backoff,
    hedge: Hedge<128>,
    budget: RetryBudget,
    give_up: Duration,
    rng: ChaCha8Rng,
}

impl Calls {
    pub(super) fn new(timing: Timing, seed: u64) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let floor = (timing.work * 2).max(SHORTEST);
        // To ask again does no harm, and a leader that is gone is not to be waited for as long as it takes to find that out.
        let ceiling = (timing.detection / 4).max(floor * 2);
        let config = AdaptiveTimeoutConfig {
            factor: Ratio::from_percent(150),
            ..AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling)
        };
        let backoff = BackoffConfig {
            base: SHORTEST,
            multiplier: Ratio::from_percent(200),
            cap: (timing.detection / 10).max(SHORTEST),
            floor: Duration::ZERO,
            jitter: Jitter::Equal,
        };
        let budget = RetryBudgetConfig { ratio: Ratio::from_percent(20), burst: 20, initial: 5 };
        Ok(Self {
            timeout: AdaptiveTimeout::new(config)?,
            backoff: Backoff::new(backoff)?,
            hedge: Hedge::p95(Duration::from_millis(1), (timing.detection / 5).max(SHORTEST))?,
            budget: RetryBudget::new(budget)?,
            give_up: timing.detection,
            rng: of_run(seed, Purpose::Client),
        })
    }

    pub(super) const fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }

    pub(super) fn random(&mut self) -> u64 {
        self.rng.random()
    }

    /// Returns how long to wait for the next attempt of a write.
    pub(super) fn timeout(&mut self) -> Duration {
        let random = self.random();
        self.timeout.draw(random)
    }

    pub(super) fn answered(&mut self, latency: Duration) {
        self.timeout.record(Outcome::Completed(latency));
    }

    pub(super) fn timed_out(&mut self, waited: Duration) {
        self.timeout.record(Outcome::TimedOut(waited));
    }

    pub(super) const fn retries(&self) -> Retries {
        self.backoff.retries(u32::MAX)
    }

    /// Begins a read of a node.
    pub(super) fn read(&mut self, id: u64, slot: u64, node: usize, now: Instant) -> Reading {
        self.budget.deposit();
        let (hedge_at, give_up) = (now + self.hedge.delay(), now + self.give_up);
        Reading { id, slot, node, sent: now, hedge_at, backup: None, give_up }
    }

    /// Returns the node that is to be read as well, if it is time to, and there is a budget for it.
    pub(super) fn hedges(
        &mut self,
        reading: &mut Reading,
        nodes: usize,
        now: Instant,
    ) -> Option<usize> {
        if reading.backup.is_some() || now < reading.hedge_at {
            return None;
        }
        if self.hedge.issue(&mut self.budget).is_err() {
            reading.hedge_at = reading.give_up;
            return None;
        }
        reading.backup = Some(now);
        // Any but the first.
        let other = self.rng.random_range(1..nodes.max(2));
        Some((reading.node + other) % nodes)
    }

    pub(super) fn was_read(&mut self, reading: &Reading, by_backup: bool, now: Instant) {
        let primary = now - reading.sent;
        self.hedge.record(match (reading.backup.map(|sent| now - sent), by_backup) {
            (None, _) => HedgeOutcome::Alone(Outcome::Completed(primary)),
            (Some(backup), false) => HedgeOutcome::PrimaryWon { primary, backup },
            (Some(backup), true) => HedgeOutcome::BackupWon { primary, backup },
        });
    }

    pub(super) fn was_not_read(&mut self, reading: &Reading, now: Instant) {
        let primary = now - reading.sent;
        self.hedge.record(match reading.backup.map(|sent| now - sent) {
            None => HedgeOutcome::Alone(Outcome::TimedOut(primary)),
            Some(backup) => HedgeOutcome::TimedOut { primary, backup },
        });
    }
}

/// Less is not waited for.
const SHORTEST: Duration = Duration::from_millis(10);
