//! Several sources asked at once, and in the background.

#![cfg(feature = "std")]

extern crate alloc;

use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::sync::mpsc;

use surmise_interval::{
    ClockStatus, Drift, Interval, IntervalClockConfig, Sample,
    sampler::{Background, Round, Sampler},
    select::{SelectionError, Smearing},
    source::{Source, SourceError, Unsynchronized},
    sync::SharedIntervalClock,
};
use surmise_time::{ManualClock, MonotonicClock, WallTime};

/// A source that is so far from the truth, which is 2⁶⁰ ns at the clock's origin, or does not answer.
struct Fake {
    name: &'static str,
    ahead: Option<i64>,
    drift: Drift,
}

impl Fake {
    const fn new(name: &'static str, ahead: i64) -> Self {
        Self { name, ahead: Some(ahead), drift: Drift::QUARTZ }
    }
}

impl Source for Fake {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        let waited = Duration::from_secs(1);
        let ahead = self.ahead.ok_or(SourceError::NoAnswer { waited })?;
        let now = clock.now();
        let middle = (1 << 60) + now.as_nanos();
        let middle = WallTime::from_nanos(middle.saturating_add_signed(ahead));
        Ok(Sample::new(Interval::around(middle, Duration::from_nanos(100)), now, self.drift))
    }

    fn name(&self) -> &str {
        self.name
    }
}

#[test]
fn sources_that_agree_make_one_sample() {
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(5));
    let drifting = Fake { drift: Drift::SPANNER, ..Fake::new("drifting", -20) };
    let mut sampler = Sampler::new()
        .with(Fake::new("right", 10), Smearing::Stepped)
        .with(drifting, Smearing::Stepped)
        .with(Fake::new("wrong", 100_000), Smearing::Stepped)
        .with(Fake { ahead: None, ..Fake::new("silent", 0) }, Smearing::Stepped);
    let round = sampler.ask(&clock);
    assert_eq!(
        round.answers.iter().map(|answer| answer.sample.is_ok()).collect::<Vec<_>>(),
        [true, true, true, false]
    );
    let selection = round.selection.as_ref().expect("two of three agree");
    assert_eq!(selection.truechimers, ["right", "drifting"]);
    assert_eq!(selection.falsetickers, ["wrong"]);
    let sample = round.sample().expect("two of three agree");
    assert_eq!((sample.at(), sample.drift()), (clock.now(), Drift::SPANNER));
    assert!(sample.interval().contains(WallTime::from_nanos((1 << 60) + 5_000_000_000)));
}

#[test]
fn a_source_that_tells_of_a_disruption_is_heard() {
    struct Moved;

    impl Source for Moved {
        fn sample(&mut self, _: &dyn MonotonicClock) -> Result<Sample, SourceError> {
            Err(Unsynchronized::Disrupted.into())
        }

        fn name(&self) -> &str {
            "moved"
        }
    }

    let mut sampler = Sampler::new().with(Fake::new("right", 0), Smearing::Stepped);
    assert!(!sampler.ask(&ManualClock::default()).is_disrupted());
    sampler = sampler.with(Moved, Smearing::Stepped);
    assert!(sampler.ask(&ManualClock::default()).is_disrupted());

    let clock = Arc::new(SharedIntervalClock::new(IntervalClockConfig::default()));
    let (reports, rounds) = mpsc::channel();
    let report = move |round: &Round| reports.send(round.at).unwrap_or_default();
    let boot = Arc::new(Ticking::default());
    let every = Duration::from_secs(3600);
    let background =
        Background::spawn(sampler, Arc::clone(&clock), Arc::clone(&boot), every, report);
    assert!(background.is_ok() && rounds.recv().is_ok());
    assert_eq!(clock.status(boot.now()), ClockStatus::Disrupted);
}

#[test]
fn sources_that_do_not_agree_make_none() {
    let clock = ManualClock::default();
    let apart = [Fake::new("a", 0), Fake::new("b", 1000)];
    let mut sampler = apart
        .into_iter()
        .fold(Sampler::new(), |sampler, source| sampler.with(source, Smearing::Stepped));
    let round = sampler.ask(&clock);
    let error = SelectionError::NoMajority { sources: 2, agreeing: 1 };
    assert_eq!(round.selection.as_ref().err(), Some(&error));
    assert_eq!(round.sample(), None);

    let mut mixed = Sampler::new()
        .with(Fake::new("a", 0), Smearing::Stepped)
        .with(Fake::new("b", 0), Smearing::Smeared);
    let error = SelectionError::MixedSmearing { smeared: 1, stepped: 1 };
    assert_eq!(mixed.ask(&clock).selection.err(), Some(error));
    assert_eq!(Sampler::new().ask(&clock).selection.err(), Some(SelectionError::NoSources));
}

/// A clock that many threads can read, and that moves a millisecond with each reading.
#[derive(Default)]
struct Ticking(AtomicU64);

impl MonotonicClock for Ticking {
    fn now(&self) -> surmise_time::Instant {
        surmise_time::Instant::from_nanos(self.0.fetch_add(1_000_000, Ordering::Relaxed))
    }
}

#[test]
fn a_background_thread_feeds_the_clock_until_it_is_dropped() {
    let clock = Arc::new(SharedIntervalClock::new(IntervalClockConfig::default()));
    let boot = Arc::new(Ticking::default());
    let sampler = Sampler::new().with(Fake::new("right", 0), Smearing::Stepped);
    let (reports, rounds) = mpsc::channel();
    let background = Background::spawn(
        sampler,
        Arc::clone(&clock),
        Arc::clone(&boot),
        Duration::ZERO,
        move |round| reports.send(round.at).expect("the test listens"),
    );
    let background = background.expect("there is a thread to be had");
    let first = rounds.recv().expect("it asks at once");
    let second = rounds.recv().expect("and again");
    assert!(first < second);
    assert_eq!(clock.status(boot.now()), ClockStatus::Synchronized);
    drop(background);
    assert!(rounds.iter().all(|at| at > second), "it has ended, and so do the reports");
}
