//! Which share of the calls times out while a service slows down and recovers.
//!
//! Latencies are log-normal, with a median of 20 ms and σ 0.6. One call in a hundred is to time out. In
//! the second of three phases, each of 6666 calls, answers take three or ten times as long. So many calls
//! are under way at once, and another begins when one is over, which is when it is recorded. Everything
//! comes from a seed, so that every run comes to the same.
//!
//! The clock that estimators are told moves on by 60 ms with each call, however many are under way: who
//! remembers a minute is to remember as many calls as the others.
//!
//! Nothing is known of a slow service until a call of it is over, and all that begin before that wait for what
//! was right before. One estimator knows the rest from then on: nobody who waits for the 99th percentile,
//! and no longer, can lose fewer calls than it does.

mod estimators;
mod in_flight;
mod report;
mod rolling;

use core::{ops::Range, time::Duration};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;
use surmise_time::Instant;

use self::in_flight::InFlight;
pub use self::{
    estimators::{
        Estimator, KNOWS_THE_LAW, MakeEstimator, OURS, OURS_SHARED, SUCCESS_ONLY, estimators,
    },
    in_flight::Attempt,
    report::Table,
};
use crate::{
    Made,
    timeouts::{Call, P99, latency_law},
};

/// How many times as long answers take in the second phase.
pub const SLOWDOWNS: [f64; 2] = [3.0, 10.0];

/// How many calls are under way at once.
pub const IN_FLIGHT: [usize; 3] = [1, 10, 100];

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
#[expect(clippy::exhaustive_structs, reason = "a plain record")]
pub struct Phase {
    /// The share of calls that timed out.
    pub timed_out: f64,
    /// The share of those that timed out after the first [`MOMENTS`].
    pub timed_out_later: f64,
    /// How many times as long as the law's 99th percentile the timeouts were: the geometric mean.
    pub wait: f64,
}

/// How many calls, of the 6666 of a phase, are those of its first moments.
pub const MOMENTS: u32 = 500;

/// Lets every estimator see the calls of each seed, of which so many are under way at once.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn run(seeds: Range<u64>, in_flight: usize) -> Made<Vec<Row>> {
    let row = |(name, make): (&'static str, MakeEstimator)| {
        let mut phases = Vec::new();
        for seed in seeds.clone() {
            let [slow, slower] = SLOWDOWNS;
            let run = |slowdown| Made::Ok(call(&mut *make()?, seed, slowdown, in_flight));
            phases.push([run(slow)?, run(slower)?]);
        }
        Ok(Row { name, phases })
    };
    estimators().into_iter().map(row).collect()
}

/// Calls a service that slows down and recovers.
fn call(estimator: &mut dyn Estimator, seed: u64, slowdown: f64, in_flight: usize) -> [Phase; 3] {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let latencies = latency_law();
    let mut in_flight = InFlight::new(in_flight);
    let mut now = Instant::ORIGIN;
    [(0, 1.0), (1, slowdown), (2, 1.0)].map(|(phase, slower)| {
        let p99 = P99.mul_f64(slower);
        let (mut early, mut later, mut log_waits) = (0, 0, 0.0);
        for nth in 0..CALLS {
            if let Some(attempt) = in_flight.make_room() {
                estimator.record(attempt, now);
            }
            now += Call::EVERY;
            let wait = estimator.wait(random.random(), now);
            let took = Duration::from_secs_f64(latencies.sample(&mut random) * slower);
            let attempt = Attempt { wait, took, phase, p99 };
            in_flight.begin(attempt);
            *(if nth < MOMENTS { &mut early } else { &mut later }) +=
                u32::from(!attempt.is_answered());
            log_waits += (wait.as_secs_f64() / p99.as_secs_f64()).ln();
        }
        Phase {
            timed_out: f64::from(early + later) / f64::from(CALLS),
            timed_out_later: f64::from(later) / f64::from(CALLS - MOMENTS),
            wait: (log_waits / f64::from(CALLS)).exp(),
        }
    })
}

const CALLS: u32 = 20_000 / 3;
