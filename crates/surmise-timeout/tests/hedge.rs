//! What a hedge makes of outcomes: what it records, counts and pays for.

#![cfg(feature = "std")]

use core::time::Duration;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_time::Instant;
use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, AdaptiveTimeoutError, Hedge, HedgeCounters,
    HedgeOutcome, Outcome, Quantile, Ratio, RetryBudget, RetryBudgetConfig,
    sync::{AtomicRetryBudget, SharedHedge},
};

const FLOOR: Duration = Duration::from_millis(1);
const CEILING: Duration = Duration::from_secs(1);

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn hedge() -> Hedge<1000> {
    Hedge::p95(FLOOR, CEILING).expect("the limits are in order")
}

fn budget(initial: u32) -> RetryBudget {
    let config = RetryBudgetConfig { ratio: Ratio::ZERO, burst: 10, initial };
    RetryBudget::new(config).expect("the burst is in order")
}

fn record(hedge: &mut Hedge<1000>, outcome: HedgeOutcome, times: usize) {
    for _ in 0..times {
        hedge.record(outcome);
    }
}

const fn answered(after: Duration) -> HedgeOutcome {
    HedgeOutcome::Alone(Outcome::Completed(after))
}

/// Within an eighth, and not below.
#[track_caller]
fn assert_just_above(delay: Duration, latency: Duration) {
    assert!(delay > latency && delay <= latency + latency / 8, "{delay:?} for {latency:?}");
}

#[test]
fn nothing_is_hedged_while_nothing_is_known() {
    let mut hedge = hedge();
    assert_eq!(hedge.delay(), CEILING);
    record(&mut hedge, answered(millis(5)), 50);
    assert!(hedge.delay() > CEILING / 2, "half is of the prior: {:?}", hedge.delay());
    record(&mut hedge, answered(millis(5)), 62);
    assert_just_above(hedge.delay(), millis(5));
}

#[test]
fn the_delay_is_the_95th_percentile_of_primaries() {
    let mut hedge = hedge();
    record(&mut hedge, answered(millis(5)), 950);
    record(&mut hedge, answered(millis(200)), 50);
    assert_just_above(hedge.delay(), millis(5));
    record(&mut hedge, answered(millis(200)), 16);
    assert_just_above(hedge.delay(), millis(200));
}

/// Each way to end, and what it says of the two replicas, of the delay and of the backup.
#[test]
fn what_is_recorded_follows_from_the_outcome() {
    let [primary, backup] = [300, 20].map(millis);
    let (completed, cancelled) = (Outcome::Completed, Outcome::Cancelled);
    let counters = HedgeCounters::default();
    let [won, lost] = [HedgeCounters { won: 1, ..counters }, HedgeCounters { lost: 1, ..counters }];
    let cases = [
        (answered(primary), completed(primary), None, completed(primary), counters),
        (
            HedgeOutcome::PrimaryWon { primary, backup },
            completed(primary),
            Some(cancelled(backup)),
            completed(primary),
            lost,
        ),
        (
            HedgeOutcome::BackupWon { primary, backup },
            cancelled(primary),
            Some(completed(backup)),
            cancelled(primary),
            won,
        ),
        (
            HedgeOutcome::TimedOut { primary, backup },
            Outcome::TimedOut(primary),
            Some(cancelled(backup)),
            cancelled(primary),
            lost,
        ),
        (
            HedgeOutcome::Cancelled { primary, backup },
            cancelled(primary),
            Some(cancelled(backup)),
            cancelled(primary),
            lost,
        ),
        (
            HedgeOutcome::Both {
                primary: Outcome::FailedFast,
                backup: completed(backup),
                backup_won: true,
            },
            Outcome::FailedFast,
            Some(completed(backup)),
            Outcome::FailedFast,
            won,
        ),
        (
            HedgeOutcome::Both {
                primary: Outcome::TimedOut(primary),
                backup: Outcome::FailedFast,
                backup_won: false,
            },
            Outcome::TimedOut(primary),
            Some(Outcome::FailedFast),
            cancelled(primary),
            lost,
        ),
        (
            HedgeOutcome::Alone(Outcome::TimedOut(primary)),
            Outcome::TimedOut(primary),
            None,
            cancelled(primary),
            counters,
        ),
        (
            HedgeOutcome::Alone(Outcome::FailedFast),
            Outcome::FailedFast,
            None,
            Outcome::FailedFast,
            counters,
        ),
    ];
    for (outcome, of_primary, of_backup, for_delay, counted) in cases {
        assert_eq!((outcome.primary(), outcome.backup()), (of_primary, of_backup));
        assert_eq!(delay_after(outcome), delay_of(for_delay), "{outcome:?}");
        let mut hedge = hedge();
        hedge.record(outcome);
        assert_eq!(hedge.counters(), counted, "{outcome:?}");
    }
    let delays =
        [completed(primary), cancelled(primary), Outcome::TimedOut(primary), Outcome::FailedFast]
            .map(delay_of);
    let distinct = (0..4).all(|one| (0..one).all(|other| delays[one] != delays[other]));
    assert!(distinct, "the four must tell each other apart: {delays:?}");
}

