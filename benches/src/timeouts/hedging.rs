use core::time::Duration;

use surmise_timeout::{
    Hedge, HedgeOutcome, Outcome, Ratio, RetryBudget, RetryBudgetConfig,
    sync::{AtomicRetryBudget, SharedHedge},
};

use super::{Latencies, WINDOW};
use crate::{Made, Meter, Operation, Origin, Subject, allocations, footprint};

/// Shows hedges to a meter. There is no peer's: tower's keeps its histogram to itself.
pub(super) fn measure(meter: &mut impl Meter) -> Made<()> {
    visit(meter, "hedge-shared", || {
        Ok(Shared(SharedHedge::p95(FLOOR, CEILING)?, budget()?.into()))
    })?;
    visit(meter, "hedge", || Ok(Owned(Hedge::p95(FLOOR, CEILING)?, budget()?)))
}

/// Checks that about one request in twenty has a backup, and that nothing allocates.
pub(super) fn check() -> Made<()> {
    fn check(contender: impl HedgeContender) {
        let mut requests = Requests::warmed(contender);
        let latencies: Vec<Duration> = requests.latencies.by_ref().take(6000).collect();
        let mut backups = 0;
        let allocated = allocations(|| {
            for &took in &latencies {
                backups += usize::from(Requests::call(&mut requests.contender, took));
            }
        });
        let share = latencies.len() / 20;
        assert!(backups.abs_diff(share) < share / 3, "{backups} backups, and not about {share}");
        assert!(allocated == 0, "a hedge allocates");
    }
    check(Shared(SharedHedge::p95(FLOOR, CEILING)?, budget()?.into()));
    check(Owned(Hedge::p95(FLOOR, CEILING)?, budget()?));
    Ok(())
}

const FLOOR: Duration = Duration::from_millis(1);

const CEILING: Duration = Duration::from_secs(1);

/// How long every backup takes.
const BACKUP: Duration = Duration::from_millis(20);

/// Returns a budget that does not run out.
fn budget() -> Made<RetryBudget> {
    let ratio = Ratio::from_percent(20);
    Ok(RetryBudget::new(RetryBudgetConfig { ratio, burst: u32::MAX, initial: u32::MAX / 2 })?)
}

/// A hedge that is measured, and what pays for its backups.
trait HedgeContender {
    fn delay(&self) -> Duration;

    fn issue(&mut self) -> bool;

    fn record(&mut self, outcome: HedgeOutcome);
}

struct Shared(SharedHedge, AtomicRetryBudget);

impl HedgeContender for Shared {
    #[inline]
    fn delay(&self) -> Duration {
        self.0.delay()
    }

    #[inline]
    fn issue(&mut self) -> bool {
        self.0.issue(&self.1).is_ok()
    }

    #[inline(always)]
    fn record(&mut self, outcome: HedgeOutcome) {
        self.0.record(outcome);
    }
}

struct Owned(Hedge<WINDOW>, RetryBudget);

impl HedgeContender for Owned {
    #[inline]
    fn delay(&self) -> Duration {
        self.0.delay()
    }

    #[inline]
    fn issue(&mut self) -> bool {
        self.0.issue(&mut self.1).is_ok()
    }

    #[inline(always)]
    fn record(&mut self, outcome: HedgeOutcome) {
        self.0.record(outcome);
    }
}

fn visit<C: HedgeContender>(
    meter: &mut impl Meter,
    name: &str,
    make: impl Fn() -> Made<C>,
) -> Made<()> {
    let subject = Subject { table: "hedges", name, origin: Origin::Ours };
    let (contender, bytes) = footprint(&make)?;
    meter.bytes(subject, bytes);
    meter.operation(subject, "delay", Delays(contender));
    meter.operation(subject, "request", Requests::warmed(make()?));
    Ok(())
}

struct Delays<C>(C);

impl<C: HedgeContender> Operation for Delays<C> {
    type Subject = C;

    type Input = ();

    type Output = Duration;

    fn subject(&mut self) -> &mut C {
        &mut self.0
    }

    fn next_input(&mut self) {}

    #[inline]
    fn call(contender: &mut C, (): ()) -> Duration {
        contender.delay()
    }
}

/// All that a hedge does for a request: of those that take longer than the delay, the backup wins.
struct Requests<C> {
    contender: C,
    latencies: Box<dyn Iterator<Item = Duration>>,
}

impl<C: HedgeContender> Requests<C> {
    fn warmed(mut contender: C) -> Self {
        let mut latencies = Latencies::new().map(|call| call.took);
        for took in latencies.by_ref().take(2 * WINDOW) {
            Self::call(&mut contender, took);
        }
        Self { contender, latencies: Box::new(latencies) }
    }
}

impl<C: HedgeContender> Operation for Requests<C> {
    type Subject = C;

    type Input = Duration;

    type Output = bool;

    fn subject(&mut self) -> &mut C {
        &mut self.contender
    }

    fn next_input(&mut self) -> Duration {
        self.latencies.next().expect("latencies never end")
    }

    #[inline]
    fn call(contender: &mut C, took: Duration) -> bool {
        let delay = contender.delay();
        let has_backup = took > delay && contender.issue();
        contender.record(if has_backup {
            HedgeOutcome::BackupWon { primary: delay + BACKUP, backup: BACKUP }
        } else {
            HedgeOutcome::Alone(Outcome::Completed(took))
        });
        has_backup
    }
}
