use alloc::sync::Arc;
use core::{mem, time::Duration};

use surmise_timeout::{
    HedgeOutcome, Outcome,
    sync::{AtomicRetryBudget, SharedHedge},
};
use tokio::time::Instant;

use crate::telemetry;

/// When the primary and its backup were sent and failed. However they end, that is recorded once.
#[derive(Debug)]
pub(super) struct Legs {
    hedge: Arc<SharedHedge>,
    primary: Leg,
    backup: Option<Leg>,
    is_over: bool,
}

#[derive(Debug)]
struct Leg {
    sent: Instant,
    failed_after: Option<Duration>,
}

/// Which of the two requests the caller gets the answer of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Winner {
    Primary,
    Backup,
    Neither,
}

impl Legs {
    /// Begins the primary. One that cannot have a backup is not recorded.
    pub(super) fn begin(hedge: Arc<SharedHedge>, is_hedged: bool) -> Self {
        Self { hedge, primary: Leg::begin(), backup: None, is_over: !is_hedged }
    }

    /// Begins the backup, if the budget allows it.
    pub(super) fn issue(&mut self, budget: &AtomicRetryBudget) -> bool {
        if self.hedge.issue(budget).is_err() {
            telemetry::hedge_denied();
            return false;
        }
        telemetry::hedge_issued(self.primary.took());
        self.backup = Some(Leg::begin());
        true
    }

    pub(super) fn primary_failed(&mut self) {
        self.primary.fail();
    }

    pub(super) fn backup_failed(&mut self) {
        if let Some(backup) = &mut self.backup {
            backup.fail();
        }
    }

    /// Returns whether a backup was sent.
    pub(super) const fn are_two(&self) -> bool {
        self.backup.is_some()
    }

    /// Returns how long the primary has been under way.
    pub(super) fn primary_took(&self) -> Duration {
        self.primary.took()
    }

    /// Records how a primary without a backup went.
    pub(super) fn end_alone(&mut self, outcome: Outcome) {
        self.record(HedgeOutcome::Alone(outcome));
    }

    /// Records who of the two won, or that both are given up.
    pub(super) fn end(&mut self, winner: Winner) {
        let primary = self.primary.took();
        self.record(match (&self.backup, winner) {
            (None, _) => HedgeOutcome::Alone(Outcome::Cancelled(primary)),
            (Some(leg), Winner::Primary) => {
                HedgeOutcome::PrimaryWon { primary, backup: leg.took() }
            }
            (Some(leg), Winner::Backup) => HedgeOutcome::BackupWon { primary, backup: leg.took() },
            (Some(leg), Winner::Neither) => HedgeOutcome::Cancelled { primary, backup: leg.took() },
        });
    }

    fn record(&mut self, outcome: HedgeOutcome) {
        if !mem::replace(&mut self.is_over, true) {
            telemetry::hedge_ended(outcome);
            self.hedge.record(outcome);
        }
    }
}

/// Nobody waits for the answer any more.
impl Drop for Legs {
    fn drop(&mut self) {
        self.end(Winner::Neither);
    }
}

impl Leg {
    fn begin() -> Self {
        Self { sent: Instant::now(), failed_after: None }
    }

    fn fail(&mut self) {
        self.failed_after = Some(self.sent.elapsed());
    }

    fn took(&self) -> Duration {
        self.failed_after.unwrap_or_else(|| self.sent.elapsed())
    }
}