/// More than the quantile leaves end like that.
fn delay_after(outcome: HedgeOutcome) -> Duration {
    let mut hedge = hedge();
    record(&mut hedge, answered(millis(5)), 186);
    record(&mut hedge, answered(millis(100)), 4);
    record(&mut hedge, outcome, 18);
    hedge.delay()
}

/// What an adaptive timeout makes of the same.
fn delay_of(outcome: Outcome) -> Duration {
    let config = AdaptiveTimeoutConfig::of(Quantile::P95, FLOOR, CEILING);
    let mut timeout = AdaptiveTimeout::<1000>::new(config).expect("the limits are in order");
    let outcomes = [(Outcome::Completed(millis(5)), 186), (Outcome::Completed(millis(100)), 4)];
    for (outcome, times) in outcomes.into_iter().chain([(outcome, 18)]) {
        (0..times).for_each(|_| timeout.record(outcome));
    }
    timeout.current()
}

#[test]
fn no_backup_is_issued_that_is_not_paid_for() {
    let (mut hedge, mut budget) = (hedge(), budget(2));
    assert!(hedge.issue(&mut budget).is_ok());
    // A retry is paid for from the same.
    assert!(budget.withdraw().is_ok());
    let denied = hedge.issue(&mut budget).unwrap_err();
    assert_eq!(denied.balance, Ratio::ZERO);
    assert!(hedge.issue(&mut budget).is_err());
    let counters = HedgeCounters { issued: 1, won: 0, lost: 0, denied: 2 };
    assert_eq!((hedge.counters(), counters.under_way()), (counters, 1));
}

#[test]
fn what_is_too_old_is_forgotten() {
    let delay = AdaptiveTimeoutConfig {
        max_age: Some(millis(800)),
        prior_samples: 0,
        ..AdaptiveTimeoutConfig::of(Quantile::P95, FLOOR, CEILING)
    };
    let mut hedge = Hedge::<100>::new(delay).expect("the limits are in order");
    let shared = SharedHedge::new(delay).expect("the limits are in order");
    for (at, latency) in [(1000, 500), (2000, 20), (3000, 20)] {
        let now = Instant::ORIGIN + millis(at);
        hedge.advance(now);
        shared.advance(now);
        hedge.record(answered(millis(latency)));
        shared.record(answered(millis(latency)));
    }
    assert_just_above(hedge.delay(), millis(20));
    assert_just_above(shared.delay(), millis(20));
}

#[test]
fn limits_that_make_no_sense_say_why() {
    let error = AdaptiveTimeoutError::ZeroFloor;
    assert_eq!(Hedge::<10>::p95(Duration::ZERO, CEILING).err(), Some(error));
    assert_eq!(SharedHedge::p95(Duration::ZERO, CEILING).err(), Some(error));
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Deposit,
    Issue,
    Record(HedgeOutcome),
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let [primary, backup] =
            [(); 2].map(|()| Duration::from_nanos(u64::arbitrary(g) >> (u32::arbitrary(g) % 64)));
        let both = |primary, backup, backup_won| {
            Self::Record(HedgeOutcome::Both { primary, backup, backup_won })
        };
        match u8::arbitrary(g) % 12 {
            0 | 1 => Self::Deposit,
            2 | 3 => Self::Issue,
            4 => Self::Record(HedgeOutcome::PrimaryWon { primary, backup }),
            5 => Self::Record(HedgeOutcome::BackupWon { primary, backup }),
            6 => Self::Record(HedgeOutcome::TimedOut { primary, backup }),
            7 => Self::Record(HedgeOutcome::Cancelled { primary, backup }),
            8 => Self::Record(HedgeOutcome::Alone(Outcome::TimedOut(primary))),
            9 => both(Outcome::FailedFast, Outcome::Completed(backup), true),
            10 => both(Outcome::Completed(primary), Outcome::FailedFast, bool::arbitrary(g)),
            _ => Self::Record(answered(primary)),
        }
    }
}

quickcheck! {
    /// While the prior counts, both renew the delay with each request; the owned one for as long as 16.
    fn a_shared_hedge_is_what_one_owner_would_have(ops: Vec<Op>, percent: u8) -> bool {
        let config = RetryBudgetConfig { ratio: Ratio::from_percent(percent.into()), burst: 3, initial: 1 };
        let (mut hedge, mut budget) = (hedge(), RetryBudget::new(config).unwrap());
        let shared = SharedHedge::p95(FLOOR, CEILING).unwrap();
        let shared_budget = AtomicRetryBudget::new(config).unwrap();
        let mut recorded = 0;
        ops.into_iter().all(|op| {
            match op {
                Op::Deposit => {
                    budget.deposit();
                    shared_budget.deposit();
                }
                Op::Issue => {
                    let issued = hedge.issue(&mut budget);
                    assert_eq!(issued, shared.issue(&shared_budget));
                }
                Op::Record(outcome) => {
                    hedge.record(outcome);
                    shared.record(outcome);
                    recorded += 1;
                }
            }
            let same_delay = recorded > 16 || hedge.delay() == shared.delay();
            let within = |delay| (FLOOR..=CEILING).contains(&delay);
            same_delay && within(hedge.delay()) && within(shared.delay())
                && hedge.counters() == shared.counters()
                && budget.available() == shared_budget.available()
        })
    }
}
