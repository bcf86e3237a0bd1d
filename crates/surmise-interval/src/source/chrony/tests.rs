use super::{tracking::tests::float, *};
use crate::source::Leap;

const US: u64 = 1000;

fn reading(before: u64, wall: u64, after: u64) -> Reading {
    let [before, after] = [before, after].map(|us| Instant::from_nanos(us * US));
    Reading { before, wall: WallTime::from_nanos(wall * US), after }
}

#[test]
fn a_step_is_what_the_two_clocks_do_not_have_in_common() {
    let first = reading(1000, 50_000, 1001);
    for (second, step) in [
        // Each reading took 1 µs, and may have been anywhere within.
        (reading(1100, 50_100, 1101), 2),
        (reading(1100, 50_099, 1101), 2),
        // One step forward, and one back.
        (reading(1100, 50_350, 1101), 251),
        (reading(1100, 50_040, 1101), 61),
        (reading(1100, 49_900, 1101), 201),
        // A clock that was suspended for half a second meanwhile, as both clocks know.
        (reading(501_100, 550_100, 501_101), 2),
    ] {
        assert_eq!(step_between(&first, &second), Duration::from_micros(step), "{second:?}");
    }
}

/// The report of a perfect clock, by which a server is at stratum 1.
fn report() -> ChronyReport {
    let zero = Float::default();
    let wall = WallTime::from_nanos(1_795_253_164_000_000_000);
    let tracking = Tracking {
        reference_id: 0x4750_5300,
        reference_address: None,
        stratum: 1,
        leap: Leap::None,
        reference_time: wall,
        system_time: zero,
        last_offset: zero,
        rms_offset: zero,
        frequency: zero,
        residual_frequency: zero,
        skew: zero,
        root_delay: zero,
        root_dispersion: zero,
        update_interval: zero,
    };
    let config = ChronyConfig::default();
    let between = (Instant::from_nanos(1000), Instant::from_nanos(1000));
    let [stepped, elapsed] = [Duration::ZERO; 2];
    ChronyReport { tracking, wall, stepped, between, elapsed, doubted: None, config }
}

