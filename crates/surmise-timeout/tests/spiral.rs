//! A service slows down and recovers, and the share of calls that time out stays what was asked for.

#![cfg(feature = "std")]

use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, Outcome, Quantile, sync::SharedAdaptiveTimeout,
};

/// What sets timeouts, told of outcomes or not.
trait Estimator {
    fn draw(&self, random: u64) -> Duration;
    fn record(&mut self, outcome: Outcome);
}

impl Estimator for AdaptiveTimeout {
    fn draw(&self, random: u64) -> Duration {
        self.draw(random)
    }

    fn record(&mut self, outcome: Outcome) {
        self.record(outcome);
    }
}

impl Estimator for SharedAdaptiveTimeout {
    fn draw(&self, random: u64) -> Duration {
        (*self).draw(random)
    }

    fn record(&mut self, outcome: Outcome) {
        (*self).record(outcome);
    }
}

/// One that is not told of what timed out.
struct SuccessOnly(AdaptiveTimeout);

impl Estimator for SuccessOnly {
    fn draw(&self, _: u64) -> Duration {
        self.0.current()
    }

    fn record(&mut self, outcome: Outcome) {
        if let Outcome::Completed(_) = outcome {
            self.0.record(outcome);
        }
    }
}

fn config() -> AdaptiveTimeoutConfig {
    let [floor, ceiling] = [1, 60_000].map(Duration::from_millis);
    AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling)
}

/// Calls a service whose latencies are log-normal with a median of 20 ms, and are `slowdown` times as long in
/// the second of three phases. Returns which share of each phase timed out.
fn timed_out(mut estimator: impl Estimator, seed: u64, slowdown: f64) -> [f64; 3] {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let latencies = LogNormal::new(0.020_f64.ln(), 0.6).expect("it has a deviation");
    [1.0, slowdown, 1.0].map(|slower| {
        let mut timed_out = 0;
        for _ in 0..PHASE {
            let wait = estimator.draw(random.random());
            let took = Duration::from_secs_f64(latencies.sample(&mut random) * slower);
            if took < wait {
                estimator.record(Outcome::Completed(took));
            } else {
                estimator.record(Outcome::TimedOut(wait));
                timed_out += 1;
            }
        }
        f64::from(timed_out) / f64::from(PHASE)
    })
}

const PHASE: u32 = 20_000 / 3;

#[test]
fn one_call_in_a_hundred_times_out_however_slow_the_service_is() {
    for (seed, slowdown) in (0..20).flat_map(|seed| [(seed, 3.0), (seed, 10.0)]) {
        let owned = AdaptiveTimeout::new(config()).expect("the limits are in order");
        let shared = SharedAdaptiveTimeout::new(config()).expect("the limits are in order");
        for shares in [timed_out(owned, seed, slowdown), timed_out(shared, seed, slowdown)] {
            println!("{slowdown} {shares:.4?}");
            // Not few because it waits for ever, either.
            assert!(
                shares.iter().all(|share| (0.003..=0.017).contains(share)),
                "of seed {seed}, ×{slowdown}: {shares:?}"
            );
        }
    }
}

#[test]
fn who_forgets_what_timed_out_spirals() {
    let owned = AdaptiveTimeout::new(config()).expect("the limits are in order");
    let [_, slow, _] = timed_out(SuccessOnly(owned), 1, 3.0);
    assert!(slow > 0.3, "{slow}");
}
