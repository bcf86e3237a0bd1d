use super::*;
use crate::{
    compare::{catalogue::Kind, timeline::Timeline},
    trace::shipped,
    tune::samples::{jitter, timeline},
};

fn trial(history: &History<'_>, kind: Kind, detection_time: u64) -> Option<Trial> {
    Trial::new(&mut Family::new(kind, history).unwrap(), history, detection_time).unwrap()
}

fn assert_near(a: f64, b: f64, case: &str) {
    assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-3), "{case}: {a} and {b}");
}

#[test]
fn the_whole_trace_is_scored_as_compare_does() {
    let mut cases = 0;
    for trace in shipped() {
        let timeline = Timeline::new(&trace, false, 1 << 40).unwrap();
        let history = History::new(&timeline).unwrap();
        for kind in Kind::ALL {
            for detection_time in [600_000_000, 2_000_000_000, 15_000_000_000] {
                let Some(trial) = trial(&history, kind, detection_time) else { continue };
                // Chen's limit is rounded down, so that it may cut a little.
                if kind == Kind::Chen {
                    continue;
                }
                let mut detector = trial.setting.point.detector(&timeline).unwrap();
                let quality = timeline.replay(detector.as_mut());
                let case = format!("{} {kind:?} {detection_time}", trace.name);
                assert_eq!(trial.whole.counted.mistakes, quality.mistakes(), "{case}");
                assert_near(trial.whole.counted.span, quality.span(), &case);
                // But for what the clocks drifted apart.
                let drifted = history.drift.abs() * history.span() * 1.5 + 1e-9;
                let whole = [trial.whole.detection_time, trial.whole.detection_time_max];
                let theirs = [quality.detection_time(), quality.detection_time_max()];
                let apart = |(own, theirs): (&f64, &f64)| (own - theirs).abs() <= drifted;
                assert!(whole.iter().zip(&theirs).all(apart), "{case}: {whole:?} {theirs:?}");
                assert!(drifted < 2e-3, "{case}: {drifted}");
                assert_near(trial.whole.mistake_duration, quality.mistake_duration(), &case);
                assert_eq!(trial.whole.closest_call > 1.0, quality.mistakes() > 0, "{case}");
                cases += 1;
            }
        }
    }
    assert!(cases > 50, "{cases}");
}

#[test]
fn no_detector_that_counts_from_the_last_arrival_errs_less_than_a_timeout() {
    for trace in shipped() {
        let timeline = Timeline::new(&trace, false, 1 << 40).unwrap();
        let history = History::new(&timeline).unwrap();
        for detection_time in [300_000_000, 600_000_000, 2_000_000_000, 12_000_000_000] {
            let fixed = trial(&history, Kind::Fixed, detection_time);
            for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Chen) {
                let Some(other) = trial(&history, kind, detection_time) else { continue };
                let fixed = fixed.as_ref().unwrap();
                for (fixed, other) in
                    [(&fixed.whole, &other.whole), (&fixed.held_back, &other.held_back)]
                {
                    assert!(fixed.counted.mistakes <= other.counted.mistakes, "{kind:?}");
                }
            }
        }
    }
}

#[test]
fn a_detector_may_cluster_more_than_a_timeout_and_never_less() {
    let (mut more, mut pairs) = (0, 0);
    for trace in shipped() {
        let timeline = Timeline::new(&trace, false, 1 << 40).unwrap();
        let history = History::new(&timeline).unwrap();
        for detection_time in [300_000_000, 600_000_000, 2_000_000_000] {
            let Some(fixed) = trial(&history, Kind::Fixed, detection_time) else { continue };
            let clusters = fixed.whole.counted.dispersion;
            for kind in Kind::ALL {
                let Some(other) = trial(&history, kind, detection_time) else { continue };
                let own = other.whole.counted.dispersion;
                assert!(own >= clusters, "{kind:?} {own} {clusters}");
                more += u32::from(own > clusters && kind != Kind::Chen);
                pairs += 1;
            }
        }
    }
    assert!(more > 0 && pairs > 20, "{more} {pairs}");
}

