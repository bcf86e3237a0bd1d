//! A service slows down and recovers, and the share of calls that time out stays what was asked for.

#![cfg(feature = "std")]

extern crate alloc;

use alloc::collections::BinaryHeap;
use core::{cmp::Reverse, time::Duration};

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

/// Which share of a phase timed out, of all calls and of those after the first [`MOMENTS`]; and how many times as
/// long as the 99th percentile the timeouts were: the geometric mean.
#[derive(Clone, Copy, Debug)]
struct Shares {
    all: f64,
    later: f64,
    wait: f64,
}

/// Calls a service whose latencies are log-normal with a median of 20 ms, and are `slowdown` times as long in
/// the second of three phases. So many calls are under way at once: another begins when one is over, and
/// only then is it known how that went.
fn timed_out(
    mut estimator: impl Estimator,
    seed: u64,
    slowdown: f64,
    in_flight: usize,
) -> [Shares; 3] {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let latencies = LogNormal::new(0.020_f64.ln(), 0.6).expect("it has a deviation");
    let (mut now, mut under_way) = (Duration::ZERO, BinaryHeap::new());
    [1.0, slowdown, 1.0].map(|slower| {
        let (mut early, mut later, mut log_waits) = (0, 0, 0.0_f64);
        for nth in 0..PHASE {
            if under_way.len() == in_flight {
                let Reverse((over, took, wait)) = under_way.pop().expect("one is under way");
                now = over;
                estimator.record(if took < wait {
                    Outcome::Completed(took)
                } else {
                    Outcome::TimedOut(wait)
                });
            }
            let wait = estimator.draw(random.random());
            let took = Duration::from_secs_f64(latencies.sample(&mut random) * slower);
            under_way.push(Reverse((now + took.min(wait), took, wait)));
            *(if nth < MOMENTS { &mut early } else { &mut later }) += u32::from(took >= wait);
            log_waits += (wait.as_secs_f64() / (P99 * slower)).ln();
        }
        Shares {
            all: f64::from(early + later) / f64::from(PHASE),
            later: f64::from(later) / f64::from(PHASE - MOMENTS),
            wait: (log_waits / f64::from(PHASE)).exp(),
        }
    })
}

const PHASE: u32 = 20_000 / 3;

const MOMENTS: u32 = 500;

/// In seconds: 20 ms · e^(0.6 · 2.3263).
const P99: f64 = 0.080_766;

/// Returns what timed out of the calls of many seeds, for both forms and both slowdowns.
fn timed_out_of_all(in_flight: usize) -> impl Iterator<Item = [Shares; 3]> {
    (0..20).flat_map(|seed| [(seed, 3.0), (seed, 10.0)]).flat_map(move |(seed, slowdown)| {
        let owned = AdaptiveTimeout::new(config()).expect("the limits are in order");
        let shared = SharedAdaptiveTimeout::new(config()).expect("the limits are in order");
        let shares = [
            timed_out(owned, seed, slowdown, in_flight),
            timed_out(shared, seed, slowdown, in_flight),
        ];
        println!("seed {seed}, ×{slowdown}: {shares:.4?}");
        shares
    })
}

#[test]
fn one_call_in_a_hundred_times_out_however_slow_the_service_is() {
    for shares in [1, 10].into_iter().flat_map(timed_out_of_all).flatten() {
        // Not few because it waits for ever, either.
        assert!((0.003..=0.017).contains(&shares.all), "{shares:?}");
        assert!((0.9..=2.5).contains(&shares.wait), "{shares:?}");
    }
}

/// Nothing is known of a slow service until a call of it is over: those that are under way by then are lost, and
/// until the timeout has doubled as often as it must, some of each hundred that follow.
#[test]
fn of_a_hundred_under_way_more_time_out_only_in_the_first_moments() {
    for shares in timed_out_of_all(100).flatten() {
        assert!((0.003..=0.06).contains(&shares.all), "{shares:?}");
        assert!((0.003..=0.017).contains(&shares.later), "{shares:?}");
        assert!((0.9..=2.5).contains(&shares.wait), "{shares:?}");
    }
}

#[test]
fn who_forgets_what_timed_out_spirals() {
    let owned = AdaptiveTimeout::new(config()).expect("the limits are in order");
    let [_, slow, _] = timed_out(SuccessOnly(owned), 1, 3.0, 1);
    assert!(slow.all > 0.3, "{slow:?}");
}
