//! Which share of the calls times out while a service slows down and recovers.
//!
//! Latencies are log-normal, with a median of 20 ms and σ 0.6. One call in a hundred is to time out. In
//! the second of three phases, each of 6666 calls, answers take three or ten times as long. A call is made
//! every 60 ms, and recorded before the next one. Everything comes from a seed, so that all estimators see
//! the same calls, and every run comes to the same.

mod estimators;
mod report;
mod rolling;

use core::{ops::Range, time::Duration};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;
use surmise_time::Instant;
use surmise_timeout::Outcome;

pub use self::{
    estimators::{Estimator, MakeEstimator, OURS, OURS_SHARED, SUCCESS_ONLY, estimators},
    report::Table,
};
use crate::{
    Made,
    timeouts::{Call, P99, latency_law},
};

/// How many times as long answers take in the second phase.
pub const SLOWDOWNS: [f64; 2] = [3.0, 10.0];

/// How an estimator did.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain record")]
pub struct Row {
    /// The estimator, or what it is told of calls that time out.
    pub name: &'static str,
    /// For each seed and each slowdown: while the service was normal, slow, and normal again.
    pub phases: Vec<[[Phase; 3]; 2]>,
}

/// How an estimator did in a phase.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a plain pair")]
pub struct Phase {
    /// The share of calls that timed out.
    pub timed_out: f64,
    /// How many times as long as the law's 99th percentile the timeouts were: the geometric mean.
    pub wait: f64,
}

/// Lets every estimator see the calls of each seed.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn run(seeds: Range<u64>) -> Made<Vec<Row>> {
    let row = |(name, make): (&'static str, MakeEstimator)| {
        let mut phases = Vec::new();
        for seed in seeds.clone() {
            let [slow, slower] = SLOWDOWNS;
            phases.push([call(&mut *make()?, seed, slow), call(&mut *make()?, seed, slower)]);
        }
        Ok(Row { name, phases })
    };
    estimators().into_iter().map(row).collect()
}

/// Calls a service that slows down and recovers.
fn call(estimator: &mut dyn Estimator, seed: u64, slowdown: f64) -> [Phase; 3] {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let latencies = latency_law();
    let mut now = Instant::ORIGIN;
    [1.0, slowdown, 1.0].map(|slower| {
        let (mut timed_out, mut log_waits) = (0, 0.0);
        for _ in 0..CALLS {
            now += Call::EVERY;
            let wait = estimator.wait(random.random(), now);
            let took = Duration::from_secs_f64(latencies.sample(&mut random) * slower);
            let is_answered = took < wait;
            let outcome =
                if is_answered { Outcome::Completed(took) } else { Outcome::TimedOut(wait) };
            estimator.record(outcome, Call { took, at: now });
            timed_out += u32::from(!is_answered);
            log_waits += (wait.as_secs_f64() / (P99.as_secs_f64() * slower)).ln();
        }
        let calls = f64::from(CALLS);
        Phase { timed_out: f64::from(timed_out) / calls, wait: (log_waits / calls).exp() }
    })
}

const CALLS: u32 = 20_000 / 3;
