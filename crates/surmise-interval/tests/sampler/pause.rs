//! Sources that are left alone for some time after they were asked.

use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicI64, AtomicU32, Ordering},
    time::Duration,
};

use surmise_interval::{
    ClockError, ClockStatus, Drift, IntervalClockConfig, Sample, Synchronization,
    sampler::{Round, Sampler},
    select::Smearing,
    source::{Source, SourceError},
    sync::SharedIntervalClock,
};
use surmise_time::{Instant, ManualClock, MonotonicClock};

use crate::{Fake, Moved};

const SECOND: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_secs(64);
const ACCEPTED: Option<Synchronization> = Some(Synchronization::Accepted);
const STALE: Option<Synchronization> = Some(Synchronization::Stale);

/// A source that counts how often it is asked, and says what a test has it say meanwhile.
#[derive(Clone)]
struct Server {
    asked: Arc<AtomicU32>,
    /// How far it is ahead of the truth; silent at the least number.
    ahead: Arc<AtomicI64>,
    drift: Drift,
}

impl Server {
    fn new() -> Self {
        Self { asked: Arc::default(), ahead: Arc::default(), drift: Drift::QUARTZ }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    fn say(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }

    fn with_pause(&self) -> Sampler {
        Sampler::new().with_pause(self.clone(), Smearing::Stepped, PAUSE)
    }
}

impl Source for Server {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let ahead = Some(self.ahead.load(Ordering::Relaxed)).filter(|ahead| *ahead != i64::MIN);
        Fake { name: "server", ahead, drift: self.drift }.sample(clock)
    }

    fn name(&self) -> &str {
        "server"
    }
}

fn clock() -> SharedIntervalClock {
    SharedIntervalClock::new(IntervalClockConfig::default())
}

/// Asks every second for so long, and returns the last round.
fn ask_for(sampler: &mut Sampler, boot: &ManualClock, seconds: u32) -> Round {
    for _ in 1..seconds {
        sampler.ask(boot);
        boot.advance(SECOND);
    }
    let round = sampler.ask(boot);
    boot.advance(SECOND);
    round
}

#[test]
fn a_source_is_left_alone_and_what_it_said_is_used_again() {
    let (boot, server) =
        (ManualClock::default(), Server { drift: Drift::SPANNER, ..Server::new() });
    let fresh = Fake { drift: Drift::NTP, ..Fake::new("fresh", 10) };
    let mut sampler = server.with_pause().with(fresh, Smearing::Stepped);
    let said = sampler.ask(&boot).answers[0].sample.as_ref().ok().copied().expect("it answers");
    boot.advance(SECOND);

    let round = ask_for(&mut sampler, &boot, 63);
    let last = Instant::ORIGIN + SECOND * 63;
    assert_eq!((server.asked(), round.at), (1, last));
    let [reused, fresh] = round.answers.as_slice() else { panic!("{round}") };
    assert_eq!((reused.asked, fresh.asked), (Instant::ORIGIN, last));
    assert_eq!(reused.sample.as_ref().ok(), Some(&said));
    // 63 s at 200 ppm is more than the other is away, so that the fresh one is what both agree on.
    let sample = round.sample().expect("they agree");
    assert_eq!(Some(sample.interval()), fresh.sample.as_ref().ok().map(Sample::interval));
    assert_eq!((sample.at(), sample.drift()), (last, Drift::SPANNER));

    let round = sampler.ask(&boot);
    assert_eq!((server.asked(), round.answers[0].asked), (2, boot.now()));
}

#[test]
fn a_source_that_fails_is_left_alone_too_and_says_why_all_the_time() {
    let (boot, server) = (ManualClock::default(), Server::new());
    server.say(i64::MIN);
    let mut sampler = server.with_pause();
    let round = ask_for(&mut sampler, &boot, 64);
    assert_eq!((server.asked(), round.sample()), (1, None));
    assert!(round.to_string().starts_with("server: no answer within 1s; "), "{round}");

    server.say(0);
    assert!(sampler.ask(&boot).sample().is_some());
    assert_eq!(server.asked(), 2);
}

