//! What a clock makes of samples, readings and disruptions, case by case.

use core::time::Duration;

use surmise_interval::{
    ClockError, ClockStatus, Drift, Interval, IntervalClock, IntervalClockConfig, Sample,
    Synchronization,
};
use surmise_time::{Instant, WallTime};

const SECOND: Duration = Duration::from_secs(1);

/// A sample of a source that is right.
fn sample(at: Instant) -> Sample {
    let wall = WallTime::from_nanos(1 << 60) + (at - Instant::ORIGIN);
    Sample::new(Interval::around(wall, Duration::from_millis(1)), at, Drift::QUARTZ)
}

fn at(seconds: u64) -> Instant {
    Instant::ORIGIN + SECOND * u32::try_from(seconds).expect("it is short")
}

fn synchronized(at: Instant) -> IntervalClock {
    let mut clock = IntervalClock::new(IntervalClockConfig::default());
    assert_eq!(clock.synchronize(sample(at)), Synchronization::Accepted);
    clock
}

#[test]
fn a_sample_from_before_a_disruption_does_not_undo_it() {
    let mut clock = synchronized(at(5));
    clock.disrupt(at(7));
    assert_eq!(clock.now(at(8)), Err(ClockError::Disrupted));
    let before = at(7) - Duration::from_nanos(1);
    assert_eq!(clock.synchronize(sample(before)), Synchronization::Stale);
    assert_eq!(clock.now(at(8)), Err(ClockError::Disrupted));

    // One that was noticed late changes nothing.
    clock.disrupt(at(6));
    assert_eq!(clock.synchronize(sample(before)), Synchronization::Stale);
    assert_eq!(clock.synchronize(sample(at(7))), Synchronization::Accepted);
    assert!(clock.now(at(8)).is_ok());
}

#[test]
fn what_is_contradicted_is_no_disruption_and_says_so() {
    let mut clock = synchronized(at(5));
    let stepped = sample(at(7)).interval();
    let stepped = Interval::around(stepped.middle() + SECOND, Duration::from_millis(1));
    let stepped = Sample::new(stepped, at(7), Drift::QUARTZ);
    assert!(matches!(clock.synchronize(stepped), Synchronization::Contradicted { .. }));
    assert_eq!(clock.now(at(7)), Err(ClockError::Contradicted));
    assert_eq!(clock.status(at(7)), ClockStatus::Disrupted);
    assert_eq!(
        ClockError::Contradicted.to_string(),
        "two samples cannot both be true, and the next is to decide"
    );
    // A disruption explains it, and leaves nothing to decide.
    clock.disrupt(at(8));
    assert_eq!(clock.now(at(8)), Err(ClockError::Disrupted));
    assert_eq!(clock.synchronize(sample(at(9))), Synchronization::Accepted);
}

/// A clock that has been told nothing can be disrupted, too: the first sample may be under way.
#[test]
fn a_new_clock_can_be_disrupted() {
    let mut clock = IntervalClock::new(IntervalClockConfig::default());
    clock.disrupt(at(7));
    assert_eq!(clock.status(at(7)), ClockStatus::Disrupted);
    assert_eq!(clock.synchronize(sample(at(6))), Synchronization::Stale);
    assert_eq!(clock.synchronize(sample(at(8))), Synchronization::Accepted);
}

#[test]
fn a_reading_may_be_a_second_before_the_sample_and_no_more() {
    let clock = synchronized(at(5));
    let interval = clock.now(at(4)).expect("it is a second before");
    assert!(interval.contains(WallTime::from_nanos(1 << 60) + SECOND * 4));
    assert_eq!(clock.status(at(4)), ClockStatus::Synchronized);

    let by = SECOND + Duration::from_nanos(1);
    assert_eq!(clock.now(at(5) - by), Err(ClockError::BeforeSample { by }));
    assert_eq!(clock.status(at(5) - by), ClockStatus::Unsynchronized);
    assert_eq!(clock.now(Instant::ORIGIN), Err(ClockError::BeforeSample { by: SECOND * 5 }));
}

/// The boot clock may have stood still meanwhile: what is known now says nothing of before.
#[test]
fn no_reading_from_before_a_disruption_is_answered() {
    let mut clock = synchronized(at(5));
    let reading = at(7) - Duration::from_nanos(1);
    clock.disrupt(at(7));
    clock.synchronize(sample(at(7) + SECOND / 2));
    let by = SECOND / 2 + Duration::from_nanos(1);
    assert_eq!(clock.now(reading), Err(ClockError::BeforeSample { by }));
    assert!(clock.now(at(7) + SECOND / 2).is_ok());
    assert_eq!(clock.status(at(8)), ClockStatus::Synchronized);
    assert!(clock.now(at(9000)).is_err());
    // The next may have been taken a second before, and no longer.
    clock.synchronize(sample(at(8)));
    assert!(clock.now(at(7)).is_ok());
    assert!(clock.now(reading).is_err());
}

#[test]
fn each_disruption_and_contradiction_begins_an_epoch() {
    let mut clock = synchronized(at(5));
    assert_eq!(clock.epoch(), 0);
    clock.disrupt(at(6));
    assert_eq!(clock.epoch(), 1);
    clock.synchronize(sample(at(7)));
    let wrong = Interval::around(WallTime::from_nanos(5), SECOND);
    clock.synchronize(Sample::new(wrong, at(8), Drift::QUARTZ));
    assert_eq!(clock.epoch(), 2);
    clock.synchronize(Sample::new(wrong, at(9), Drift::QUARTZ));
    assert_eq!((clock.now(at(9)).is_ok(), clock.epoch()), (true, 2));
}

/// At both ends of what an instant can count, and with limits beyond it.
#[test]
fn nothing_overflows() {
    let endless = IntervalClockConfig { unsynchronized_after: Duration::MAX, ..Default::default() };
    let (first, middle) = (Instant::ORIGIN, Instant::from_nanos(u64::MAX / 2));
    let last = Instant::from_nanos(u64::MAX);
    for config in [endless, IntervalClockConfig::default()] {
        let [mut early, mut late] = [(); 2].map(|()| IntervalClock::new(config));
        early.synchronize(sample(first));
        assert!(early.now(first).is_ok());
        let far = middle + Duration::from_nanos(1);
        let age = Some(far - first);
        assert_eq!(early.now(far), Err(ClockError::Unsynchronized { age }));

        late.synchronize(sample(last));
        assert!(late.now(last).is_ok() && late.now(last - SECOND).is_ok());
        let by = last - far;
        assert_eq!(late.now(far), Err(ClockError::BeforeSample { by }));
    }
    let mut clock = IntervalClock::new(endless);
    clock.synchronize(sample(first));
    assert!(clock.now(middle).is_ok());
}

#[test]
fn a_clock_that_never_free_runs_goes_straight_to_unsynchronized() {
    let config =
        IntervalClockConfig { free_running_after: SECOND * 20, unsynchronized_after: SECOND * 10 };
    let mut clock = IntervalClock::new(config);
    clock.synchronize(sample(at(5)));
    assert_eq!(clock.status(at(15)), ClockStatus::Synchronized);
    assert_eq!(clock.status(at(16)), ClockStatus::Unsynchronized);
}
