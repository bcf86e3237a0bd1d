//! Timeouts of the textbooks, from lists of all that was recorded.

use core::time::Duration;

use arbitrary::Arbitrary;
use surmise_timeout::{
    Outcome,
    textbook::{P99AndDeviation, TwiceP99},
};

use crate::Value;

/// Some calls that go the same way.
#[derive(Arbitrary, Debug)]
pub(crate) struct Calls {
    kind: Kind,
    took: Value,
    seconds: u8,
    number: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Completed,
    TimedOut,
    Cancelled,
    FailedFast,
}

impl Calls {
    fn outcome(&self) -> Outcome {
        let took = Duration::from_nanos(self.took.into());
        let took = took.saturating_add(Duration::from_secs(self.seconds.into()));
        match self.kind {
            Kind::Completed => Outcome::Completed(took),
            Kind::TimedOut => Outcome::TimedOut(took),
            Kind::Cancelled => Outcome::Cancelled(took),
            Kind::FailedFast => Outcome::FailedFast,
        }
    }
}

pub(crate) fn check(calls: &[Calls]) {
    let mut twice = TwiceP99::new();
    let mut deviation = P99AndDeviation::new();
    let (mut latencies, mut timed_out) = (Vec::new(), Vec::new());
    // To sort thousands of latencies after each call takes long, and so does a list of many calls.
    for calls in calls.iter().take(48) {
        for _ in 0..calls.number {
            let outcome = calls.outcome();
            twice.record(outcome);
            deviation.record(outcome);
            match outcome {
                Outcome::Completed(took) => {
                    latencies.push(took.as_nanos().min(u64::MAX.into()));
                    timed_out.push(false);
                }
                Outcome::TimedOut(_) => timed_out.push(true),
                _ => {}
            }
        }
        assert_eq!(twice.current().as_nanos(), twice_p99(&latencies));
        assert_eq!(deviation.current().as_nanos(), p99_and_deviation(&latencies, &timed_out));
        let remaining = Duration::from_nanos(calls.took.into());
        assert_eq!(twice.within(remaining), twice.current().min(remaining));
        assert_eq!(deviation.within(remaining), deviation.current().min(remaining));
    }
}

fn twice_p99(latencies: &[u128]) -> u128 {
    match p99(last(latencies, 100)) {
        None => 30_000_000_000,
        Some(p99) => (2 * p99).clamp(1_000_000_000, 30_000_000_000),
    }
}

fn p99_and_deviation(latencies: &[u128], timed_out: &[bool]) -> u128 {
    let latencies: Vec<_> =
        last(latencies, 1000).iter().map(|&latency| latency.min(1 << 52)).collect();
    let Some(p99) = p99(&latencies).filter(|_| latencies.len() >= 100) else {
        return 1_000_000_000;
    };
    let count = latencies.len() as u128;
    let sum: u128 = latencies.iter().sum();
    // n²σ² = Σ (n x² ) − (Σ x)², where the first is no more than 10⁶ · 2¹⁰⁴.
    let variance =
        latencies.iter().map(|latency| count * latency * latency).sum::<u128>() - sum * sum;
    let is_within = |deviations: u128| (count * deviations).pow(2) <= 9 * variance;
    let (mut deviations, mut above) = (0_u128, 1 << 53);
    while above - deviations > 1 {
        let middle = deviations.midpoint(above);
        *(if is_within(middle) { &mut deviations } else { &mut above }) = middle;
    }
    let is_slow = last(timed_out, 100).iter().filter(|&&timed_out| timed_out).count() > 10;
    (p99 + deviations.min(p99)) * if is_slow { 2 } else { 1 }
}

fn p99(latencies: &[u128]) -> Option<u128> {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * 99).div_ceil(100).checked_sub(1)?).copied()
}

fn last<T>(all: &[T], number: usize) -> &[T] {
    &all[all.len().saturating_sub(number)..]
}
