//! The theorems of retry budgets and throttles, for one thread and for many.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use quickcheck::quickcheck;
#[cfg(feature = "std")]
use surmise_timeout::sync::{AtomicRetryBudget, AtomicRetryThrottle};
use surmise_timeout::{
    BudgetExhausted, Ratio, RetryBudget, RetryBudgetConfig, RetryBudgetError, RetryThrottle,
    RetryThrottleConfig, RetryThrottleError,
};

fn budget(ratio: Ratio, burst: u32, initial: u32) -> RetryBudget {
    RetryBudget::new(RetryBudgetConfig { ratio, burst, initial }).unwrap()
}

quickcheck! {
    /// Deposits and withdrawals in any order, against sums.
    fn no_more_is_withdrawn_than_was_paid_in(
        ratio: u32,
        burst: u8,
        initial: u8,
        withdrawals: Vec<bool>
    ) -> bool {
        let ratio = Ratio::from_millionths(ratio % 3_000_000);
        let burst = u32::from(burst % 8) + 1;
        let initial = u32::from(initial) % (burst + 1);
        let mut budget = budget(ratio, burst, initial);
        let (mut paid_in, mut withdrawn) = (u64::from(initial) * 1_000_000, 0);
        for withdraw in withdrawals {
            if withdraw {
                let available = budget.available();
                match budget.withdraw() {
                    Ok(()) => withdrawn += 1_000_000,
                    Err(error) => assert!(error.balance < Ratio::ONE),
                }
                assert_eq!(budget.available(), available.saturating_sub(1));
            } else {
                budget.deposit();
                paid_in += u64::from(ratio.as_millionths());
            }
            assert!(withdrawn <= paid_in && budget.available() <= burst);
        }
        true
    }

    /// Without a deposit over the burst, what was paid in and not withdrawn is there.
    fn nothing_is_lost_below_the_burst(ratio: u32, withdrawals: Vec<bool>) -> bool {
        let ratio = Ratio::from_millionths(ratio % 3_000_000);
        let mut budget = budget(ratio, u32::MAX, 3);
        let mut balance = 3_000_000;
        for withdraw in withdrawals {
            if !withdraw {
                budget.deposit();
                balance += u64::from(ratio.as_millionths());
            } else if budget.withdraw().is_ok() {
                balance -= 1_000_000;
            }
            assert_eq!(u64::from(budget.available()), balance / 1_000_000);
        }
        budget.available() == 0 || budget.withdraw().is_ok()
    }

    /// What was withdrawn and given back is as if it had never been withdrawn.
    fn what_is_given_back_was_never_withdrawn(ratio: u32, deposits: u8, meanwhile: u8) -> bool {
        let ratio = Ratio::from_millionths(ratio % 3_000_000);
        let mut budget = budget(ratio, 1000, 0);
        (0..deposits).for_each(|_| budget.deposit());
        let mut other = budget.clone();
        let withdrawn = other.withdraw().is_ok();
        for _ in 0..meanwhile {
            budget.deposit();
            other.deposit();
        }
        if withdrawn {
            other.refund();
        }
        budget == other
    }

    fn throttles_are_those_of_the_proposal(
        max_tokens: u8,
        ratio: u32,
        failures: Vec<bool>
    ) -> bool {
        let max_tokens = u32::from(max_tokens % 12) + 1;
        let token_ratio = Ratio::from_millionths(ratio % 2_000_000 + 1);
        let mut throttle =
            RetryThrottle::new(RetryThrottleConfig { max_tokens, token_ratio }).unwrap();
        // Twice the tokens, in millionths.
        let most = i64::from(max_tokens) * 2_000_000;
        let mut tokens = most;
        for failed in failures {
            if failed {
                throttle.record_failure();
                tokens = (tokens - 2_000_000).max(0);
            } else {
                throttle.record_success();
                tokens = (tokens + 2 * i64::from(token_ratio.as_millionths())).min(most);
            }
            assert_eq!(throttle.permits_retry(), tokens > most / 2);
        }
        true
    }
}

