//! Hedges and the budget that pays for them.

use arbitrary::Arbitrary;
use surmise_fuzz::Span;
use surmise_time::Instant;
use surmise_timeout::{
    AdaptiveTimeout, Hedge, HedgeCounters, HedgeOutcome, Outcome, Ratio, RetryBudget,
    RetryBudgetConfig,
    sync::{AtomicRetryBudget, SharedAdaptiveTimeout, SharedHedge},
};

use crate::{Config, Ended, bounds, is_valid};

#[derive(Arbitrary, Debug)]
pub(crate) struct Input {
    config: Config,
    ratio: u32,
    burst: u16,
    initial: u16,
    ops: Vec<Op>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Begin,
    Issue,
    /// A retry, which is paid for from the same budget.
    Retry,
    Alone(Ended),
    PrimaryWon(Span, Span),
    BackupWon(Span, Span),
    TimedOut(Span, Span),
    Cancelled(Span, Span),
    Both(Ended, Ended, bool),
    Advance(Span),
}

pub(crate) fn check(input: &Input) {
    let config = input.config.config();
    let budget = RetryBudgetConfig {
        ratio: Ratio::from_millionths(input.ratio),
        burst: input.burst.into(),
        initial: input.initial.into(),
    };
    let (Ok(hedge), Ok(shared)) = (Hedge::<1000>::new(config), SharedHedge::new(config)) else {
        assert!(!is_valid(&config));
        return;
    };
    let Ok(budget) = RetryBudget::new(budget) else { return };
    let mut model = Model {
        owned: (hedge, budget.clone()),
        shared: (shared, AtomicRetryBudget::from(budget)),
        timeout: AdaptiveTimeout::new(config).expect("the hedge was made from the same"),
        shared_timeout: SharedAdaptiveTimeout::new(config).expect("as that was"),
        counters: HedgeCounters::default(),
        paid_in: i128::from(input.initial) * ONE,
        retries: 0,
        ratio: input.ratio.into(),
    };
    for op in &input.ops {
        model.step(op);
        let bounds = bounds(&config);
        model.check();
        assert!(bounds.contains(&model.owned.0.delay()));
        assert!(bounds.contains(&model.shared.0.delay()));
    }
}

/// A hedge of one owner and a shared one, with what they are to consist of.
struct Model {
    owned: (Hedge<1000>, RetryBudget),
    shared: (SharedHedge, AtomicRetryBudget),
    timeout: AdaptiveTimeout<1000>,
    shared_timeout: SharedAdaptiveTimeout,
    counters: HedgeCounters,
    /// In millionths of a token.
    paid_in: i128,
    retries: u64,
    ratio: i128,
}

impl Model {
    fn step(&mut self, op: &Op) {
        let (hedge, budget) = &mut self.owned;
        let (shared, shared_budget) = &self.shared;
        match *op {
            Op::Begin => {
                budget.deposit();
                shared_budget.deposit();
                self.paid_in += self.ratio;
            }
            Op::Issue => {
                let affordable = budget.available() > 0;
                let issued = hedge.issue(budget);
                assert_eq!(issued, shared.issue(shared_budget));
                assert_eq!(issued.is_ok(), affordable);
                self.counters.issued += u64::from(affordable);
                self.counters.denied += u64::from(!affordable);
            }
            Op::Retry => {
                let retried = budget.withdraw();
                assert_eq!(retried, shared_budget.withdraw());
                self.retries += u64::from(retried.is_ok());
            }
            Op::Advance(now) => {
                let now = Instant::from_nanos(now.nanos());
                hedge.advance(now);
                shared.advance(now);
                self.timeout.advance(now);
                self.shared_timeout.advance(now);
            }
            Op::Alone(ended) => self.end(HedgeOutcome::Alone(ended.outcome())),
            Op::PrimaryWon(primary, backup) => {
                self.counters.lost += 1;
                let (primary, backup) = (primary.duration(), backup.duration());
                self.end(HedgeOutcome::PrimaryWon { primary, backup });
            }
            Op::BackupWon(primary, backup) => {
                self.counters.won += 1;
                let (primary, backup) = (primary.duration(), backup.duration());
                self.end(HedgeOutcome::BackupWon { primary, backup });
            }
            Op::TimedOut(primary, backup) => {
                self.counters.lost += 1;
                let (primary, backup) = (primary.duration(), backup.duration());
                self.end(HedgeOutcome::TimedOut { primary, backup });
            }
            Op::Cancelled(primary, backup) => {
                self.counters.lost += 1;
                let (primary, backup) = (primary.duration(), backup.duration());
                self.end(HedgeOutcome::Cancelled { primary, backup });
            }
            Op::Both(primary, backup, backup_won) => {
                let counter =
                    if backup_won { &mut self.counters.won } else { &mut self.counters.lost };
                *counter += 1;
                let [primary, backup] = [primary, backup].map(|ended| ended.outcome());
                self.end(HedgeOutcome::Both { primary, backup, backup_won });
            }
        }
    }

    /// Has all of them record how a request ended: a primary that was given up is a longer one.
    fn end(&mut self, outcome: HedgeOutcome) {
        self.owned.0.record(outcome);
        self.shared.0.record(outcome);
        let recorded = match outcome {
            HedgeOutcome::Alone(primary) | HedgeOutcome::Both { primary, .. } => match primary {
                Outcome::TimedOut(waited) => Outcome::Cancelled(waited),
                outcome => outcome,
            },
            HedgeOutcome::PrimaryWon { primary, .. } => Outcome::Completed(primary),
            HedgeOutcome::BackupWon { primary, .. }
            | HedgeOutcome::TimedOut { primary, .. }
            | HedgeOutcome::Cancelled { primary, .. } => Outcome::Cancelled(primary),
        };
        self.timeout.record(recorded);
        self.shared_timeout.record(recorded);
        assert_eq!(outcome.backup().is_none(), matches!(outcome, HedgeOutcome::Alone(_)));
    }

    fn check(&self) {
        let ((hedge, budget), (shared, shared_budget)) = (&self.owned, &self.shared);
        assert_eq!(hedge.delay(), self.timeout.current());
        assert_eq!(shared.delay(), self.shared_timeout.current());
        assert_eq!(hedge.counters(), self.counters);
        assert_eq!(shared.counters(), self.counters);
        assert_eq!(budget.available(), shared_budget.available());
        let withdrawn = self.counters.issued + self.retries;
        assert!(i128::from(withdrawn) * ONE <= self.paid_in);
        let HedgeCounters { issued, won, lost, .. } = self.counters;
        assert_eq!(self.counters.under_way(), issued.saturating_sub(won + lost));
    }
}

/// One token, in millionths.
const ONE: i128 = 1_000_000;