/// A clock goes by when the source answered, not by when the sampler last looked at that.
#[test]
fn what_is_used_again_is_no_news() {
    let (boot, server, clock) = (ManualClock::default(), Server::new(), clock());
    let mut sampler = server.with_pause();
    let round = sampler.ask(&boot);
    assert_eq!(round.feed(&clock), ACCEPTED);
    boot.advance(SECOND * 61);
    let again = sampler.ask(&boot);
    assert_eq!((again.at, again.sample()), (round.at, round.sample()));
    assert_eq!(again.feed(&clock), STALE);
    assert_eq!(clock.status(boot.now()), ClockStatus::FreeRunning);
    // A clock that was not fed before is told.
    assert_eq!(again.feed(&self::clock()), ACCEPTED);
}

/// Two answers in a row settle a contradiction, and not one answer twice.
#[test]
fn what_is_used_again_does_not_vouch_for_itself() {
    let (boot, server, clock) = (ManualClock::default(), Server::new(), clock());
    let mut sampler = server.with_pause();
    assert_eq!(sampler.ask(&boot).feed(&clock), ACCEPTED);
    server.say(1_000_000_000);
    boot.advance(PAUSE);
    let contradicted = sampler.ask(&boot).feed(&clock);
    assert!(matches!(contradicted, Some(Synchronization::Contradicted { .. })));
    boot.advance(SECOND);
    assert_eq!(sampler.ask(&boot).feed(&clock), STALE);
    assert_eq!(clock.status(boot.now()), ClockStatus::Disrupted);
    boot.advance(PAUSE);
    assert_eq!(sampler.ask(&boot).feed(&clock), ACCEPTED);
    assert_eq!(server.asked(), 3);
}

#[test]
fn after_a_disruption_those_that_answered_are_asked_anew() {
    let (boot, server, silent, clock) =
        (ManualClock::default(), Server::new(), Server::new(), clock());
    silent.say(i64::MIN);
    let mut sampler = server
        .with_pause()
        .with_pause(silent.clone(), Smearing::Stepped, PAUSE)
        .with_pause(Moved { questions: 0, from: 2 }, Smearing::Stepped, SECOND * 2)
        .with_falsetickers(0);
    assert_eq!(sampler.ask(&boot).feed(&clock), ACCEPTED);

    boot.advance(SECOND * 2);
    let round = sampler.ask(&boot);
    assert_eq!((server.asked(), round.disrupted > Some(boot.now())), (1, true));
    assert_eq!(round.feed(&clock), STALE);
    boot.advance(SECOND);
    let round = sampler.ask(&boot);
    assert_eq!((round.disrupted, round.feed(&clock)), (None, ACCEPTED), "told again, heard once");
    // Not the one that did not answer: it said nothing that does not hold now.
    assert_eq!((server.asked(), silent.asked()), (2, 1));
}

/// By somebody who has no sampler to tell.
#[test]
fn a_clock_that_is_disrupted_otherwise_is_not_told_what_was_said_before() {
    let (boot, server, clock) = (ManualClock::default(), Server::new(), clock());
    let mut sampler = server.with_pause().with(Fake::new("fresh", 0), Smearing::Stepped);
    assert_eq!(sampler.ask(&boot).feed(&clock), ACCEPTED);
    boot.advance(SECOND);
    clock.disrupt(boot.now());
    boot.advance(SECOND);
    assert_eq!(sampler.ask(&boot).feed(&clock), STALE);
    assert_eq!(clock.now(boot.now()), Err(ClockError::Disrupted));
    boot.advance(PAUSE);
    assert_eq!(sampler.ask(&boot).feed(&clock), ACCEPTED);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disruption_before_a_round_ends_all_pauses() {
    use surmise_interval::source::vmclock::{DisruptionWatch, VmClock};

    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("vmclock0");
    let (boot, server, clock) = (ManualClock::default(), Server::new(), clock());
    let mut sampler = server.with_pause().with_watch(DisruptionWatch::new(VmClock::new(&path)));
    crate::disruption::write_page(&path, 1);
    assert_eq!(sampler.ask(&boot).feed(&clock), ACCEPTED);
    boot.advance(SECOND);
    crate::disruption::write_page(&path, 2);
    let round = sampler.ask(&boot);
    assert_eq!((round.disrupted, server.asked()), (Some(boot.now()), 2));
    assert_eq!(round.feed(&clock), ACCEPTED);
}