#[test]
fn no_more_is_given_back_than_the_budget_holds() {
    let mut budget = budget(Ratio::ONE, 2, 2);
    budget.withdraw().unwrap();
    budget.deposit();
    budget.refund();
    assert_eq!(budget.available(), 2);
    #[cfg(feature = "std")]
    {
        let shared = AtomicRetryBudget::from(budget);
        shared.withdraw().unwrap();
        shared.refund();
        shared.refund();
        assert_eq!(shared.available(), 2);
    }
}

/// Whoever tries every call again gets exactly the ratio, whatever the burst.
#[test]
fn under_saturating_demand_the_ratio_is_exact_to_a_token() {
    for percent in 1..=99 {
        for (burst, initial) in [(1, 0), (1, 1), (10, 4)] {
            let mut budget = budget(Ratio::from_percent(percent), burst, initial);
            let mut retries = 0;
            for calls in 1..=10_000 {
                budget.deposit();
                while budget.withdraw().is_ok() {
                    retries += 1;
                }
                let exact = initial + calls * u32::from(percent) / 100;
                assert_eq!(retries, exact, "{percent} % after {calls} calls");
            }
        }
    }
}

/// tower's `TpsBudget` cuts `1 / ratio` to a whole number of deposits, so that 0.6, 0.75 and 0.9 become 1.0.
#[test]
fn tower_takes_three_quarters_for_all_and_this_does_not() {
    for (percent, expected) in [(60, 600), (75, 750), (90, 900)] {
        let mut budget = budget(Ratio::from_percent(percent), 10, 0);
        let mut retries = 0;
        for _ in 0..1000 {
            budget.deposit();
            retries += u32::from(budget.withdraw().is_ok());
        }
        assert_eq!(retries, expected);
    }
}

#[test]
fn what_is_saved_is_bounded_by_the_burst() {
    let mut budget = budget(Ratio::from_percent(70), 3, 0);
    (0..1000).for_each(|_| budget.deposit());
    assert_eq!(budget.available(), 3);
    let withdrawn = (0..10).filter(|_| budget.withdraw().is_ok()).count();
    assert_eq!(withdrawn, 3);
    // A ratio above 1 pays for several retries of a call.
    let mut budget = self::budget(Ratio::from_millionths(u32::MAX), u32::MAX, u32::MAX);
    budget.deposit();
    assert_eq!(budget.available(), u32::MAX);
}

#[test]
fn an_exhausted_budget_says_what_it_holds_and_keeps_it() {
    let mut budget = budget(Ratio::from_percent(45), 5, 0);
    budget.deposit();
    budget.deposit();
    let before = budget.clone();
    let BudgetExhausted { balance, .. } = budget.withdraw().unwrap_err();
    assert_eq!(balance, Ratio::from_percent(90));
    assert_eq!(budget, before);
    budget.deposit();
    assert_eq!(budget.withdraw(), Ok(()));
}

