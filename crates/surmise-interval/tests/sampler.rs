//! Several sources asked at once, and in the background.

#![cfg(feature = "std")]

extern crate alloc;

#[path = "sampler/disruption.rs"]
mod disruption;
#[path = "sampler/pause.rs"]
mod pause;

use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use std::sync::mpsc;

use surmise_interval::{
    ClockStatus, Drift, Interval, IntervalClockConfig, Sample, Synchronization,
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

/// Of three that answered once, one may be wrong: when one falls silent, the truth may be what only the other
/// says, and when two do, nothing is known.
#[test]
fn silence_does_not_let_a_liar_outvote_the_truth() {
    let clock = ManualClock::default();
    let silences: [Arc<AtomicBool>; 3] = [(); 3].map(|()| Arc::default());
    let mut sampler = Sampler::new();
    for ((name, ahead), silent) in [("a", 0), ("b", 20), ("liar", 500)].into_iter().zip(&silences) {
        let source = Fallible { fake: Fake::new(name, ahead), silent: Arc::clone(silent) };
        sampler = sampler.with(source, Smearing::Stepped);
    }
    sampler = sampler.with(Fake { ahead: None, ..Fake::new("never", 0) }, Smearing::Stepped);
    let truth = WallTime::from_nanos(1 << 60);
    let ask = |sampler: &mut Sampler| sampler.ask(&clock).selection;

    let all = ask(&mut sampler).expect("two agree");
    assert_eq!(
        (all.falsetickers.as_slice(), all.interval.contains(truth)),
        (&["liar".into()][..], true)
    );
    assert!(all.interval.uncertainty() < Duration::from_nanos(100));

    silences[0].store(true, Ordering::Relaxed);
    let two = ask(&mut sampler).expect("one of them is right");
    assert!(
        two.interval.contains(truth) && two.interval.contains(truth + Duration::from_nanos(500))
    );

    silences[1].store(true, Ordering::Relaxed);
    let error = SelectionError::TooFew { sources: 1, falsetickers: 1 };
    assert_eq!(ask(&mut sampler).err(), Some(error));

    silences[0].store(false, Ordering::Relaxed);
    silences[1].store(false, Ordering::Relaxed);
    assert_eq!(ask(&mut sampler).ok(), Some(all));
}

/// Who answers first is not believed for that, as long as the others may outvote it.
#[test]
fn a_minority_that_answers_first_is_not_believed() {
    let clock = ManualClock::default();
    let silent = |name| Fake { ahead: None, ..Fake::new(name, 0) };
    let three = || {
        Sampler::new()
            .with(silent("a"), Smearing::Stepped)
            .with(silent("b"), Smearing::Stepped)
            .with(Fake::new("liar", 1_000_000), Smearing::Stepped)
    };
    let error = SelectionError::TooFew { sources: 1, falsetickers: 1 };
    assert_eq!(three().ask(&clock).selection.err(), Some(error));
    // Unless it is said that none of them lies.
    assert!(three().with_falsetickers(0).ask(&clock).selection.is_ok());
}

/// A source that can be silenced.
struct Fallible {
    fake: Fake,
    silent: Arc<AtomicBool>,
}

impl Source for Fallible {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        if self.silent.load(Ordering::Relaxed) {
            return Err(SourceError::NoAnswer { waited: Duration::ZERO });
        }
        self.fake.sample(clock)
    }

    fn name(&self) -> &str {
        self.fake.name
    }
}

/// A source that says that the machine was disrupted, from one question on.
struct Moved {
    questions: u32,
    from: u32,
}

impl Source for Moved {
    fn sample(&mut self, _: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        self.questions += 1;
        if self.questions < self.from {
            return Err(SourceError::NoAnswer { waited: Duration::ZERO });
        }
        Err(Unsynchronized::Disrupted.into())
    }

    fn name(&self) -> &str {
        "moved"
    }
}

