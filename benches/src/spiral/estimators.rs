use core::time::Duration;

use surmise_time::Instant;
use surmise_timeout::{
    AdaptiveTimeout, Outcome,
    rtt::{RttConfig, RttEstimator},
    sync::SharedAdaptiveTimeout,
    textbook::{P99AndDeviation, TwiceP99},
};

use super::{Attempt, rolling::Rolling};
use crate::timeouts::{P99, Timeout, WINDOW, config, peers::AdaptiveTimeoutCrate};

/// What sets timeouts, and is told how calls went.
pub trait Estimator {
    /// Returns how long to wait for an answer.
    fn wait(&mut self, random: u64, now: Instant) -> Duration;

    /// Takes in a call that is over, of which only who knows too much knows more than the outcome.
    fn record(&mut self, attempt: Attempt, now: Instant);
}

/// Makes an estimator that knows nothing.
pub type MakeEstimator = fn() -> crate::Made<Box<dyn Estimator>>;

/// Returns every estimator: ours, what they would be if they were told something else, and others.
#[must_use]
pub fn estimators() -> Vec<(&'static str, MakeEstimator)> {
    vec![
        (OURS, || Ok(Box::new(owned()?))),
        (OURS_SHARED, || Ok(Box::new(SharedAdaptiveTimeout::new(config())?))),
        (KNOWS_THE_LAW, || Ok(Box::new(KnowsTheLaw { phase: 0, wait: P99 }))),
        ("an oracle, told what they would have taken", || told(|attempt| Some(attempt.took))),
        (SUCCESS_ONLY, || told(completed)),
        ("told that they took as long as the timeout", || {
            told(|attempt| Some(attempt.took.min(attempt.wait)))
        }),
        ("told that they took for ever", || {
            told(|attempt| Some(completed(attempt).unwrap_or(Duration::MAX)))
        }),
        ("Jacobson's SRTT + 4 RTTVAR", || Ok(Box::new(Jacobson::new()?))),
        ("tower's rolling histogram of hedges", || Ok(Box::new(Rolling::new()?))),
        ("twice p99 of 100, at least 1 s", || Ok(Box::new(TwiceP99::new()))),
        ("p99 + min(3σ, p99), doubled above 10 %", || Ok(Box::new(P99AndDeviation::new()))),
        ("adaptive-timeout, p99", || Ok(Box::new(AdaptiveTimeoutCrate::like_ours()?))),
        ("adaptive-timeout, 2 × p99.99, at least 250 ms", || {
            Ok(Box::new(AdaptiveTimeoutCrate::new()))
        }),
    ]
}

/// The row of the timeout for one thread.
pub const OURS: &str = "ours";

/// The row of the timeout that threads share.
pub const OURS_SHARED: &str = "ours, shared";

/// The row of who waits for the true 99th percentile, once a call is over that was made under it.
pub const KNOWS_THE_LAW: &str = "who knows the law once a call of it is over";

/// The row of the same timeout that is not told of what timed out.
pub const SUCCESS_ONLY: &str = "told of answers only";

fn owned() -> crate::Made<AdaptiveTimeout<WINDOW>> {
    Ok(AdaptiveTimeout::new(config())?)
}

fn completed(attempt: Attempt) -> Option<Duration> {
    attempt.is_answered().then_some(attempt.took)
}

impl<T: Timeout> Estimator for T {
    fn wait(&mut self, random: u64, _: Instant) -> Duration {
        self.draw(random)
    }

    fn record(&mut self, attempt: Attempt, _: Instant) {
        Timeout::record(self, attempt.outcome());
    }
}

/// One of ours that is told of answers, or of something else as if it had been answered.
struct Told {
    timeout: AdaptiveTimeout<WINDOW>,
    /// How long the answer is said to have taken.
    answered: fn(Attempt) -> Option<Duration>,
}

fn told(answered: fn(Attempt) -> Option<Duration>) -> crate::Made<Box<dyn Estimator>> {
    Ok(Box::new(Told { timeout: owned()?, answered }))
}

impl Estimator for Told {
    fn wait(&mut self, _: u64, _: Instant) -> Duration {
        self.timeout.current()
    }

    fn record(&mut self, attempt: Attempt, _: Instant) {
        if let Some(took) = (self.answered)(attempt) {
            self.timeout.record(Outcome::Completed(took));
        }
    }
}

/// Who learns nothing, and needs not: it goes by the law of the latest phase that a call is over of.
struct KnowsTheLaw {
    phase: u32,
    wait: Duration,
}

impl Estimator for KnowsTheLaw {
    fn wait(&mut self, _: u64, _: Instant) -> Duration {
        self.wait
    }

    fn record(&mut self, attempt: Attempt, _: Instant) {
        if attempt.phase > self.phase {
            *self = Self { phase: attempt.phase, wait: attempt.p99 };
        }
    }
}

/// TCP's timeout without its floor of a second, doubled for each call in a row that times out.
struct Jacobson(RttEstimator);

impl Jacobson {
    fn new() -> crate::Made<Self> {
        let min_rto = config().floor;
        Ok(Self(RttEstimator::new(RttConfig { min_rto, ..RttConfig::default() })?))
    }
}

impl Estimator for Jacobson {
    fn wait(&mut self, _: u64, _: Instant) -> Duration {
        self.0.rto()
    }

    fn record(&mut self, attempt: Attempt, _: Instant) {
        match completed(attempt) {
            Some(took) => _ = self.0.update(took, 1),
            None => self.0.timed_out(),
        }
    }
}

impl Estimator for AdaptiveTimeoutCrate {
    fn wait(&mut self, _: u64, now: Instant) -> Duration {
        Duration::from_millis(self.select(now))
    }

    fn record(&mut self, attempt: Attempt, now: Instant) {
        match completed(attempt) {
            Some(took) => {
                self.answered(u64::try_from(took.as_millis()).unwrap_or(u64::MAX), now);
            }
            None => self.timed_out(),
        }
    }
}
