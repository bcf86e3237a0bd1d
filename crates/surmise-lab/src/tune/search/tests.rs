use quickcheck::quickcheck;

use super::*;
use crate::{
    compare::timeline::Timeline,
    trace::shipped,
    tune::{
        samples::{INTERVAL, jitter, timeline},
        trial::Trial,
    },
};

/// Returns the kinds' settings for a detection time, after 1, 2, … parts.
fn settings(history: &History<'_>, kind: Kind, detection_time: u64) -> Vec<Option<Setting>> {
    let mut family = Family::new(kind, history).unwrap();
    let parts = 1..=PARTS;
    parts.map(|parts| family.slowest(history, parts, detection_time).unwrap()).collect()
}

#[test]
fn numbers_are_rounded_down_to_their_first_digits() {
    for (number, digits, rounded) in [
        (0, 3, 0),
        (7, 3, 7),
        (999, 3, 999),
        (1_000, 3, 1_000),
        (2_999_610_442, 3, 2_990_000_000),
        (3_000_000_000, 3, 3_000_000_000),
        (2_999_610_442, 6, 2_999_610_000),
        (u64::MAX, 3, 18_400_000_000_000_000_000),
    ] {
        assert_eq!(round_down(number, digits), rounded, "{number}");
    }
}

#[test]
fn a_timeout_leaves_twice_the_worst_lateness_free() {
    let late = timeline(600, |sequence| Some(if sequence == 300 { 80_000_000 } else { 0 }));
    let history = History::new(&late).unwrap();
    let timeout = |nanos| settings(&history, Kind::Fixed, nanos).pop().flatten();
    let setting = timeout(500_000_000).unwrap();
    assert_eq!((setting.point.parameter, setting.limit), (0.34, 340_000_000));
    assert_eq!(timeout(160_000_001).unwrap().limit, 1);
    for kind in Kind::ALL {
        assert_eq!(settings(&history, kind, 160_000_000).pop(), Some(None), "{kind:?}");
    }
}

#[test]
fn every_detector_keeps_the_detection_time_and_no_slower_one_does() {
    for trace in shipped() {
        let timeline = Timeline::new(&trace, false, 1 << 40).unwrap();
        let history = History::new(&timeline).unwrap();
        let lateness = history.nanos(history.parts[PARTS - 1].lateness);
        for kind in Kind::ALL {
            let detection_time = 2 * lateness + 4 * INTERVAL;
            let Some(setting) = settings(&history, kind, detection_time).pop().flatten() else {
                continue;
            };
            let worst = |point: Point| {
                let patience = history.patience(point).unwrap();
                let detection = |(arrival, &patience): (&Arrival, &u64)| {
                    (patience, u64::try_from(arrival.late + i128::from(patience)).unwrap())
                };
                let each: Vec<_> = history.arrivals.iter().zip(&patience).map(detection).collect();
                let patience = each.iter().map(|(patience, _)| *patience).max().unwrap();
                (patience, each.iter().map(|(_, time)| *time).max().unwrap())
            };
            let (patience, time) = worst(setting.point);
            let case = format!("{} {setting:?}: {patience} {time}", trace.name);
            assert!(time + history.ticks(lateness) <= history.ticks(detection_time), "{case}");
            if kind == Kind::Chen {
                assert!(patience - history.ticks(setting.limit) <= patience / 10_000, "{case}");
                continue;
            }
            assert!(patience <= history.ticks(setting.limit), "{case}");
            // The next one of those that were tried waits longer than it may.
            let next = if kind.is_time() {
                Some(in_nanos(kind, round(setting.point.parameter * 1.011 * 1e9)))
            } else {
                let sweep = kind.sweep(history.timeline.interval_seconds());
                let found = |point: &Point| rounded(*point) == setting.point;
                let index = sweep.iter().position(found).unwrap();
                sweep.get(index + 1).copied().map(rounded)
            };
            if let Some(next) = next {
                assert!(worst(next).0 > history.ticks(setting.limit), "{case}: {next:?}");
            }
        }
    }
}

#[test]
fn chens_detector_leaves_as_much_free_as_its_schedule_was_off() {
    use crate::trace::{HeartbeatRecord, Trace};
    // For a while the sender is 60 ms behind its schedule; no heartbeat is late.
    let beats = (0..1_200).map(|sequence| {
        let behind = if (300..700).contains(&sequence) { 60_000_000 } else { 0 };
        let sent = sequence * INTERVAL + behind;
        HeartbeatRecord::new(sequence, Some(sent), Some(sent))
    });
    let timeline = Timeline::new(&Trace::new("t", beats.collect()), false, 1 << 40).unwrap();
    let history = History::new(&timeline).unwrap();
    assert_eq!(history.lateness(), 0.0);
    let setting = settings(&history, Kind::Chen, 500_000_000).pop().flatten().unwrap();
    let mut times = history.patience(setting.point).unwrap();
    times.sort_unstable();
    let (worst, median) = (times[times.len() - 1], times[times.len() / 2]);
    let off = worst - median;
    assert!(off > history.ticks(5_000_000), "{off}");
    let free = history.ticks(500_000_000) - worst;
    // The margin is rounded to milliseconds.
    assert!((off..off + history.ticks(1_000_000)).contains(&free), "{free} {off}");
}