#[test]
fn a_source_that_tells_of_a_disruption_is_heard_once() {
    let boot = ManualClock::default();
    let clock = SharedIntervalClock::new(IntervalClockConfig::default());
    let mut sampler = Sampler::new()
        .with(Fake::new("right", 0), Smearing::Stepped)
        .with(Moved { questions: 0, from: 2 }, Smearing::Stepped);

    let round = sampler.ask(&boot);
    assert_eq!((round.disrupted, round.feed(&clock)), (None, Some(Synchronization::Accepted)));

    // What the other answered may be from before.
    let round = sampler.ask(&boot);
    assert!(round.disrupted > Some(round.at));
    assert_eq!(round.feed(&clock), Some(Synchronization::Stale));
    assert_eq!(clock.status(boot.now()), ClockStatus::Disrupted);

    // A daemon that does not get over it does not keep the others from telling the time.
    boot.advance(Duration::from_secs(1));
    let round = sampler.ask(&boot);
    assert_eq!((round.disrupted, round.feed(&clock)), (None, Some(Synchronization::Accepted)));
    assert_eq!(clock.status(boot.now()), ClockStatus::Synchronized);
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

#[test]
fn a_rounds_text_says_what_each_answered_and_what_follows() {
    let clock = ManualClock::default();
    let mut sampler = Sampler::new()
        .with(Fake::new("a", 10), Smearing::Stepped)
        .with(Fake::new("b", 20), Smearing::Stepped)
        .with(Fake::new("liar", 500), Smearing::Stepped)
        .with(Fake::new("fool", 900), Smearing::Stepped)
        .with(Fake::new("c", 30), Smearing::Stepped);
    let around = |ahead: u64| {
        let middle = WallTime::from_nanos((1 << 60) + ahead);
        Interval::around(middle, Duration::from_nanos(100))
    };
    let [a, b, liar, fool, c] = [10, 20, 500, 900, 30].map(around);
    let common = Interval::new(c.earliest(), a.latest()).expect("they overlap");
    assert_eq!(
        sampler.ask(&clock).to_string(),
        format!(
            "a: {a}; b: {b}; liar: {liar}; fool: {fool}; c: {c}; selected: {common}, \
             not believed: liar, fool"
        )
    );
    let alone = Sampler::new().with(Fake::new("a", 10), Smearing::Stepped).ask(&clock);
    assert_eq!(alone.to_string(), format!("a: {a}; selected: {a}"));
}

/// The operating system's reason is told, too: "could not open the socket" alone helps nobody.
#[test]
fn a_rounds_text_says_why_there_is_no_answer() {
    struct Broken;

    impl Source for Broken {
        fn sample(&mut self, _: &dyn MonotonicClock) -> Result<Sample, SourceError> {
            let error = std::io::Error::other("no such device");
            Err(SourceError::Io { action: "open /dev/ptp7".into(), error })
        }

        fn name(&self) -> &str {
            "broken"
        }
    }

    let mut sampler = Sampler::new()
        .with(Broken, Smearing::Stepped)
        .with(Moved { questions: 0, from: 1 }, Smearing::Stepped);
    let nothing = SelectionError::NoSources;
    assert_eq!(
        sampler.ask(&ManualClock::default()).to_string(),
        format!(
            "broken: could not open /dev/ptp7: no such device; moved: not synchronised: the machine \
             was disrupted; the machine was disrupted; nothing selected: {nothing}"
        )
    );
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
        move |round, outcome| {
            assert_eq!(outcome, Some(Synchronization::Accepted));
            reports.send(round.at).expect("the test listens");
        },
    );
    let background = background.expect("there is a thread to be had");
    let first = rounds.recv().expect("it asks at once");
    let second = rounds.recv().expect("and again");
    assert!(first < second);
    assert!(background.is_running());
    assert_eq!(clock.status(boot.now()), ClockStatus::Synchronized);
    drop(background);
    assert!(rounds.iter().all(|at| at > second), "it has ended, and so do the reports");
}

#[test]
fn a_background_thread_whose_report_panics_says_that_it_has_ended() {
    let clock = Arc::new(SharedIntervalClock::new(IntervalClockConfig::default()));
    let sampler = Sampler::new().with(Fake::new("right", 0), Smearing::Stepped);
    let fail = |_: &Round, _| panic!("a panic that is part of a test");
    let boot = Ticking::default();
    let background = Background::spawn(sampler, Arc::clone(&clock), boot, Duration::ZERO, fail);
    let background = background.expect("there is a thread to be had");
    while background.is_running() {
        std::thread::yield_now();
    }
    assert!(clock.get().sample(surmise_time::Instant::ORIGIN).is_ok(), "it had been fed");
    drop(background);
}
