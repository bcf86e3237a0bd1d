use alloc::sync::Arc;
use core::{mem, time::Duration};

use surmise_timeout::{
    HedgeOutcome, Outcome,
    sync::{AtomicRetryBudget, SharedHedge},
};
use tokio::time::Instant;

use crate::telemetry;

/// When the primary and its backup were sent, and how they ended. However that was, it is recorded once.
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
    ended: Option<End>,
}

/// How a request ended that was not dropped before.
#[derive(Clone, Copy, Debug)]
struct End {
    after: Duration,
    outcome: Outcome,
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

    /// Notes that the primary has a result, and what that says of how long answers take, given how long it took.
    pub(super) fn primary_ended(&mut self, outcome: impl FnOnce(Duration) -> Outcome) {
        self.primary.end(outcome);
    }

    /// Notes that the backup has a result, as [`primary_ended`](Self::primary_ended).
    pub(super) fn backup_ended(&mut self, outcome: impl FnOnce(Duration) -> Outcome) {
        if let Some(backup) = &mut self.backup {
            backup.end(outcome);
        }
    }

    /// Records how both went. Who has no result by now is cancelled.
    pub(super) fn end(&mut self, backup_won: bool) {
        if mem::replace(&mut self.is_over, true) {
            return;
        }
        let primary = self.primary.outcome();
        self.hedge.record(match &self.backup {
            None => HedgeOutcome::Alone(primary),
            Some(leg) => {
                telemetry::hedge_ended(self.primary.took(), leg.took(), backup_won);
                HedgeOutcome::Both { primary, backup: leg.outcome(), backup_won }
            }
        });
    }
}

/// Nobody waits for the answer any more.
impl Drop for Legs {
    fn drop(&mut self) {
        self.end(false);
    }
}

impl Leg {
    fn begin() -> Self {
        Self { sent: Instant::now(), ended: None }
    }

    fn end(&mut self, outcome: impl FnOnce(Duration) -> Outcome) {
        let after = self.sent.elapsed();
        self.ended = Some(End { after, outcome: outcome(after) });
    }

    fn took(&self) -> Duration {
        self.ended.map_or_else(|| self.sent.elapsed(), |end| end.after)
    }

    fn outcome(&self) -> Outcome {
        self.ended.map_or_else(|| Outcome::Cancelled(self.sent.elapsed()), |end| end.outcome)
    }
}
