//! What an adaptive timeout makes of outcomes, and that it stays within its bounds whatever they are.

use core::time::Duration;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_time::Instant;
use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, AdaptiveTimeoutError, Outcome, Quantile, Ratio,
};

const FLOOR: Duration = Duration::from_millis(1);
const CEILING: Duration = Duration::from_secs(60);

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn p99() -> AdaptiveTimeoutConfig {
    AdaptiveTimeoutConfig::of(Quantile::P99, FLOOR, CEILING)
}

fn timeout<const N: usize>(config: AdaptiveTimeoutConfig) -> AdaptiveTimeout<N> {
    AdaptiveTimeout::new(config).expect("the limits are in order")
}

fn record<const N: usize>(timeout: &mut AdaptiveTimeout<N>, outcome: Outcome, times: usize) {
    for _ in 0..times {
        timeout.record(outcome);
    }
}

/// Within an eighth, and not below.
#[track_caller]
fn assert_just_above(timeout: Duration, latency: Duration) {
    assert!(timeout > latency && timeout <= latency + latency / 8, "{timeout:?} for {latency:?}");
}

#[test]
fn a_timeout_is_the_quantile() {
    let mut timeout = timeout::<1000>(p99());
    record(&mut timeout, Outcome::Completed(millis(20)), 990);
    record(&mut timeout, Outcome::Completed(millis(500)), 10);
    assert_just_above(timeout.current(), millis(20));
    // As many more as make the eleventh of a thousand slow.
    record(&mut timeout, Outcome::Completed(millis(500)), 16);
    assert_just_above(timeout.current(), millis(500));
}

#[test]
fn the_prior_counts_less_with_each_outcome() {
    let mut timeout = timeout::<1000>(AdaptiveTimeoutConfig { prior: millis(1000), ..p99() });
    assert_eq!(timeout.current(), millis(1000));
    let mut last = timeout.current();
    for calls in 1..=112 {
        timeout.record(Outcome::Completed(millis(20)));
        assert_eq!(timeout.calls(), calls);
        assert!(timeout.current() <= last, "after {calls} calls");
        last = timeout.current();
    }
    assert_just_above(last, millis(20));

    let mut half = AdaptiveTimeout::<1000>::new(AdaptiveTimeoutConfig {
        prior: millis(1000),
        prior_samples: 32,
        ..p99()
    })
    .expect("the limits are in order");
    record(&mut half, Outcome::Completed(millis(20)), 16);
    assert!((millis(510)..millis(512)).contains(&half.current()), "{:?}", half.current());
}

/// Without a prior to blend, the first answer is all that is known.
#[test]
fn no_prior_is_over_at_once() {
    let mut timeout = timeout::<10>(AdaptiveTimeoutConfig { prior_samples: 0, ..p99() });
    assert_eq!(timeout.current(), CEILING);
    timeout.record(Outcome::Completed(millis(20)));
    assert_just_above(timeout.current(), millis(20));
}

#[test]
fn what_nobody_waited_for_doubles_the_timeout_once() {
    let mut timeout = timeout::<100>(AdaptiveTimeoutConfig { prior: millis(100), ..p99() });
    for _ in 0..20 {
        timeout.record(Outcome::TimedOut(millis(100)));
        assert_eq!(timeout.current(), millis(200), "they were under way at the same time");
    }
    timeout.record(Outcome::Cancelled(millis(300)));
    assert_eq!(timeout.current(), millis(200), "the caller went away");
    timeout.record(Outcome::TimedOut(millis(200)));
    assert_eq!(timeout.current(), millis(400));
    for _ in 0..20 {
        let waited = timeout.current();
        timeout.record(Outcome::TimedOut(waited));
    }
    assert_eq!(timeout.current(), CEILING);
}

/// Calls that were given up are not forgotten, and those that failed at once are no calls.
#[test]
fn each_outcome_counts_for_what_it_says() {
    let with = |outcome| {
        let mut timeout = timeout::<1000>(p99());
        record(&mut timeout, Outcome::Completed(millis(20)), 480);
        record(&mut timeout, outcome, 20);
        record(&mut timeout, Outcome::Completed(millis(40)), 480);
        timeout
    };
    let none = with(Outcome::FailedFast);
    assert_eq!(none.calls(), 960);
    assert_just_above(none.current(), millis(40));
    // Given up before others were answered, they would have been answered as those were.
    assert_just_above(with(Outcome::Cancelled(millis(30))).current(), millis(40));
    // Given up after all were answered, nobody knows: it is no less than what was answered, and if the timeout
    // was too short then twice that.
    assert_just_above(with(Outcome::Cancelled(millis(60))).current(), millis(40));
    let mut timed_out = with(Outcome::Cancelled(millis(60)));
    timed_out.record(Outcome::TimedOut(millis(60)));
    assert!(timed_out.current() > millis(80), "{:?}", timed_out.current());
}

