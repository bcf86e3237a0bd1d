use crossbeam_utils::CachePadded;

use super::{
    budget::exchange,
    loom::{AtomicU64, Ordering},
};
use crate::{RetryThrottle, RetryThrottleConfig, RetryThrottleError, throttle::ThrottleTerms};

/// A [`RetryThrottle`] that many threads share, without a lock.
///
/// A success writes nothing while all tokens are there, as they are while nothing fails.
///
/// # Examples
///
/// ```
/// use surmise_timeout::{Ratio, RetryThrottleConfig, sync::AtomicRetryThrottle};
///
/// let config = RetryThrottleConfig { max_tokens: 4, token_ratio: Ratio::from_percent(10) };
/// let throttle = AtomicRetryThrottle::new(config)?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| throttle.record_failure());
///     scope.spawn(|| throttle.record_failure());
/// });
/// assert!(!throttle.permits_retry());
/// # Ok::<(), surmise_timeout::RetryThrottleError>(())
/// ```
#[derive(Debug)]
pub struct AtomicRetryThrottle(CachePadded<State>);

/// The terms are read with every change, and so lie beside what is changed.
#[derive(Debug)]
struct State {
    tokens: AtomicU64,
    terms: ThrottleTerms,
}

impl AtomicRetryThrottle {
    /// Creates a throttle.
    ///
    /// # Errors
    ///
    /// As [`RetryThrottle::new`].
    pub fn new(config: RetryThrottleConfig) -> Result<Self, RetryThrottleError> {
        RetryThrottle::new(config).map(Self::from)
    }

    /// Takes in a success, as [`RetryThrottle::record_success`].
    #[inline]
    pub fn record_success(&self) {
        self.update(ThrottleTerms::after_success);
    }

    /// Takes in a failure, as [`RetryThrottle::record_failure`].
    #[inline]
    pub fn record_failure(&self) {
        self.update(ThrottleTerms::after_failure);
    }

    /// Returns whether calls may be tried again or hedged, as [`RetryThrottle::permits_retry`]: one load.
    #[must_use]
    #[inline]
    pub fn permits_retry(&self) -> bool {
        self.0.terms.permit_retry(self.0.tokens.load(Ordering::Relaxed))
    }

    #[inline]
    fn update(&self, act: impl Fn(ThrottleTerms, u64) -> u64) {
        let State { tokens, terms } = &*self.0;
        let mut held = tokens.load(Ordering::Relaxed);
        loop {
            let next = act(*terms, held);
            if next == held || exchange(tokens, &mut held, next) {
                return;
            }
        }
    }
}

/// Shares a throttle, as it is.
impl From<RetryThrottle> for AtomicRetryThrottle {
    fn from(throttle: RetryThrottle) -> Self {
        let (tokens, terms) = throttle.into_parts();
        Self(CachePadded::new(State { tokens: AtomicU64::new(tokens), terms }))
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::{sync::Arc, thread};

    use super::*;
    use crate::Ratio;

    #[test]
    fn loom_no_success_and_no_failure_is_lost() {
        loom::model(|| {
            let config =
                RetryThrottleConfig { max_tokens: 5, token_ratio: Ratio::from_percent(50) };
            let throttle = Arc::new(AtomicRetryThrottle::new(config).unwrap());
            throttle.record_failure();
            let others = [(); 2].map(|()| {
                let throttle = Arc::clone(&throttle);
                thread::spawn(move || {
                    throttle.record_failure();
                    throttle.record_success();
                })
            });
            throttle.record_failure();
            others.into_iter().for_each(|other| other.join().unwrap());
            assert_eq!(throttle.0.tokens.load(Ordering::Relaxed), 2_000_000);
            assert!(!throttle.permits_retry());
            throttle.record_success();
            throttle.record_success();
            assert!(throttle.permits_retry());
        });
    }

    #[test]
    fn loom_tokens_are_neither_less_than_none_nor_more_than_all() {
        loom::model(|| {
            let config =
                RetryThrottleConfig { max_tokens: 1, token_ratio: Ratio::from_percent(70) };
            let throttle = Arc::new(AtomicRetryThrottle::new(config).unwrap());
            let others = [(); 2].map(|()| {
                let throttle = Arc::clone(&throttle);
                thread::spawn(move || throttle.record_failure())
            });
            throttle.record_failure();
            others.into_iter().for_each(|other| other.join().unwrap());
            assert_eq!(throttle.0.tokens.load(Ordering::Relaxed), 0);
            throttle.record_success();
            throttle.record_success();
            assert_eq!(throttle.0.tokens.load(Ordering::Relaxed), 1_000_000);
        });
    }
}
