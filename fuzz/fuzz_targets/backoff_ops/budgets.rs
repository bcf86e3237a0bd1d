//! Retry budgets and throttles, each with the form that threads share.

use arbitrary::Arbitrary;
use surmise_timeout::{
    Ratio, RetryBudget, RetryBudgetConfig, RetryThrottle, RetryThrottleConfig,
    sync::{AtomicRetryBudget, AtomicRetryThrottle},
};

#[derive(Arbitrary, Debug)]
pub(crate) struct Input {
    ratio: u32,
    burst: u32,
    initial: u32,
    ops: Vec<Op>,
}

/// What is done with a budget, and what it means to a throttle.
#[derive(Arbitrary, Debug)]
enum Op {
    /// A call, which succeeds.
    Deposit,
    /// A retry, since a call failed.
    Withdraw,
    /// A retry that is not sent after all.
    Refund,
    /// That many calls.
    Deposits(u8),
}

pub(crate) fn check(input: &Input) {
    let Input { ratio, burst, initial, ref ops } = *input;
    let ratio = Ratio::from_millionths(ratio);
    check_budget(RetryBudgetConfig { ratio, burst, initial }, ops);
    check_throttle(RetryThrottleConfig { max_tokens: burst, token_ratio: ratio }, ops);
}

fn check_budget(config: RetryBudgetConfig, ops: &[Op]) {
    let RetryBudgetConfig { ratio, burst, initial } = config;
    let Ok(mut budget) = RetryBudget::new(config) else {
        assert!(burst == 0 || initial > burst);
        return;
    };
    assert!(burst > 0 && initial <= burst);
    let shared = AtomicRetryBudget::from(budget.clone());
    let (ratio, most) = (i128::from(ratio.as_millionths()), i128::from(burst) * ONE + ONE - 1);
    let mut balance = i128::from(initial) * ONE;
    let (mut paid_in, mut withdrawn) = (balance, 0);
    for op in ops {
        let deposits = match op {
            Op::Deposit => 1,
            Op::Deposits(count) => *count,
            Op::Withdraw => {
                let result = budget.withdraw();
                assert_eq!(result, shared.withdraw());
                match result {
                    Ok(()) => (balance, withdrawn) = (balance - ONE, withdrawn + ONE),
                    Err(error) => {
                        assert!(balance < ONE);
                        assert_eq!(i128::from(error.balance.as_millionths()), balance);
                    }
                }
                0
            }
            Op::Refund => {
                if withdrawn >= ONE {
                    budget.refund();
                    shared.refund();
                    (balance, withdrawn) = ((balance + ONE).min(most), withdrawn - ONE);
                }
                0
            }
        };
        for _ in 0..deposits {
            budget.deposit();
            shared.deposit();
            (balance, paid_in) = ((balance + ratio).min(most), paid_in + ratio);
        }
        assert!(balance >= 0 && withdrawn <= paid_in);
        assert_eq!(i128::from(budget.available()), balance / ONE);
        assert_eq!(shared.available(), budget.available());
    }
}

fn check_throttle(config: RetryThrottleConfig, ops: &[Op]) {
    let RetryThrottleConfig { max_tokens, token_ratio } = config;
    let Ok(mut throttle) = RetryThrottle::new(config) else {
        assert!(max_tokens == 0 || token_ratio == Ratio::ZERO);
        return;
    };
    assert!(max_tokens > 0 && token_ratio > Ratio::ZERO);
    let shared = AtomicRetryThrottle::from(throttle.clone());
    let (ratio, most) = (i128::from(token_ratio.as_millionths()), i128::from(max_tokens) * ONE);
    let mut tokens = most;
    for op in ops {
        let successes = match op {
            Op::Deposit => 1,
            Op::Deposits(count) => *count,
            Op::Withdraw => {
                throttle.record_failure();
                shared.record_failure();
                tokens = (tokens - ONE).max(0);
                0
            }
            Op::Refund => 0,
        };
        for _ in 0..successes {
            throttle.record_success();
            shared.record_success();
            tokens = (tokens + ratio).min(most);
        }
        assert_eq!(throttle.permits_retry(), 2 * tokens > most);
        assert_eq!(shared.permits_retry(), throttle.permits_retry());
    }
}

/// One token, in millionths.
const ONE: i128 = 1_000_000;