#[test]
fn what_is_held_back_teaches_nothing() {
    let calm = timeline(800, |sequence| Some(jitter(sequence)));
    // From the fourth part on, heartbeats are late and lost; but not so late that it changes what is kept free.
    let rough = timeline(800, |sequence| match sequence {
        0..530 | 799 => Some(jitter(sequence)),
        _ if sequence % 7 < 3 => None,
        _ => Some(jitter(sequence) + 15_000_000),
    });
    let [calm, rough] = [&calm, &rough].map(|timeline| History::new(timeline).unwrap());
    for kind in Kind::ALL {
        let [calm, rough] = [&calm, &rough].map(|history| settings(history, kind, 900_000_000));
        assert_eq!(calm[..3], rough[..3], "{kind:?}");
        assert_ne!(calm[4], rough[4], "{kind:?}");
    }
}

#[test]
fn lateness_that_grew_is_kept_free_on_the_parts_before() {
    let growing = timeline(800, |sequence| {
        Some(match sequence {
            // In the first part, and in the third.
            150 => 20_000_000,
            450 => 90_000_000,
            _ => 0,
        })
    });
    let history = History::new(&growing).unwrap();
    let limits = settings(&history, Kind::Fixed, 1_000_000_000);
    let limits = limits.into_iter().map(|setting| setting.unwrap().limit).collect::<Vec<_>>();
    // 20 + 70 twice, and then 2 * 90.
    assert_eq!(limits, [910, 910, 820, 820, 820].map(|millis| millis * 1_000_000));
    for kind in Kind::ALL {
        let mut family = Family::new(kind, &history).unwrap();
        let trial = Trial::new(&mut family, &history, 1_000_000_000).unwrap().unwrap();
        assert!(trial.held_back.detection_time_max <= 1.0, "{kind:?}: {trial:?}");
    }
}

#[test]
fn chens_detector_keeps_free_what_a_longer_route_took_later_on() {
    let route = |sequence: u64| Some(if (500..900).contains(&sequence) { 60_000_000 } else { 0 });
    let timeline = timeline(1_200, route);
    let history = History::new(&timeline).unwrap();
    let mut family = Family::new(Kind::Chen, &history).unwrap();
    let trial = Trial::new(&mut family, &history, 500_000_000).unwrap().unwrap();
    for tally in [&trial.held_back, &trial.whole] {
        assert!(tally.detection_time_max <= 0.5, "{trial:?}");
    }
    // As long as no heartbeat is later than that, it is kept, whatever was learned.
    assert!(trial.setting.limit <= 500_000_000 - 60_000_000, "{trial:?}");
}

quickcheck! {
    fn a_margin_shifts_the_patience_as_a_replay_does(margin: u32, tail: u8) -> bool {
        let timeline = timeline(500, |sequence| {
            let late = if sequence % 97 == 0 { u64::from(tail) * 3_000_000 } else { 0 };
            (sequence % 31 != 0).then(|| jitter(sequence) + late)
        });
        let history = History::new(&timeline).unwrap();
        [Kind::Fixed, Kind::Chen, Kind::TwoWindow].into_iter().all(|kind| {
            let point = in_nanos(kind, u64::from(margin).max(1));
            let family = Family::new(kind, &history).unwrap();
            let shifted = family.patience(&history, point).unwrap();
            let replayed = history.patience(point).unwrap();
            // A detector waits for a tick at least, which a replay does not count.
            shifted.iter().zip(&replayed).all(|(a, b)| a == b || (*a <= 1 && *b == 0))
        })
    }
}

#[test]
fn parameters_are_short_enough_to_be_read() {
    for kind in Kind::ALL {
        for point in kind.sweep(0.1) {
            let short = rounded(point);
            let text = match kind {
                Kind::Exponential => format!("{:e}", 1.0 - short.parameter),
                _ => format!("{:e}", short.parameter),
            };
            let near = (short.parameter / point.parameter - 1.0).abs() < 0.006;
            assert!(near, "{point:?} {short:?}");
            let is_short = text.split('e').next().unwrap().len() <= 8;
            assert!(is_short || kind == Kind::Exponential, "{kind:?}: {text}");
        }
    }
}
