//! What calls that were given up sooner than any was answered do not change.

use quickcheck::quickcheck;

use super::{
    naive::{Outcomes, buckets},
    *,
};
use crate::Quantile;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn config() -> AdaptiveTimeoutConfig {
    AdaptiveTimeoutConfig::of(Quantile::P99, millis(1), millis(60_000))
}

fn record<const N: usize>(timeout: &mut AdaptiveTimeout<N>, outcome: Outcome, times: usize) {
    for _ in 0..times {
        timeout.record(outcome);
    }
}

quickcheck! {
    fn they_do_not_change_the_quantile(outcomes: Outcomes) -> bool {
        let timeout = &mut AdaptiveTimeout::<100>::new(config()).unwrap();
        outcomes.0.iter().for_each(|&outcome| timeout.record(outcome));
        let calls = u32::try_from(timeout.calls()).unwrap();
        timeout.calls() == outcomes.count() && outcomes.check(|quantile| {
            kaplan_meier::quantile(timeout.recent.counts(), calls, quantile)
        })
    }
}

/// Whoever is given up at the end of a bucket has waited as long as what is answered in it, and nobody before.
#[test]
fn soon_is_before_the_bucket_of_the_first_answer() {
    for bucket in [8, 16, 40, 100] {
        let [begin, end] = [bucket - 1, bucket].map(|bucket| buckets().upper(bucket));
        let counts = |answer, cancelled| {
            let timeout = &mut AdaptiveTimeout::<10>::new(config()).unwrap();
            timeout.record(Outcome::Completed(Duration::from_nanos(answer)));
            timeout.record(Outcome::Cancelled(Duration::from_nanos(cancelled)));
            timeout.calls() == 2
        };
        for answer in [begin, end - 1] {
            let cancelled = [0, begin - 1, begin, begin + 1, end, u64::MAX];
            let expected = [false, false, false, true, true, true];
            assert_eq!(cancelled.map(|cancelled| counts(answer, cancelled)), expected, "{bucket}");
        }
    }
}

/// It was the timeout that was too short for it, and what is longer is not known.
#[test]
fn what_timed_out_counts_however_soon() {
    let timeout = &mut AdaptiveTimeout::<10>::new(config()).unwrap();
    record(timeout, Outcome::Completed(millis(100)), 3);
    record(timeout, Outcome::TimedOut(Duration::ZERO), 3);
    assert_eq!(timeout.calls(), 6);
}

#[test]
fn they_do_not_outweigh_the_prior() {
    let prior = millis(1000);
    let timeout =
        &mut AdaptiveTimeout::<1000>::new(AdaptiveTimeoutConfig { prior, ..config() }).unwrap();
    record(timeout, Outcome::Cancelled(millis(10)), 1000);
    assert_eq!((timeout.calls(), timeout.current()), (0, prior));
    timeout.record(Outcome::Completed(millis(20)));
    assert!(timeout.current() > millis(990), "one of a hundred: {:?}", timeout.current());
}

/// An answer that is forgotten says nothing either.
#[test]
fn it_is_the_answers_that_are_remembered_that_are_sooner() {
    let timeout = &mut AdaptiveTimeout::<4>::new(config()).unwrap();
    timeout.record(Outcome::Completed(millis(20)));
    record(timeout, Outcome::Completed(millis(100)), 3);
    timeout.record(Outcome::Cancelled(millis(50)));
    assert_eq!(timeout.recent.counts().map(|(_, given_up)| given_up).sum::<u32>(), 1);
    timeout.record(Outcome::Cancelled(millis(50)));
    assert_eq!(timeout.recent.counts().map(|(_, given_up)| given_up).sum::<u32>(), 1);
}

/// Slices of time count the calls that are there to be forgotten, and no others.
#[test]
fn they_are_of_no_age() {
    let max_age = Some(millis(800));
    let timeout =
        &mut AdaptiveTimeout::<50>::new(AdaptiveTimeoutConfig { max_age, ..config() }).unwrap();
    let at = |millis| Instant::ORIGIN + Duration::from_millis(millis);
    timeout.advance(at(0));
    record(timeout, Outcome::Completed(millis(500)), 20);
    record(timeout, Outcome::Cancelled(millis(1)), 70);
    timeout.advance(at(100));
    record(timeout, Outcome::Completed(millis(20)), 20);
    record(timeout, Outcome::Cancelled(millis(100)), 5);
    assert_eq!(timeout.calls(), 45);
    timeout.advance(at(799));
    assert_eq!(timeout.calls(), 45);
    timeout.advance(at(800));
    assert_eq!(timeout.calls(), 25, "those of the first eighth are forgotten");
    timeout.advance(at(900));
    record(timeout, Outcome::Cancelled(millis(100)), 70);
    assert_eq!(timeout.calls(), 0, "no answer is left");
}