/// The last bucket holds whatever is longer.
#[test]
fn answers_beyond_a_million_floors_make_the_timeout_the_ceiling() {
    let floor = Duration::from_nanos(1000);
    let config = AdaptiveTimeoutConfig {
        prior_samples: 0,
        ..AdaptiveTimeoutConfig::of(Quantile::P99, floor, CEILING)
    };
    let mut timeout = timeout::<100>(config);
    record(&mut timeout, Outcome::Completed(floor * 900_000), 100);
    assert_just_above(timeout.current(), floor * 900_000);
    record(&mut timeout, Outcome::Completed(Duration::from_secs(5)), 100);
    assert_eq!(timeout.current(), CEILING);
}

#[test]
fn the_prior_does_not_come_back_when_calls_are_forgotten() {
    let config = AdaptiveTimeoutConfig { max_age: Some(millis(800)), ..p99() };
    let mut timeout = timeout::<200>(config);
    let at = |millis| Instant::ORIGIN + Duration::from_millis(millis);
    timeout.advance(at(0));
    record(&mut timeout, Outcome::Completed(millis(20)), 112);
    assert_just_above(timeout.current(), millis(20));
    timeout.advance(at(5000));
    assert_eq!(timeout.calls(), 0);
    timeout.record(Outcome::Completed(millis(20)));
    assert_just_above(timeout.current(), millis(20));
}

/// A thousand refused connections are not a thousand calls.
#[test]
fn calls_that_failed_soon_do_not_displace_answers() {
    let mut timeout = timeout::<100>(p99());
    record(&mut timeout, Outcome::Completed(millis(100)), 112);
    let learned = timeout.current();
    record(&mut timeout, Outcome::Cancelled(Duration::from_micros(200)), 1000);
    record(&mut timeout, Outcome::Completed(millis(20)), 1);
    record(&mut timeout, Outcome::Completed(millis(100)), 15);
    assert_eq!((timeout.calls(), timeout.current()), (100, learned));
}

#[test]
fn what_is_too_old_is_forgotten() {
    let config = AdaptiveTimeoutConfig { max_age: Some(millis(800)), prior_samples: 0, ..p99() };
    let mut timeout = timeout::<50>(config);
    let at = |millis| Instant::ORIGIN + Duration::from_millis(millis);
    timeout.advance(at(1000));
    record(&mut timeout, Outcome::Completed(millis(500)), 20);
    timeout.advance(at(1100));
    record(&mut timeout, Outcome::Completed(millis(20)), 20);
    timeout.advance(at(900));
    timeout.advance(at(1799));
    assert_eq!(timeout.calls(), 40, "none is as old as that");
    assert_just_above(timeout.current(), millis(500));
    timeout.advance(at(1800));
    assert_eq!(timeout.calls(), 20);
    assert_just_above(timeout.current(), millis(20));

    // The oldest also go for lack of room, and are not forgotten twice.
    record(&mut timeout, Outcome::Completed(millis(30)), 40);
    assert_eq!(timeout.calls(), 50);
    timeout.advance(at(1900));
    assert_eq!(timeout.calls(), 40);
    timeout.advance(at(10_000));
    assert_eq!(timeout.calls(), 0);
    assert_just_above(timeout.current(), millis(30));
}

#[test]
fn some_calls_explore() {
    let explorers = |millionths| {
        let exploring = Ratio::from_millionths(millionths);
        let timeout = timeout::<10>(AdaptiveTimeoutConfig { prior: FLOOR, exploring, ..p99() });
        let draws = (0..1000_u64).map(|nth| timeout.draw(nth * (u64::MAX / 1000) + 1_000_000));
        let explorers = draws.filter(|draw| *draw == CEILING).count();
        assert_eq!(timeout.current(), FLOOR);
        explorers
    };
    assert_eq!([0, 1000, 100_000, 1_000_000].map(explorers), [0, 1, 100, 1000]);
}

#[test]
fn a_caller_in_a_hurry_waits_no_longer_than_it_can() {
    let timeout = timeout::<10>(AdaptiveTimeoutConfig { prior: millis(100), ..p99() });
    assert_eq!(timeout.within(millis(99)), millis(99));
    assert_eq!(timeout.within(millis(101)), millis(100));
    assert_eq!(timeout.within(Duration::ZERO), Duration::ZERO);
}

