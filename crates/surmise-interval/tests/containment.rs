//! The true time is in the interval, whatever the clocks do within what was stated: a simulation that
//! knows the truth, and in which every mistake that an implementation could make shows.

#![expect(clippy::indexing_slicing, reason = "there are as many ends and statuses as there are")]

#[path = "containment/machine.rs"]
mod machine;
#[path = "containment/trial.rs"]
mod trial;
#[path = "containment/world.rs"]
mod world;

use core::time::Duration;
use std::thread;

use surmise_interval::{
    ClockError, ClockStatus, Drift, Interval, IntervalClock, IntervalClockConfig, Sample,
    Synchronization,
};
use surmise_time::{Instant, WallTime};

use crate::{
    machine::Mistake,
    trial::{CONFIG, Trial},
};

#[test]
fn the_truth_is_inside_ten_million_times() {
    const COMPARED: u64 = 1_000_000;
    let trial = |seed: u64, sources| move || Trial::run(seed, sources, Mistake::None, COMPARED);
    let trials = (0..).zip([1, 3, 5, 1, 3, 5, 1, 3, 5, 7]);
    let trials: Vec<_> =
        trials.map(|(seed, sources)| (seed, thread::spawn(trial(seed, sources)))).collect();
    for (seed, trial) in trials {
        let found = trial.join().expect("no trial panics");
        let stepped_back = found.stepped_back + found.stepped_back_too_far;
        let wrong = [found.outside, stepped_back, found.refused, found.late_believed];
        assert_eq!(wrong, [0; 4], "seed {seed}: {found:?}");
        // There was something to be wrong about.
        assert!(found.compared >= COMPARED, "seed {seed}: {found:?}");
        assert!(found.entered.iter().all(|&times| times >= 50), "seed {seed}: {found:?}");
        assert!(found.stepped_back_at_sample > 1000, "seed {seed}: {found:?}");
        assert!(found.late > 100, "seed {seed}: {found:?}");
    }
}

#[test]
fn every_mistake_shows() {
    for (mistake, sources) in [
        (Mistake::Drift, 1),
        (Mistake::Slew, 1),
        (Mistake::ReadingBefore, 1),
        (Mistake::ReadingAfter, 1),
        (Mistake::ReadingHalfway, 1),
        (Mistake::Suspend, 1),
        (Mistake::Step, 1),
        (Mistake::Disruption, 1),
        (Mistake::LateAnswer, 1),
        (Mistake::OneSource, 3),
        (Mistake::MostAgreeing, 3),
        (Mistake::MostAnswering, 3),
        (Mistake::LeastDrift, 3),
    ] {
        let found = Trial::run(1, sources, mistake, 300_000);
        assert!(found.outside > 10, "nobody notices {mistake:?}: {found:?}");
    }
}

fn sample(earliest: u64, latest: u64, at: u64) -> Sample {
    let ends = [earliest, latest].map(WallTime::from_nanos);
    let interval = Interval::new(ends[0], ends[1]).expect("it begins before it ends");
    Sample::new(interval, Instant::from_nanos(at), Drift::MAX)
}

#[test]
fn contradictions_silence_the_clock_until_two_samples_agree() {
    let mut clock = IntervalClock::new(CONFIG);
    let now = Instant::from_nanos(1000);
    assert_eq!(clock.now(now), Err(ClockError::Unsynchronized { age: None }));
    assert_eq!(clock.synchronize(sample(100, 110, 1000)), Synchronization::Accepted);
    assert_eq!(clock.synchronize(sample(0, 500, 999)), Synchronization::Stale);
    assert_eq!(clock.synchronize(sample(110, 120, 1000)), Synchronization::Accepted);

    let expected = *clock.now(now).as_ref().expect("it was synchronised");
    let contradicted = clock.synchronize(sample(121, 130, 1000));
    assert_eq!(contradicted, Synchronization::Contradicted { expected });
    assert_eq!(clock.now(now), Err(ClockError::Contradicted));
    assert_eq!(clock.status(now), ClockStatus::Disrupted);

    // The old one is not believed again, but whatever agrees with the new one is.
    let expected = sample(121, 130, 1000).interval();
    let contradicted = clock.synchronize(sample(110, 120, 1000));
    assert_eq!(contradicted, Synchronization::Contradicted { expected });
    assert_eq!(clock.synchronize(sample(90, 110, 1000)), Synchronization::Accepted);
    assert_eq!(clock.status(now), ClockStatus::Synchronized);
}

#[test]
fn an_old_sample_is_no_longer_relied_on() {
    let mut clock = IntervalClock::new(CONFIG);
    let at = |seconds: u64, nanos| Instant::from_nanos(seconds * 1_000_000_000 + nanos);
    clock.synchronize(sample(1 << 60, 1 << 60, 0));
    assert_eq!(clock.status(at(40, 0)), ClockStatus::Synchronized);
    assert_eq!(clock.status(at(40, 1)), ClockStatus::FreeRunning);
    assert_eq!(clock.status(at(2000, 0)), ClockStatus::FreeRunning);
    assert!(clock.now(at(2000, 0)).is_ok());
    let age = Some(Duration::from_nanos(2_000_000_000_001));
    assert_eq!(clock.now(at(2000, 1)), Err(ClockError::Unsynchronized { age }));
    assert_eq!(clock.status(at(2000, 1)), ClockStatus::Unsynchronized);
    // So the next one is taken, whatever it says.
    let next = sample(5, 5, 2_000_000_000_001);
    assert_eq!(clock.synchronize(next), Synchronization::Accepted);
}

/// A sample is relied on for as long for contradictions as for the time.
#[test]
fn what_is_relied_on_can_be_contradicted() {
    let mut clock = IntervalClock::new(CONFIG);
    clock.synchronize(sample(1 << 60, 1 << 60, 0));
    let contradiction = sample(5, 5, 2_000_000_000_000);
    let expected = clock.now(contradiction.at()).expect("it is relied on");
    let outcome = clock.synchronize(contradiction);
    assert_eq!(outcome, Synchronization::Contradicted { expected });
}

#[test]
fn by_default_a_sample_is_relied_on_for_an_hour() {
    let IntervalClockConfig { free_running_after, unsynchronized_after } =
        IntervalClockConfig::default();
    assert_eq!(free_running_after.as_secs(), 60);
    assert_eq!(unsynchronized_after.as_secs(), 3600);
}

#[test]
fn waiting_does_not_settle_a_contradiction() {
    let mut clock = IntervalClock::new(CONFIG);
    clock.synchronize(sample(1 << 60, 1 << 60, 0));
    clock.synchronize(sample(5, 6, 1));
    let later = 3_000_000_000_000;
    let lonely = clock.synchronize(sample(1 << 60, 1 << 60, later));
    assert!(matches!(lonely, Synchronization::Contradicted { .. }));
    assert_eq!(clock.status(Instant::from_nanos(later)), ClockStatus::Disrupted);
    // The same said twice is not two that agree.
    let again = clock.synchronize(sample(1 << 60, 1 << 60, later));
    assert_eq!(again, Synchronization::Stale);
    assert_eq!(clock.status(Instant::from_nanos(later)), ClockStatus::Disrupted);
    let agreeing = clock.synchronize(sample(1 << 60, (1 << 60) + 1, later + 1));
    assert_eq!(agreeing, Synchronization::Accepted);
}
