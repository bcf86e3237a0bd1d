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
    ChronyReport { tracking, wall, stepped, between, elapsed, config }
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