#[test]
fn configurations_that_make_no_sense_say_why() {
    let new = |config| AdaptiveTimeout::<10>::new(config).err();
    let sane = p99();
    let (zero, long) = (Duration::ZERO, Duration::MAX);
    let cases = [
        (AdaptiveTimeoutConfig { floor: zero, ..sane }, AdaptiveTimeoutError::ZeroFloor),
        (
            AdaptiveTimeoutConfig { floor: millis(2), ceiling: FLOOR, ..sane },
            AdaptiveTimeoutError::CeilingBelowFloor { floor: millis(2), ceiling: FLOOR },
        ),
        (
            AdaptiveTimeoutConfig { ceiling: long, ..sane },
            AdaptiveTimeoutError::TooLong { ceiling: long },
        ),
        (AdaptiveTimeoutConfig { factor: Ratio::ZERO, ..sane }, AdaptiveTimeoutError::ZeroFactor),
        (
            AdaptiveTimeoutConfig { exploring: Ratio::from_percent(101), ..sane },
            AdaptiveTimeoutError::ExploringAll { exploring: Ratio::from_percent(101) },
        ),
        (
            AdaptiveTimeoutConfig { max_age: Some(Duration::from_nanos(7)), ..sane },
            AdaptiveTimeoutError::TooShortAge { max_age: Duration::from_nanos(7) },
        ),
    ];
    for (config, error) in cases {
        assert_eq!(new(config), Some(error));
    }
    for prior in [FLOOR - Duration::from_nanos(1), CEILING + Duration::from_nanos(1)] {
        let error = AdaptiveTimeoutError::PriorOutside { prior, floor: FLOOR, ceiling: CEILING };
        assert_eq!(new(AdaptiveTimeoutConfig { prior, ..sane }), Some(error));
    }
    let exact = AdaptiveTimeoutConfig { floor: CEILING, prior: CEILING, ..sane };
    assert_eq!(new(exact), None);
}

#[derive(Clone, Copy, Debug)]
struct AnyOutcome(Outcome);

impl Arbitrary for AnyOutcome {
    fn arbitrary(g: &mut Gen) -> Self {
        let duration = Duration::from_nanos(u64::arbitrary(g) >> (u32::arbitrary(g) % 64));
        let duration = if u8::arbitrary(g) == 0 { Duration::MAX } else { duration };
        Self(match u8::arbitrary(g) % 4 {
            0 => Outcome::FailedFast,
            1 => Outcome::TimedOut(duration),
            2 => Outcome::Cancelled(duration),
            _ => Outcome::Completed(duration),
        })
    }
}

quickcheck! {
    fn a_timeout_is_within_its_bounds(outcomes: Vec<AnyOutcome>, ages: Vec<u16>) -> bool {
        let max_age = Some(Duration::from_nanos(100));
        let mut timeout = timeout::<20>(AdaptiveTimeoutConfig { max_age, prior: millis(50), ..p99() });
        let mut ages = ages.into_iter().cycle();
        outcomes.into_iter().all(|AnyOutcome(outcome)| {
            timeout.record(outcome);
            timeout.advance(Instant::from_nanos(ages.next().unwrap_or(0).into()));
            (FLOOR..=CEILING).contains(&timeout.current()) && timeout.calls() <= 20
        })
    }

    fn a_greater_factor_never_makes_a_shorter_timeout(
        outcomes: Vec<AnyOutcome>,
        factors: (u32, u32)
    ) -> bool {
        let factors = [factors.0, factors.1].map(|factor| factor % 10_000_000 + 1);
        let [mut less, mut more] = [factors[0].min(factors[1]), factors[0].max(factors[1])].map(|factor| {
            let factor = Ratio::from_millionths(factor);
            timeout::<20>(AdaptiveTimeoutConfig { factor, prior: millis(50), ..p99() })
        });
        // With the same outcomes: that a longer timeout lets more calls be answered is another matter.
        outcomes.into_iter().all(
            |AnyOutcome(outcome)| {
                less.record(outcome);
                more.record(outcome);
                less.current() <= more.current()
            },
        )
    }

    /// As computed anew from the last outcomes.
    fn only_the_last_outcomes_count(outcomes: Vec<AnyOutcome>) -> bool {
        let config = AdaptiveTimeoutConfig { prior_samples: 0, ..p99() };
        let answers: Vec<Outcome> = outcomes
            .into_iter()
            .map(|AnyOutcome(outcome)| outcome)
            .filter(|outcome| matches!(outcome, Outcome::Completed(_)))
            .collect();
        let [mut all, mut last] = [(); 2].map(|()| timeout::<16>(config));
        answers.iter().for_each(|&answer| all.record(answer));
        answers.iter().skip(answers.len().saturating_sub(16)).for_each(|&answer| last.record(answer));
        all.current() == last.current()
    }
}
