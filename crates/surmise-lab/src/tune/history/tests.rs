use quickcheck::{TestResult, quickcheck};

use super::*;
use crate::tune::samples::{INTERVAL, jitter, timeline};

#[test]
fn a_trace_needs_fifty_arrivals_in_each_part() {
    let of = |beats| timeline(beats, |_| Some(0));
    assert_eq!(LEAST_FRESH, 351);
    let timeline = of(351);
    let history = History::new(&timeline).unwrap();
    assert!(history.parts.iter().all(|part| part.arrivals.len() == 50), "{history:?}");
    assert_eq!(History::new(&of(350)).unwrap_err(), 350);
}

quickcheck! {
    fn parts_are_equally_long_and_hold_each_arrival_once(lost: Vec<bool>, beats: u16) -> TestResult {
        let beats = u64::from(beats % 1000) + 500;
        let is_lost = |sequence: u64| lost.get(usize::try_from(sequence % 331).unwrap()) == Some(&true);
        let timeline = timeline(beats, |sequence| (!is_lost(sequence)).then(|| jitter(sequence)));
        let Ok(history) = History::new(&timeline) else { return TestResult::discard() };
        let mut next = 0;
        let mut cut = history.arrivals[0].at;
        for part in &history.parts {
            assert_eq!((part.arrivals.start, part.start), (next, cut));
            for arrival in &history.arrivals[part.arrivals.clone()] {
                assert!((part.start..part.end).contains(&arrival.at), "{part:?} {arrival:?}");
            }
            (next, cut) = (part.arrivals.end, part.end);
        }
        let last = history.arrivals[history.arrivals.len() - 1];
        let lengths = history.parts.iter().map(|part| part.end - part.start);
        let spread = lengths.clone().max().unwrap() - lengths.min().unwrap();
        let parts = u64::try_from(PARTS).unwrap();
        TestResult::from_bool(
            next == history.arrivals.len() && cut == last.at + last.silence && spread < parts,
        )
    }
}

#[test]
fn lateness_is_that_of_news_and_up_to_an_interval_of_the_overtaken() {
    let lateness = |late: u64, next_is_lost: bool| {
        let timeline = timeline(500, |sequence| match sequence {
            250 => Some(late),
            251 if next_is_lost => None,
            _ => Some(7),
        });
        let history = History::new(&timeline).unwrap();
        history.parts.each_ref().map(|part| history.nanos(part.lateness))
    };
    // In the second part. The next one overtakes it, or does not.
    assert_eq!(lateness(80_000_007, false), [0, 80_000_000, 80_000_000, 80_000_000, 80_000_000]);
    assert_eq!(lateness(3 * INTERVAL, false)[4], INTERVAL);
    assert_eq!(lateness(190_000_007, false)[4], INTERVAL);
    assert_eq!(lateness(190_000_007, true)[4], 190_000_000);
}

#[test]
fn where_one_clock_tells_both_times_the_fastest_takes_its_time_too() {
    use crate::trace::{HeartbeatRecord, Trace};
    let beats = (0..500).map(|sequence| {
        let sent = sequence * INTERVAL;
        HeartbeatRecord::new(sequence, Some(sent), Some(sent + 5_000_000))
    });
    let trace = Trace::new("t", beats.collect());
    for (same_clock, lateness) in [(true, 0.005), (false, 0.0)] {
        let timeline = Timeline::new(&trace, same_clock, 0).unwrap();
        let history = History::new(&timeline).unwrap();
        assert_eq!(history.lateness(), lateness);
    }
}

/// A network without jitter to speak of, and a receiver whose clock gains so many parts in a million.
fn drifting(gain: i64, absorbed: impl Fn(u64) -> u64) -> crate::trace::Trace {
    use crate::trace::{HeartbeatRecord, Trace};
    let beats = (0..4_000).map(|sequence| {
        let sent = sequence * INTERVAL;
        let at = sent + jitter(sequence) / 200 + absorbed(sequence);
        let drifted = at.cast_signed() * gain / 1_000_000;
        HeartbeatRecord::new(
            sequence,
            Some(sent),
            Some((at.cast_signed() + drifted).cast_unsigned()),
        )
    });
    Trace::new("t", beats.collect())
}

#[test]
fn clocks_that_drift_apart_make_no_heartbeat_late() {
    for gain in [-200, -50, -1, 0, 1, 50, 200] {
        let timeline = Timeline::new(&drifting(gain, |_| 0), false, 1 << 40).unwrap();
        let history = History::new(&timeline).unwrap();
        let drift = history.drift * 1e6;
        let gain = f64::from(i32::try_from(gain).unwrap());
        assert!((drift - gain).abs() < 0.2, "{gain}: {drift}");
        // Jitter is up to 0.1 ms, and 80 ms of drift are not late.
        assert!(history.lateness() < 0.000_2, "{gain}: {}", history.lateness());
        assert!(history.growth() < history.ticks(100_000), "{gain}");
    }
}

#[test]
fn what_is_late_is_late_on_clocks_that_drift_apart() {
    for gain in [-100, 0, 100] {
        let late = |sequence| if sequence == 2_000 { 70_000_000 } else { 0 };
        let timeline = Timeline::new(&drifting(gain, late), false, 1 << 40).unwrap();
        let lateness = History::new(&timeline).unwrap().lateness();
        assert!((lateness - 0.07).abs() < 0.000_2, "{gain}: {lateness}");
        // Steeper than clocks are.
        let growing = |sequence: u64| sequence * INTERVAL / 1_000;
        let timeline = Timeline::new(&drifting(gain, growing), false, 1 << 40).unwrap();
        assert!(History::new(&timeline).unwrap().lateness() > 0.2);
    }
}
