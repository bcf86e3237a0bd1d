use quickcheck::quickcheck;

use super::*;
use crate::{AdaptiveTimeout, Quantile, adaptive::naive::Outcomes};

fn config() -> AdaptiveTimeoutConfig {
    let [floor, ceiling] = [1, 60_000].map(Duration::from_millis);
    let prior = Duration::from_millis(100);
    AdaptiveTimeoutConfig { prior, ..AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling) }
}

/// While the prior counts, both renew the timeout with each call; the owned one for as long as 16.
#[test]
fn it_is_what_one_owner_would_have() {
    let owned = &mut AdaptiveTimeout::<100>::new(config()).unwrap();
    let shared = SharedAdaptiveTimeout::new(config()).unwrap();
    for nth in 0..16_usize {
        let millis = Duration::from_millis((nth as u64 + 1) * 7 % 50);
        let outcome = [
            Outcome::Completed(millis),
            Outcome::TimedOut(owned.current()),
            Outcome::Completed(Duration::MAX),
            Outcome::Cancelled(millis),
            Outcome::FailedFast,
        ][nth % 5];
        owned.record(outcome);
        shared.record(outcome);
        assert_eq!(shared.current(), owned.current(), "after {outcome:?}");
        assert_eq!(shared.current_nanos(), nanos(shared.current()));
        assert_eq!(shared.draw(1 << 54), Duration::from_secs(60));
        assert_eq!(shared.draw(u64::MAX), shared.within(Duration::MAX));
    }
}

#[test]
fn the_older_half_is_forgotten() {
    let shared = SharedAdaptiveTimeout::new(config()).unwrap();
    let record = |millis, times| {
        for _ in 0..times {
            shared.record(Outcome::Completed(Duration::from_millis(millis)));
        }
    };
    record(500, 600);
    assert!(shared.current() > Duration::from_millis(500));
    record(20, 500);
    assert!(shared.current() > Duration::from_millis(500), "one generation is of the 500 ms");
    record(20, 500);
    assert!(shared.current() < Duration::from_millis(23), "{:?}", shared.current());
}

#[test]
fn what_is_too_old_is_forgotten() {
    let max_age = Some(Duration::from_secs(2));
    let config = AdaptiveTimeoutConfig { max_age, prior_samples: 0, ..config() };
    let shared = SharedAdaptiveTimeout::new(config).unwrap();
    let at = |millis| Instant::ORIGIN + Duration::from_millis(millis);
    shared.advance(at(1000));
    shared.record(Outcome::Completed(Duration::from_millis(500)));
    shared.advance(at(2000));
    shared.record(Outcome::Completed(Duration::from_millis(20)));
    shared.advance(at(1500));
    shared.advance(at(2999));
    assert!(shared.current() > Duration::from_millis(500));
    shared.advance(at(3000));
    assert!(shared.current() < Duration::from_millis(23));
    shared.advance(at(100_000));
    shared.record(Outcome::Completed(Duration::from_millis(5)));
    assert!(shared.current() < Duration::from_millis(6));
}

/// A prior that is to count for longer than calls are remembered counts for as long as they are.
#[test]
fn the_prior_does_not_count_for_ever() {
    let config = AdaptiveTimeoutConfig { prior_samples: u32::MAX, ..config() };
    let shared = SharedAdaptiveTimeout::new(config).unwrap();
    let owned = &mut AdaptiveTimeout::<20>::new(config).unwrap();
    for _ in 0..5000 {
        shared.record(Outcome::Completed(Duration::from_millis(20)));
        owned.record(Outcome::Completed(Duration::from_millis(20)));
    }
    assert!(shared.current() < Duration::from_millis(23), "{:?}", shared.current());
    assert_eq!(owned.current(), shared.current());
}

quickcheck! {
    fn calls_that_failed_soon_do_not_change_the_quantile(outcomes: Outcomes) -> bool {
        let shared = SharedAdaptiveTimeout::new(config()).unwrap();
        outcomes.0.iter().for_each(|&outcome| shared.record(outcome));
        let Known { answered, given_up, calls, .. } = shared.known(&shared.renewal.lock());
        calls as usize == outcomes.count() && outcomes.check(|quantile| {
            kaplan_meier::quantile(answered.into_iter().zip(given_up), calls, quantile)
        })
    }
}

/// Whoever is given up at the end of a bucket has waited as long as what is answered in it, and nobody before.
#[test]
fn soon_is_before_the_bucket_of_the_first_answer() {
    for bucket in [8, 16, 40, 100] {
        let shared = SharedAdaptiveTimeout::new(config()).unwrap();
        let [begin, end] = [bucket - 1, bucket].map(|bucket| shared.buckets.upper(bucket));
        shared.record(Outcome::Completed(Duration::from_nanos(end - 1)));
        for (cancelled, calls) in [(0, 1), (begin, 1), (begin + 1, 2), (end, 3), (u64::MAX, 4)] {
            shared.record(Outcome::Cancelled(Duration::from_nanos(cancelled)));
            assert_eq!(calls_of(&shared), calls, "in {bucket}");
        }
        shared.record(Outcome::TimedOut(Duration::ZERO));
        assert_eq!(calls_of(&shared), 5, "what timed out counts however soon");
    }
}

/// A thousand refused connections are not two generations of calls.
#[test]
fn calls_that_failed_soon_do_not_displace_answers() {
    let shared = SharedAdaptiveTimeout::new(config()).unwrap();
    let record = |outcome, times| (0..times).for_each(|_| shared.record(outcome));
    record(Outcome::Cancelled(Duration::from_millis(1)), 1000);
    assert_eq!((calls_of(&shared), shared.current()), (0, config().prior));
    record(Outcome::Completed(Duration::from_millis(500)), 300);
    record(Outcome::Cancelled(Duration::from_millis(1)), 2000);
    record(Outcome::Completed(Duration::from_millis(20)), 200);
    assert_eq!(calls_of(&shared), 500);
    assert!(shared.current() > Duration::from_millis(500), "{:?}", shared.current());
}

/// The older half counts as long as it is remembered, whichever that is, and then what was given up sooner says
/// nothing.
#[test]
fn what_is_sooner_is_compared_with_both_halves() {
    let max_age = Some(Duration::from_secs(2));
    let config = AdaptiveTimeoutConfig { max_age, ..config() };
    for answered in 0..4 {
        let shared = SharedAdaptiveTimeout::new(config).unwrap();
        let cancelled_after = |seconds| {
            shared.advance(Instant::ORIGIN + Duration::from_secs(seconds));
            shared.record(Outcome::Cancelled(Duration::from_millis(50)));
            calls_of(&shared)
        };
        assert!((0..=answered).all(|seconds| cancelled_after(seconds) == 0));
        shared.record(Outcome::Completed(Duration::from_millis(20)));
        // The answer and one that was cancelled, another one in the other half, that one alone, and nothing.
        let after = [0, 1, 2, 3].map(|seconds| cancelled_after(answered + seconds));
        assert_eq!(after, [2, 3, 1, 0], "answered after {answered} s");
    }
}

fn calls_of(shared: &SharedAdaptiveTimeout) -> u32 {
    shared.known(&shared.renewal.lock()).calls
}
