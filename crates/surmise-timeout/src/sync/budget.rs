use crossbeam_utils::CachePadded;

use super::loom::{AtomicU64, Ordering};
use crate::{BudgetExhausted, RetryBudget, RetryBudgetConfig, RetryBudgetError, budget::Terms};

/// A [`RetryBudget`] that many threads share, without a lock.
///
/// A deposit to a budget that is full, as it is while nothing fails, and a withdrawal from one that is exhausted
/// write nothing, so that threads do not take its cache line from each other.
///
/// # Examples
///
/// ```
/// use surmise_timeout::{Ratio, RetryBudgetConfig, sync::AtomicRetryBudget};
///
/// let config = RetryBudgetConfig { ratio: Ratio::from_percent(10), burst: 100, initial: 0 };
/// let budget = AtomicRetryBudget::new(config)?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| (0..10).for_each(|_| budget.deposit()));
///     }
/// });
/// assert!(budget.withdraw().is_ok() && budget.withdraw().is_ok() && budget.withdraw().is_err());
/// # Ok::<(), surmise_timeout::RetryBudgetError>(())
/// ```
#[derive(Debug)]
pub struct AtomicRetryBudget(CachePadded<State>);

/// The terms are read with every change, and so lie beside what is changed.
#[derive(Debug)]
struct State {
    balance: AtomicU64,
    terms: Terms,
}

impl AtomicRetryBudget {
    /// Creates a budget.
    ///
    /// # Errors
    ///
    /// As [`RetryBudget::new`].
    pub fn new(config: RetryBudgetConfig) -> Result<Self, RetryBudgetError> {
        RetryBudget::new(config).map(Self::from)
    }

    /// Pays in for a call, as [`RetryBudget::deposit`].
    #[inline]
    pub fn deposit(&self) {
        self.pay_in(Terms::after_deposit);
    }

    /// Gives back what was withdrawn, as [`RetryBudget::refund`].
    #[inline]
    pub fn refund(&self) {
        self.pay_in(Terms::after_refund);
    }

    #[inline]
    fn pay_in(&self, after: impl Fn(Terms, u64) -> u64) {
        let State { balance, terms } = &*self.0;
        let mut held = balance.load(Ordering::Relaxed);
        loop {
            let sum = after(*terms, held);
            if sum == held || exchange(balance, &mut held, sum) {
                return;
            }
        }
    }

    /// Pays for a retry or a hedge, as [`RetryBudget::withdraw`].
    ///
    /// # Errors
    ///
    /// If there is less than a token. Nothing is withdrawn then.
    #[inline]
    pub fn withdraw(&self) -> Result<(), BudgetExhausted> {
        let State { balance, terms } = &*self.0;
        let mut held = balance.load(Ordering::Relaxed);
        loop {
            let rest = terms.after_withdrawal(held)?;
            if exchange(balance, &mut held, rest) {
                return Ok(());
            }
        }
    }

    /// Returns how many retries or hedges could be paid for just now.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.0.terms.whole_tokens(self.0.balance.load(Ordering::Relaxed))
    }
}

/// Shares a budget, as it is.
impl From<RetryBudget> for AtomicRetryBudget {
    fn from(budget: RetryBudget) -> Self {
        let (balance, terms) = budget.into_parts();
        Self(CachePadded::new(State { balance: AtomicU64::new(balance), terms }))
    }
}

/// Returns whether a number was still what it was held for, and is now `new`; otherwise holds what it is.
///
/// Relaxed is enough: the number is all that is published, and all threads see its changes in one order.
#[inline]
pub(super) fn exchange(number: &AtomicU64, held: &mut u64, new: u64) -> bool {
    match number.compare_exchange_weak(*held, new, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => true,
        Err(current) => {
            *held = current;
            false
        }
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::{sync::Arc, thread};

    use super::*;
    use crate::Ratio;

    fn budget(percent: u16, burst: u32, initial: u32) -> Arc<AtomicRetryBudget> {
        let config = RetryBudgetConfig { ratio: Ratio::from_percent(percent), burst, initial };
        Arc::new(AtomicRetryBudget::new(config).unwrap())
    }

    /// Runs `act` in two threads and in this one, and adds up what it returns.
    fn sum_of_three(budget: &Arc<AtomicRetryBudget>, act: fn(&AtomicRetryBudget) -> u64) -> u64 {
        let others = [(); 2].map(|()| {
            let budget = Arc::clone(budget);
            thread::spawn(move || act(&budget))
        });
        act(budget) + others.into_iter().map(|other| other.join().unwrap()).sum::<u64>()
    }

    fn balance(budget: &AtomicRetryBudget) -> u64 {
        budget.0.balance.load(Ordering::Relaxed)
    }

    #[test]
    fn loom_no_more_is_withdrawn_than_there_is() {
        loom::model(|| {
            let budget = budget(10, 2, 2);
            let withdrawn = sum_of_three(&budget, |budget| budget.withdraw().is_ok().into());
            assert_eq!((withdrawn, balance(&budget)), (2, 0));
        });
    }

    #[test]
    fn loom_no_deposit_and_no_withdrawal_is_lost() {
        loom::model(|| {
            let budget = budget(60, 9, 1);
            let withdrawn = sum_of_three(&budget, |budget| {
                budget.deposit();
                budget.withdraw().is_ok().into()
            });
            assert!((1..=2).contains(&withdrawn), "{withdrawn}");
            assert_eq!(balance(&budget), 2_800_000 - withdrawn * 1_000_000);
        });
    }

    #[test]
    fn loom_what_is_given_back_can_be_withdrawn_again() {
        loom::model(|| {
            let budget = budget(10, 1, 1);
            let withdrawn = sum_of_three(&budget, |budget| {
                let withdrawn = budget.withdraw().is_ok();
                if withdrawn {
                    budget.refund();
                }
                withdrawn.into()
            });
            assert!((1..=3).contains(&withdrawn), "{withdrawn}");
            assert_eq!(balance(&budget), 1_000_000);
        });
    }

    #[test]
    fn loom_what_is_over_the_burst_is_lost_and_no_more() {
        loom::model(|| {
            let budget = budget(70, 1, 1);
            let withdrawn = sum_of_three(&budget, |budget| {
                budget.deposit();
                0
            });
            assert_eq!((withdrawn, balance(&budget)), (0, 1_999_999));
        });
    }

    /// What the compare-and-swap prevents.
    #[test]
    #[should_panic(expected = "withdrawn twice")]
    fn loom_catches_a_withdrawal_that_only_stores() {
        loom::model(|| {
            let budget = budget(10, 1, 1);
            let withdrawn = sum_of_three(&budget, |budget| {
                let rest = budget.0.terms.after_withdrawal(balance(budget));
                rest.map(|rest| budget.0.balance.store(rest, Ordering::Relaxed)).is_ok().into()
            });
            assert!(withdrawn == 1, "withdrawn twice");
        });
    }
}
