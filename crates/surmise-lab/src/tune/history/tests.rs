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
