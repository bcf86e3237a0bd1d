use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise_timeout::{
    Ratio, RetryBudget, RetryBudgetConfig, backoff::Backoff, sync::AtomicRetryBudget,
};
use tower::retry::budget::{Budget, TpsBudget};

use crate::{Made, Meter, Operation, Origin, Subject, footprint};

/// Shows retry budgets and backoff to a meter.
pub(super) fn measure(meter: &mut impl Meter) -> Made<()> {
    visit(meter, "budget-atomic", || Ok(AtomicRetryBudget::new(CONFIG)?))?;
    visit(meter, "budget", || Ok(RetryBudget::new(CONFIG)?))?;
    if meter.reads_clocks() {
        visit(meter, "tower-tps-budget", || Ok(tower()))?;
    }
    let (backoff, bytes) = footprint(|| Ok::<_, core::convert::Infallible>(Backoff::aws()))?;
    let subject = Subject { table: "backoff", name: "backoff", origin: Origin::Ours };
    meter.bytes(subject, bytes);
    meter.operation(subject, "delay", Delays::new(backoff));
    Ok(())
}

/// A budget that neither runs out nor fills up, whatever a bench does.
const CONFIG: RetryBudgetConfig =
    RetryBudgetConfig { ratio: Ratio::from_percent(20), burst: u32::MAX, initial: u32::MAX / 2 };

/// Returns tower's budget with its own defaults, but for a reserve that never runs out.
fn tower() -> TpsBudget {
    TpsBudget::new(Duration::from_secs(10), 1_000_000_000, 0.2)
}

/// A retry budget that is measured.
trait BudgetContender {
    const ORIGIN: Origin = Origin::Ours;

    fn deposit(&mut self);

    /// Returns whether there was enough.
    fn withdraw(&mut self) -> bool;
}

impl BudgetContender for AtomicRetryBudget {
    #[inline]
    fn deposit(&mut self) {
        Self::deposit(self);
    }

    #[inline]
    fn withdraw(&mut self) -> bool {
        Self::withdraw(self).is_ok()
    }
}

impl BudgetContender for RetryBudget {
    #[inline]
    fn deposit(&mut self) {
        Self::deposit(self);
    }

    #[inline]
    fn withdraw(&mut self) -> bool {
        Self::withdraw(self).is_ok()
    }
}

impl BudgetContender for TpsBudget {
    const ORIGIN: Origin = Origin::Peer;

    #[inline]
    fn deposit(&mut self) {
        Budget::deposit(self);
    }

    #[inline]
    fn withdraw(&mut self) -> bool {
        Budget::withdraw(self)
    }
}

fn visit<C: BudgetContender>(
    meter: &mut impl Meter,
    name: &str,
    make: impl Fn() -> Made<C>,
) -> Made<()> {
    let subject = Subject { table: "retry budgets", name, origin: C::ORIGIN };
    let (contender, bytes) = footprint(&make)?;
    meter.bytes(subject, bytes);
    meter.operation(subject, "withdraw", Withdraws(contender));
    meter.operation(subject, "deposit", Deposits(make()?));
    Ok(())
}

struct Withdraws<C>(C);

impl<C: BudgetContender> Operation for Withdraws<C> {
    type Subject = C;

    type Input = ();

    type Output = bool;

    fn subject(&mut self) -> &mut C {
        &mut self.0
    }

    fn next_input(&mut self) {}

    #[inline]
    fn call(contender: &mut C, (): ()) -> bool {
        contender.withdraw()
    }
}

struct Deposits<C>(C);

impl<C: BudgetContender> Operation for Deposits<C> {
    type Subject = C;

    type Input = ();

    type Output = ();

    fn subject(&mut self) -> &mut C {
        &mut self.0
    }

    fn next_input(&mut self) {}

    #[inline]
    fn call(contender: &mut C, (): ()) {
        contender.deposit();
    }
}

/// Draws the delays of attempts 0 to 9, over and over, with full jitter.
struct Delays {
    backoff: Backoff,
    attempt: u32,
    random: ChaCha8Rng,
}

impl Delays {
    fn new(backoff: Backoff) -> Self {
        Self { backoff, attempt: 0, random: ChaCha8Rng::seed_from_u64(0x5eed) }
    }
}

impl Operation for Delays {
    type Subject = Backoff;

    type Input = (u32, u64);

    type Output = Duration;

    fn subject(&mut self) -> &mut Backoff {
        &mut self.backoff
    }

    fn next_input(&mut self) -> (u32, u64) {
        self.attempt = (self.attempt + 1) % 10;
        (self.attempt, self.random.random())
    }

    #[inline]
    fn call(backoff: &mut Backoff, (attempt, random): (u32, u64)) -> Duration {
        backoff.delay(attempt, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_budget_runs_out_and_all_pay() {
        fn check(mut budget: impl BudgetContender) {
            assert!((0..1_000_000).all(|_| budget.withdraw()));
            budget.deposit();
        }
        check(AtomicRetryBudget::new(CONFIG).unwrap());
        check(RetryBudget::new(CONFIG).unwrap());
        check(tower());
        let budget = RetryBudget::new(CONFIG).unwrap();
        assert!(budget.available() < CONFIG.burst);
    }
}