#[test]
fn mistakes_count_in_the_part_in_which_they_began() {
    // 3 s of silence in the first part of the scored 50 s, and 4 and 5 s in later ones.
    let timeline = timeline(600, |sequence| {
        let is_lost = matches!(sequence, 110..140 | 300..340 | 520..570);
        (!is_lost).then(|| jitter(sequence))
    });
    let history = History::new(&timeline).unwrap();
    let trial = trial(&history, Kind::Fixed, 1_040_000_000).unwrap();
    assert_eq!(trial.setting.point.parameter, 1.0);
    assert_eq!(trial.whole.counted.mistakes, 3);
    assert_eq!(trial.held_back.counted.mistakes, 2);
    assert_near(trial.held_back.counted.span, trial.whole.counted.span * 0.8, "span");
    // A silence goes on for an interval after the last heartbeat was due.
    assert!((trial.whole.mistake_duration - 3.1).abs() < 0.05, "{trial:?}");
    assert!((trial.whole.closest_call - 5.1).abs() < 0.05, "{trial:?}");
}

#[test]
fn a_heartbeat_that_comes_at_the_deadline_is_in_time() {
    let timeline = timeline(600, |_| Some(0));
    let history = History::new(&timeline).unwrap();
    for (nanos, mistakes) in [(100_000_000, 0), (99_900_000, 499)] {
        let trial = trial(&history, Kind::Fixed, nanos).unwrap();
        assert_eq!(trial.setting.limit, nanos);
        assert_eq!(trial.whole.counted.mistakes, mistakes);
        assert_eq!(trial.whole.closest_call > 1.0, mistakes > 0);
    }
}

#[test]
fn each_part_is_tried_with_what_the_parts_before_it_suggest() {
    // Ever later, and with ever longer gaps, so that each part suggests something else.
    let timeline = timeline(3_000, |sequence| {
        let is_lost = sequence % 100 < sequence / 300;
        (!is_lost).then(|| jitter(sequence) * (1 + sequence / 1_000))
    });
    let history = History::new(&timeline).unwrap();
    for kind in Kind::ALL {
        let Some(trial) = trial(&history, kind, 700_000_000) else { continue };
        let mut family = Family::new(kind, &history).unwrap();
        let mut mistakes = 0;
        let mut settings = Vec::new();
        for (taught, part) in (1..PARTS).zip(&history.parts[1..]) {
            let setting = family.slowest(&history, taught, 700_000_000).unwrap().unwrap();
            let patience = history.patience(setting.point).unwrap();
            let range = part.arrivals.clone();
            for (arrival, patience) in history.arrivals[range.clone()].iter().zip(&patience[range])
            {
                let patience = (*patience).min(history.ticks(setting.limit));
                mistakes += u64::from(arrival.silence > patience);
            }
            settings.push(setting);
        }
        assert_eq!(trial.held_back.counted.mistakes, mistakes, "{kind:?} {settings:?}");
        assert_ne!(settings.first(), Some(&trial.setting), "{kind:?}");
    }
}

#[test]
fn the_limit_cuts_what_a_detector_would_wait() {
    let timeline = timeline(600, |sequence| (sequence % 50 != 0).then_some(0));
    let history = History::new(&timeline).unwrap();
    let point = Setting {
        limit: 150_000_000,
        ..trial(&history, Kind::Fixed, 1_000_000_000).unwrap().setting
    };
    let mut sums = Sums::new(&history, 0..PARTS);
    let patience =
        Family::new(Kind::Fixed, &history).unwrap().patience(&history, point.point).unwrap();
    sums.add(&history, 0..PARTS, point, &patience);
    let tally = sums.tally(1.0);
    assert_eq!(tally.detection_time_max, 0.15);
    // From the hundredth on, nine are lost, and 150 ms do not bridge that.
    assert_eq!(tally.counted.mistakes, 9);
    assert_near(tally.mistake_duration, 0.05, "duration");
}

#[test]
fn the_interval_holds_that_of_the_parts_and_that_of_the_whole() {
    let timeline = timeline(900, |sequence| (sequence % 50 > 3).then_some(0));
    let history = History::new(&timeline).unwrap();
    let trial = trial(&history, Kind::Fixed, 300_000_000).unwrap();
    let [rate, parts, whole] =
        [trial.rate(0.9), trial.held_back.counted.rate(0.9), trial.whole.counted.rate(0.9)];
    assert!(parts.mean > 0.0);
    assert_eq!((rate.low, rate.high), (parts.low.min(whole.low), parts.high.max(whole.high)));
    assert_eq!(rate.mean, parts.mean);
}
