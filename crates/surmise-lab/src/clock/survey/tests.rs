use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{io, sync::Arc};

use surmise_interval::{
    Drift, Interval,
    select::Smearing,
    source::{SourceError, Unsynchronized},
};
use surmise_time::{ManualClock, ManualWallClock};

use super::*;
use crate::clock::{
    probe::{Absent, Silence},
    table,
};

/// Where the system clock stands, before any time has passed.
const WALL: WallTime = WallTime::from_nanos(1_795_230_725_000_000_000);

type Answer = fn(Instant) -> Result<Sample, Silence>;

/// A source that says whatever a test wants.
struct Fake {
    name: &'static str,
    answer: Answer,
    age: Option<Duration>,
    details: &'static str,
    smearing: Smearing,
    pause: Duration,
    vote: Vote,
    asked: Arc<AtomicU64>,
}

impl Probe for Fake {
    fn name(&self) -> &str {
        self.name
    }

    fn ask(&mut self, clock: &dyn MonotonicClock) -> Report {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let Self { age, details, .. } = *self;
        Report { answer: (self.answer)(clock.now()), age, details: details.to_owned() }
    }

    fn pause(&self) -> Duration {
        self.pause
    }

    fn smearing(&self) -> Smearing {
        self.smearing
    }

    fn vote(&self) -> Vote {
        self.vote
    }
}

fn fake(name: &'static str, answer: Answer) -> Fake {
    let (smearing, pause, asked) = (Smearing::Stepped, Duration::ZERO, Arc::default());
    Fake { name, answer, age: None, details: "", smearing, pause, vote: Vote::Own, asked }
}

/// Returns a sample whose middle is so many microseconds from the system clock.
#[expect(clippy::unnecessary_wraps, reason = "that is what an answer is")]
fn around(at: Instant, offset: i64, bound: u64) -> Result<Sample, Silence> {
    let wall = WALL + (at - Instant::ORIGIN);
    let middle = wall.as_nanos().saturating_add_signed(offset * 1_000);
    let interval = Interval::around(WallTime::from_nanos(middle), Duration::from_micros(bound));
    Ok(Sample::new(interval, at, Drift::SPANNER))
}

fn survey(fakes: impl IntoIterator<Item = Fake>) -> Survey {
    Survey::new(fakes.into_iter().map(|fake| Box::new(fake) as Box<dyn Probe>).collect())
}

/// Returns the moment at which so many seconds have passed.
fn moment(seconds: u64) -> Moment {
    let passed = Duration::from_secs(seconds);
    Moment { at: Instant::ORIGIN + passed, wall: WALL + passed }
}

/// Two that agree, one that does not, and one of each kind that says nothing.
fn all_kinds() -> Survey {
    let mut fakes = vec![
        Fake {
            age: Some(Duration::from_millis(1500)),
            details: "stratum 3",
            ..fake("chrony", |at| around(at, 250, 2_000))
        },
        fake("ntp 192.0.2.1", |at| around(at, -1_000, 4_000)),
        Fake { details: "stratum 16", ..fake("ntp wrong", |at| around(at, 50_000, 500)) },
    ];
    let silent: [Answer; 5] = [
        |_| Err(SourceError::NoAnswer { waited: Duration::from_secs(1) }.into()),
        |_| {
            let error = io::Error::other("no such device");
            Err(SourceError::Io { action: "open /dev/ptp7".into(), error }.into())
        },
        |_| {
            let (age, max) = (Duration::from_secs(9_000), Duration::from_secs(8_192));
            Err(SourceError::Stale { age, max }.into())
        },
        |_| Err(SourceError::from(Unsynchronized::LeapStatus).into()),
        |_| Err(Silence::NotAsked("tells of other things".to_owned())),
    ];
    fakes.extend(silent.map(|answer| Fake { details: "more", ..fake("silent", answer) }));
    let mut survey = survey(fakes);
    let (name, why) = ("phc".to_owned(), "there is no /dev/ptp0".to_owned());
    survey.entries.push(Entry { probe: Box::new(Absent { name, why }), last: None });
    survey
}

