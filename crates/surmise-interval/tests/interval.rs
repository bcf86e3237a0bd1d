//! Intervals beside the sets of times that they stand for, and the drifts that have names.

use core::{cmp::Ordering, time::Duration};

use quickcheck::quickcheck;
use surmise_interval::{Drift, Interval, order};
use surmise_time::WallTime;

fn at(nanos: u64) -> WallTime {
    WallTime::from_nanos(nanos)
}

fn interval([a, b]: [u8; 2]) -> Interval {
    let [a, b] = [a % LIMIT, b % LIMIT].map(|nanos| at(nanos.into()));
    Interval::new(a.min(b), a.max(b)).expect("it begins before it ends")
}

/// Few times, so that ends meet.
const LIMIT: u8 = 20;

fn times() -> impl Iterator<Item = WallTime> {
    (0..LIMIT.into()).map(at)
}

quickcheck! {
    /// Without `alloc` like all of this file.
    fn an_order_is_certain_where_no_times_are_in_any_other(first: [u8; 2], second: [u8; 2]) -> bool {
        let [first, second] = [first, second].map(interval);
        let all = |expected| {
            let times_of = |own: Interval| times().filter(move |&time| own.contains(time));
            times_of(first).all(|a| times_of(second).all(|b| a.cmp(&b) == expected))
        };
        let expected = [Ordering::Less, Ordering::Greater].into_iter().find(|&order| all(order));
        order::certain(&first, &second) == expected
    }

    fn of_a_time_it_is_before_after_or_possible(ends: [u8; 2], time: u8) -> bool {
        let (interval, time) = (interval(ends), at((time % LIMIT).into()));
        let possible = (interval.earliest()..=interval.latest()).contains(&time);
        interval.contains(time) == possible
            && interval.after(time) == times().all(|now| !interval.contains(now) || now > time)
            && interval.before(time) == times().all(|now| !interval.contains(now) || now < time)
    }

    fn two_intersect_in_the_times_that_both_have(first: [u8; 2], second: [u8; 2]) -> bool {
        let (first, second) = (interval(first), interval(second));
        let common: Vec<WallTime> =
            times().filter(|&time| first.contains(time) && second.contains(time)).collect();
        let ends = first.intersect(&second).map(|common| (common.earliest(), common.latest()));
        ends == common.first().copied().zip(common.last().copied())
            && first.overlaps(&second) != common.is_empty()
            && first.definitely_before(&second)
                == (common.is_empty() && first.earliest() < second.earliest())
    }

    fn the_middle_and_its_uncertainty_cover_it(earliest: u64, width: u64) -> bool {
        let latest = earliest.saturating_add(width);
        let interval = Interval::new(at(earliest), at(latest)).expect("it begins before it ends");
        let (middle, half) = (interval.middle().as_nanos(), interval.uncertainty().as_nanos());
        u128::from(middle) == (u128::from(earliest) + u128::from(latest)) / 2
            && half == u128::from(latest - earliest).div_ceil(2)
            && u128::from(latest - middle) == half
    }
}

#[test]
fn an_interval_ends_after_it_begins() {
    assert!(Interval::new(at(7), at(7)).is_ok());
    let error = Interval::new(at(8), at(7)).unwrap_err();
    assert_eq!((error.earliest, error.latest), (at(8), at(7)));
    let message = "an interval cannot end at 0.000000007s and begin at 0.000000008s";
    assert_eq!(error.to_string(), message);
}

#[test]
fn an_interval_around_a_time_ends_where_time_does() {
    let all = Interval::around(at(1), Duration::MAX);
    assert_eq!((all.earliest(), all.latest()), (at(0), at(u64::MAX)));
    let some = Interval::around(at(10), Duration::from_nanos(3));
    assert_eq!((some.earliest(), some.latest()), (at(7), at(13)));
}

#[test]
fn drifts_are_what_they_are_called() {
    for (drift, ppm) in [(Drift::NTP, 15), (Drift::QUARTZ, 50), (Drift::SPANNER, 200)] {
        assert_eq!(Drift::from_ppm(ppm), Ok(drift));
        assert_eq!(drift.over(Duration::from_secs(1_000_000)).as_secs(), ppm.into());
    }
}

/// Times beyond those that a clock can count are as long as the longest that it can.
#[test]
fn drift_over_the_longest_times() {
    let longest = Duration::from_nanos(u64::MAX);
    for drift in [Drift::NTP, Drift::SPANNER, Drift::MAX] {
        assert!(drift.over(longest) > longest.mul_f64(f64::from(drift.as_ppb()) / 1e9));
        assert_eq!(drift.over(Duration::MAX), drift.over(longest));
        assert_eq!(drift.at_most(Duration::MAX), Duration::MAX);
        assert_eq!(drift.to_pass(Duration::MAX), longest);
        assert_eq!(drift.to_pass(longest), longest);
    }
}