/// What a source on a machine that never slept makes of a perfect clock's answer.
fn source(suspension: Suspension) -> ChronySource {
    ChronySource { suspension, ..ChronySource::new(ChronyConfig::default()) }
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// Asks at an instant, in seconds, a `chronyd` that last measured its reference at another.
fn ask(source: &mut ChronySource, at: u64, measured: f64) -> Result<Sample, SourceError> {
    let seconds = Duration::from_secs(at);
    // The system clock is the true one.
    let wall = report().wall + seconds;
    let now = Instant::ORIGIN + seconds;
    let reading = Reading { before: now, wall, after: now };
    let reference_time = report().wall + Duration::from_secs_f64(measured);
    let answer = Tracking { reference_time, ..report().tracking };
    let exchange = Exchange { answer, sent: now, received: now };
    source.relate(&exchange, &reading, &reading).sample()
}

fn reason(sampled: Result<Sample, SourceError>) -> Option<Unsynchronized> {
    match sampled {
        Ok(_) => None,
        Err(SourceError::Unsynchronized { reason }) => Some(reason),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_clocks_are_related_as_they_were_read() {
    let (before, after) = (reading(1000, 50_000, 1001), reading(1600, 50_650, 1607));
    let [sent, received] = [1100, 1500].map(|us| Instant::from_nanos(us * US));
    let exchange = Exchange { answer: report().tracking, sent, received };
    let related = source(Suspension::never()).relate(&exchange, &before, &after);
    assert_eq!((related.tracking(), related.wall()), (&report().tracking, after.wall));
    assert_eq!(related.between, (after.before, after.after));
    assert_eq!(related.elapsed, micros(507), "from before it was asked until all was read");
    assert_eq!(related.stepped, step_between(&before, &after));
    assert!(related.stepped >= micros(43));
    assert_eq!(related.doubted, None);
}

#[test]
fn what_was_measured_before_a_disruption_is_refused() {
    let mut source = source(Suspension::never());
    assert_eq!(reason(ask(&mut source, 10, 9.0)), None);
    source.disrupted(Instant::ORIGIN + Duration::from_secs(10));
    let disrupted = Some(Unsynchronized::Disrupted);
    assert_eq!(reason(ask(&mut source, 10, 10.0)), disrupted, "just then is not after");
    // At 20 s an age of 9 s makes 10 s of a clock that was slewed by a tenth.
    for measured in [9.0, 10.0, 10.5, 11.0] {
        assert_eq!(reason(ask(&mut source, 20, measured)), disrupted, "{measured}");
    }
    assert_eq!(reason(ask(&mut source, 20, 21.0)), disrupted, "nobody measures in the future");
    assert_eq!(reason(ask(&mut source, 20, 11.01)), None);
    assert_eq!(reason(ask(&mut source, 21, 9.0)), None, "it is over");
    // An earlier one that is told of later takes nothing back.
    source.disrupted(Instant::ORIGIN + Duration::from_secs(30));
    source.disrupted(Instant::ORIGIN + Duration::from_secs(12));
    assert_eq!(reason(ask(&mut source, 32, 29.0)), disrupted);
    assert_eq!(reason(ask(&mut source, 32, 31.0)), None);
}

#[test]
fn what_was_measured_before_a_suspension_was_noticed_is_refused() {
    let mut source = source(Suspension::of_the_past());
    let suspended = Some(Unsynchronized::Suspended);
    assert_eq!(reason(ask(&mut source, 100, 99.0)), suspended, "nobody knows when it slept");
    assert_eq!(reason(ask(&mut source, 110, 100.0)), suspended);
    assert_eq!(reason(ask(&mut source, 110, 105.0)), None);
    assert_eq!(reason(ask(&mut source, 111, 100.0)), None, "noticed once");
}

#[test]
fn a_step_is_no_measurement() {
    let mut source = source(Suspension::never());
    source.disrupted(Instant::from_nanos(1000 * US));
    // The reference was measured 10 µs before that, and the clock went back by 300 µs meanwhile.
    let reference_time = WallTime::from_nanos(49_990 * US);
    let before = reading(1000, 50_000, 1000);
    let exchange = |at| {
        let answer = Tracking { reference_time, ..report().tracking };
        Exchange { answer, sent: at, received: at }
    };
    let after = reading(1400, 50_100, 1400);
    let related = source.relate(&exchange(after.before), &before, &after);
    assert_eq!(related.doubted, Some(Unsynchronized::Disrupted));
    assert_eq!((related.age(), related.stepped), (micros(110), micros(300)));
}

#[test]
fn a_bound_has_all_that_can_have_come_to_it_since_the_report_was_made() {
    let perfect = report().sample().unwrap();
    assert_eq!(perfect.interval(), Interval::around(report().wall, Duration::ZERO));
    assert_eq!((perfect.at(), perfect.drift()), (Instant::from_nanos(1000), Drift::QUARTZ));

    let stepped = ChronyReport { stepped: Duration::from_millis(3), ..report() };
    let slow = ChronyReport { elapsed: Duration::from_secs(1), ..report() };
    // Measured 100 s ago: 50 ppm of that, and as a clock that counts too few would have it.
    let mut old = report();
    old.tracking.reference_time = old.wall - Duration::from_secs(100);
    // In NTP time it was a second more.
    let mut corrected = old.clone();
    corrected.tracking.system_time = float(1.0);
    for (report, nanos) in [
        (stepped, 3_000_000),
        (slow, 50_003),
        (old, 5_000_251),
        (corrected, 1_000_000_000 + 5_050_253),
    ] {
        let bound = Duration::from_nanos(nanos);
        assert_eq!(report.bound().unwrap(), bound);
        assert_eq!(report.sample().unwrap().interval(), Interval::around(report.wall, bound));
    }

    // By when the system clock was read, it is not known to less than that.
    let mut late = report();
    late.between.1 += Duration::from_millis(1);
    let interval = late.sample().unwrap().interval();
    assert!(interval.earliest() <= late.wall - Duration::from_millis(1));
    assert_eq!(interval.latest(), late.wall);
}

/// The cases of ClockBound's own tests, in seconds and milliseconds, for a reference called PHC0.
#[test]
fn the_error_of_a_hardware_clock_counts_if_that_is_the_reference() {
    let [phc0, phc1] = [*b"PHC0", *b"PHC1"].map(u32::from_be_bytes);
    let millis = Duration::from_millis;
    let bound = |reference_id, error| Some(ReferenceBound { reference_id, error: millis(error) });
    let cases = [
        // root delay, root dispersion, correction, the configured error, and the bound
        (3.0, 2.0, 1.0, None, 4_500),
        (3.0, 2.0, -1.0, None, 4_500),
        (3.0, 2.0, 1.0, bound(phc0, 250), 4_750),
        (3.0, 2.0, -1.0, bound(phc0, 250), 4_750),
        (3.0, 2.0, 1.0, bound(phc1, 250), 4_500),
        (3.0, 2.0, -1.0, bound(phc1, 250), 4_500),
        (3.0, 2.0, 1.0, bound(phc0, 0), 4_500),
        (0.0, 0.0, 0.0, bound(phc0, 250), 250),
        (0.0, 0.0, 0.0, bound(phc0 ^ 1, 250), 0),
    ];
    for (root_delay, root_dispersion, system_time, reference_bound, expected) in cases {
        let mut report = report();
        report.config = ChronyConfig { reference_bound, ..report.config };
        report.tracking = Tracking {
            reference_id: phc0,
            root_delay: float(root_delay),
            root_dispersion: float(root_dispersion),
            system_time: float(system_time),
            ..report.tracking
        };
        // Measured at this very moment of NTP time, so that nothing else comes to it.
        let correction = report.tracking.system_time.magnitude();
        report.tracking.reference_time =
            if system_time < 0.0 { report.wall - correction } else { report.wall + correction };
        assert_eq!(report.age(), Duration::ZERO);
        assert_eq!(report.bound().unwrap(), millis(expected));
        let interval = Interval::around(report.wall, millis(expected));
        assert_eq!(report.sample().unwrap().interval(), interval);
    }
    let absurd =
        Some(ReferenceBound { reference_id: report().tracking.reference_id, error: Duration::MAX });
    let mut report = report();
    report.config.reference_bound = absurd;
    assert_eq!(report.bound().unwrap(), Duration::MAX);
}

#[test]
fn a_leap_second_that_is_due_extends_the_interval() {
    let mut report = report();
    report.tracking.leap = Leap::Insert;
    let interval = report.sample().unwrap().interval();
    assert_eq!(interval.earliest() + Duration::from_secs(1), report.wall);
    assert_eq!(interval.latest(), report.wall);
}