#[test]
fn a_table_says_what_each_source_says_and_why_not() {
    let mut survey = all_kinds();
    survey.ask(&ManualClock::default());
    let text = table::describe(&survey.view(moment(10)));
    let expected = "\
┌───────────────────────────────────────────────────────────────────────────────────────────────┐
│ source          offset     bound     age      status        what it says                      │
╞═══════════════════════════════════════════════════════════════════════════════════════════════╡
│ chrony           +250 µs   4.00 ms   11.5 s   agrees        stratum 3                         │
│ ntp 192.0.2.1   −1.00 ms   6.00 ms        –   agrees                                          │
│ ntp wrong       +50.0 ms   2.50 ms        –   falseticker   stratum 16                        │
│ silent                 –         –        –   silent        no answer within 1s (more)        │
│ silent                 –         –        –   silent        could not open /dev/ptp7: no such │
│                                                             device (more)                     │
│ silent                 –         –        –   silent        9000s old, which exceeds 8192s    │
│                                                             (more)                            │
│ silent                 –         –        –   silent        not synchronised: the leap status │
│                                                             says so (more)                    │
│ silent                 –         –        –   silent        tells of other things (more)      │
│ phc                    –         –        –   silent        there is no /dev/ptp0             │
└───────────────────────────────────────────────────────────────────────────────────────────────┘
Selected: +250 µs ± 4.00 ms, by chrony and ntp 192.0.2.1. Falsetickers: ntp wrong.
It is between 2026-11-21T03:12:14.996249599Z and 2026-11-21T03:12:15.004250401Z.
";
    assert_eq!(text, expected);
}