/// A6: with 10 tokens and a ratio of 0.1, ten successes undo a failure, and retries stop at 5 tokens.
#[test]
fn half_of_the_tokens_are_too_few_to_try_again() {
    let config = RetryThrottleConfig { max_tokens: 10, token_ratio: Ratio::from_percent(10) };
    let mut throttle = RetryThrottle::new(config).unwrap();
    (0..5).for_each(|_| throttle.record_failure());
    assert!(!throttle.permits_retry());
    throttle.record_success();
    assert!(throttle.permits_retry());
    throttle.record_failure();
    (0..9).for_each(|_| throttle.record_success());
    assert!(!throttle.permits_retry(), "5.0 tokens");
    // The least more than half is more than half.
    let least = Ratio::from_millionths(1);
    let config = RetryThrottleConfig { max_tokens: 2, token_ratio: least };
    let mut throttle = RetryThrottle::new(config).unwrap();
    throttle.record_failure();
    assert!(!throttle.permits_retry());
    throttle.record_success();
    assert!(throttle.permits_retry());
    // Half of an odd number of tokens is no whole number.
    let config = RetryThrottleConfig { max_tokens: 3, token_ratio: Ratio::ONE };
    let mut throttle = RetryThrottle::new(config).unwrap();
    throttle.record_failure();
    assert!(throttle.permits_retry());
    throttle.record_failure();
    assert!(!throttle.permits_retry());
    (0..9).for_each(|_| throttle.record_failure());
    throttle.record_success();
    throttle.record_success();
    assert!(throttle.permits_retry(), "2 tokens of 3, however many failures there were");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let config = RetryBudgetConfig { ratio: Ratio::from_percent(10), burst: 2, initial: 3 };
    let error = RetryBudgetError::InitialAboveBurst { initial: 3, burst: 2 };
    assert_eq!(RetryBudget::new(config), Err(error));
    assert_eq!(error.to_string(), "3 tokens at the beginning are more than the burst of 2");
    let config = RetryBudgetConfig { burst: 0, initial: 0, ..config };
    assert_eq!(RetryBudget::new(config), Err(RetryBudgetError::ZeroBurst));
    let config = RetryThrottleConfig { max_tokens: 0, token_ratio: Ratio::ONE };
    assert_eq!(RetryThrottle::new(config), Err(RetryThrottleError::ZeroMaxTokens));
    let config = RetryThrottleConfig { max_tokens: 1, token_ratio: Ratio::ZERO };
    assert_eq!(RetryThrottle::new(config), Err(RetryThrottleError::ZeroTokenRatio));
}

#[cfg(feature = "std")]
quickcheck! {
    fn the_shared_forms_do_what_the_others_do(
        ratio: u32,
        burst: u8,
        initial: u8,
        steps: Vec<bool>
    ) -> bool {
        let ratio = Ratio::from_millionths(ratio % 3_000_000 + 1);
        let burst = u32::from(burst % 8) + 1;
        let mut budget = budget(ratio, burst, u32::from(initial) % (burst + 1));
        let shared = AtomicRetryBudget::from(budget.clone());
        let throttle = RetryThrottleConfig { max_tokens: burst, token_ratio: ratio };
        let mut throttle = RetryThrottle::new(throttle).unwrap();
        let shared_throttle = AtomicRetryThrottle::from(throttle.clone());
        for step in steps {
            if step {
                budget.deposit();
                shared.deposit();
                throttle.record_success();
                shared_throttle.record_success();
            } else {
                assert_eq!(budget.withdraw(), shared.withdraw());
                throttle.record_failure();
                shared_throttle.record_failure();
            }
            assert_eq!(budget.available(), shared.available());
            assert_eq!(throttle.permits_retry(), shared_throttle.permits_retry());
        }
        true
    }
}

#[cfg(feature = "std")]
#[test]
fn shared_forms_refuse_what_the_others_refuse() {
    let config = RetryBudgetConfig { ratio: Ratio::ONE, burst: 0, initial: 0 };
    assert_eq!(AtomicRetryBudget::new(config).unwrap_err(), RetryBudgetError::ZeroBurst);
    let config = RetryThrottleConfig { max_tokens: 0, token_ratio: Ratio::ONE };
    assert_eq!(AtomicRetryThrottle::new(config).unwrap_err(), RetryThrottleError::ZeroMaxTokens);
}

#[cfg(feature = "serde")]
#[test]
fn configurations_are_read_as_they_are_written_and_name_no_other_fields() {
    let json = r#"{"ratio":200000,"burst":10,"initial":1}"#;
    let config: RetryBudgetConfig = serde_json::from_str(json).unwrap();
    assert_eq!((config.ratio, config.burst, config.initial), (Ratio::from_percent(20), 10, 1));
    assert_eq!(serde_json::to_string(&config).unwrap(), json);
    let other = r#"{"ratio":200000,"burst":10,"initial":1,"min":1}"#;
    assert!(serde_json::from_str::<RetryBudgetConfig>(other).is_err());
    let json = r#"{"max_tokens":10,"token_ratio":100000}"#;
    let config: RetryThrottleConfig = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&config).unwrap(), json);
}