#[test]
fn what_marzullo_selects_is_shown_where_it_is_something_else() {
    // Two share most of their time, and the third only the last microsecond of it.
    let mut survey = survey([
        fake("a", |at| around(at, 0, 10)),
        fake("b", |at| around(at, 2, 10)),
        fake("c", |at| around(at, 14, 5)),
    ]);
    survey.ask(&ManualClock::default());
    let text = table::describe(&survey.view(moment(0)));
    let expected = "
By Marzullo's algorithm: +9.50 µs ± 500 ns, by a, b and c. Falsetickers: none.
";
    assert!(text.contains("Selected: +2.00 µs ± 10.0 µs, by a, b and c."), "{text}");
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn sources_are_compared_at_one_moment_however_long_ago_they_answered() {
    let clock = ManualClock::default();
    let paused = Fake { pause: Duration::from_secs(64), ..fake("a", |at| around(at, 100, 1_000)) };
    let asked = Arc::clone(&paused.asked);
    let mut survey = survey([paused, fake("b", |at| around(at, 200, 1_000))]);
    for (second, times) in [(0, 1), (1, 1), (63, 1), (64, 2), (127, 2), (128, 3)] {
        clock.set(moment(second).at);
        survey.ask(&clock);
        assert_eq!(asked.load(Ordering::SeqCst), times, "after {second} s");
        let view = survey.view(moment(second));
        let times: Vec<TimeView> = view.sources.iter().filter_map(|row| row.time).collect();
        let age = second % 64;
        // It grows by 200 µs/s, and a little more since the rate is a quotient.
        let bound = 1_000_000 + age * 200_040 + u64::from(age > 0);
        assert!(times[0].bound_ns.abs_diff(bound) <= 2, "{times:?} after {second} s");
        assert_eq!(times[1].bound_ns, 1_000_000);
        assert!(times[0].offset_ns.abs_diff(100_000) <= 1 && times[1].offset_ns == 200_000);
    }
}

#[test]
fn an_age_grows_from_what_the_source_said_it_was() {
    let clock = ManualClock::default();
    let old = Fake { age: Some(Duration::from_secs(5)), ..fake("a", |at| around(at, 0, 1)) };
    let mut survey = survey([old, fake("b", |at| around(at, 0, 1))]);
    survey.ask(&clock);
    let view = survey.view(moment(7));
    assert_eq!(view.sources[0].age_ns, Some(12_000_000_000));
    assert_eq!(view.sources[1].age_ns, None);
}

#[test]
fn nothing_is_selected_without_sources_or_a_majority() {
    let error = |fakes: Vec<Fake>| {
        let mut survey = survey(fakes);
        survey.ask(&ManualClock::default());
        let view = survey.view(moment(0));
        assert!(view.selection.is_none());
        assert!(view.sources.iter().all(|row| row.status != Status::Agrees));
        (view.selection_error.unwrap(), view.marzullo.map(|selected| selected.time))
    };
    assert_eq!(error(vec![]), ("no time source says what time it is".to_owned(), None));
    let silent: Answer = |_| Err(Silence::NotAsked("tells of other things".to_owned()));
    assert_eq!(error(vec![fake("a", silent)]).0, "no time source says what time it is");
    let apart = vec![fake("a", |at| around(at, 0, 10)), fake("b", |at| around(at, 100, 10))];
    assert_eq!(
        error(apart),
        ("the two time sources contradict each other, and either may be wrong".to_owned(), None)
    );
    let smeared = Fake { smearing: Smearing::Smeared, ..fake("b", |at| around(at, 0, 10)) };
    let mixed = vec![fake("a", |at| around(at, 0, 10)), smeared];
    assert_eq!(error(mixed).0, "of the time sources 1 smear leap seconds and 1 do not");
}

#[test]
fn sources_of_one_name_are_told_apart() {
    let mut survey = survey([
        fake("ntp", |at| around(at, 0, 10)),
        fake("ntp", |at| around(at, 1, 10)),
        fake("ntp", |at| around(at, 900, 10)),
    ]);
    survey.ask(&ManualClock::default());
    let view = survey.view(moment(0));
    let status: Vec<_> = view.sources.iter().map(|row| row.status).collect();
    assert_eq!(status, [Status::Agrees, Status::Agrees, Status::Falseticker]);
    let selection = view.selection.unwrap();
    assert_eq!((selection.agreeing.len(), selection.falsetickers.len()), (2, 1));
}

#[test]
fn what_one_daemon_knows_has_one_vote() {
    let silent: Answer = |_| Err(Silence::NotAsked(String::new()));
    let far: Answer = |at| around(at, 90_000, 10);
    let statuses = |chrony: Answer, clock_bound: Answer| {
        let of_the_system_clock = |name, rank, answer| {
            let vote = Vote::SystemClock(rank);
            Fake { vote, ..fake(name, answer) }
        };
        let mut survey = survey([
            of_the_system_clock("kernel", 2, far),
            of_the_system_clock("clock-bound", 1, clock_bound),
            of_the_system_clock("chrony", 0, chrony),
            fake("ntp a", |at| around(at, 0, 1_000)),
            fake("ntp b", |at| around(at, 10, 1_000)),
        ]);
        survey.ask(&ManualClock::default());
        survey.view(moment(0)).sources.iter().map(|row| row.status).collect::<Vec<_>>()
    };
    use Status::{Agrees, Falseticker, Silent, Uncounted};
    // Three to two, if each were counted.
    assert_eq!(statuses(far, far), [Uncounted, Uncounted, Falseticker, Agrees, Agrees]);
    assert_eq!(statuses(silent, far), [Uncounted, Falseticker, Silent, Agrees, Agrees]);
    assert_eq!(statuses(silent, silent), [Falseticker, Silent, Silent, Agrees, Agrees]);
}

/// Tells of a disruption when it is asked the second and the third time.
struct Moved {
    asked: u32,
}

impl Probe for Moved {
    fn name(&self) -> &str {
        "vmclock"
    }

    fn ask(&mut self, _clock: &dyn MonotonicClock) -> Report {
        self.asked += 1;
        Report::silent(Silence::NotAsked(String::new()))
    }

    fn tells_of_disruption(&self) -> bool {
        matches!(self.asked, 2 | 3)
    }
}

#[test]
fn after_a_disruption_all_are_asked_anew() {
    let paused = Fake { pause: Duration::from_secs(64), ..fake("a", |at| around(at, 0, 10)) };
    let asked = Arc::clone(&paused.asked);
    let mut survey = survey([paused]);
    survey.entries.push(Entry { probe: Box::new(Moved { asked: 0 }), last: None });
    for times in [1, 3, 3] {
        survey.ask(&ManualClock::default());
        assert_eq!(asked.load(Ordering::SeqCst), times);
        assert!(survey.view(moment(0)).sources[0].time.is_some());
    }
}

#[test]
fn what_a_suspension_has_to_do_with_it_is_explained() {
    let silence = Silence::from(SourceError::from(Unsynchronized::Suspended)).to_string();
    assert!(silence.contains("suspended") && silence.ends_with("see --live"), "{silence}");
}

/// All are asked at the same time: each waits until the others have been asked, too.
#[test]
fn sources_do_not_wait_for_each_other() {
    struct Waiting(Arc<std::sync::Barrier>);

    impl Probe for Waiting {
        fn name(&self) -> &str {
            "waiting"
        }

        fn ask(&mut self, _clock: &dyn MonotonicClock) -> Report {
            self.0.wait();
            Report::silent(Silence::NotAsked(String::new()))
        }
    }

    let barrier = Arc::new(std::sync::Barrier::new(5));
    let waiting = || Box::new(Waiting(Arc::clone(&barrier))) as Box<dyn Probe>;
    let mut survey = Survey::new((0..5).map(|_| waiting()).collect());
    survey.ask(&ManualClock::default());
    assert_eq!(survey.view(moment(0)).sources.len(), 5);
}

/// The second attempt is not interrupted between the two clocks.
#[test]
fn a_moment_is_read_as_closely_together_as_it_succeeds() {
    struct Interrupted(AtomicU64);

    impl MonotonicClock for Interrupted {
        fn now(&self) -> Instant {
            let readings = [0, 900, 1_000, 1_010, 2_000, 2_100, 3_000, 3_010, 4_000, 4_011];
            let next = self.0.fetch_add(1, Ordering::SeqCst);
            Instant::from_nanos(readings[usize::try_from(next).unwrap()])
        }
    }

    let read = Moment::read(&Interrupted(AtomicU64::new(0)), &ManualWallClock::new(WALL));
    assert_eq!((read.at, read.wall), (Instant::from_nanos(1_000), WALL));
}
