use surmise_detector::FixedTimeout;

use super::*;

/// Beats every 100 ns that take no time, and then those given: sequence, sent and received.
fn trace(after: &[(u64, Option<u64>, Option<u64>)]) -> Trace {
    let regular = (0..=100).map(|sequence| {
        HeartbeatRecord::new(sequence, Some(sequence * 100), Some(5_000 + sequence * 100))
    });
    let after = after
        .iter()
        .map(|&(sequence, sent, received)| HeartbeatRecord::new(sequence, sent, received));
    Trace::new("test", regular.chain(after).collect())
}

fn replay(trace: &Trace, same_clock: bool, timeout: u64) -> Quality {
    let timeline = Timeline::new(trace, same_clock, 0).unwrap();
    let timeout = Duration::from_nanos(timeline.scale().ticks(timeout));
    timeline.replay(&mut FixedTimeout::new(timeout).unwrap())
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-15 + 1e-12 * expected.abs(), "{found}, {expected}");
}

#[test]
fn scores_are_those_reckoned_by_hand() {
    // Beat 100 arrives at 15 000. The next is 30 late, one is lost, and one is overtaken.
    let trace = trace(&[
        (101, Some(10_100), Some(15_130)),
        (102, Some(10_200), None),
        (103, Some(10_300), Some(15_400)),
        (104, Some(10_400), Some(15_390)),
        (105, Some(10_500), Some(15_500)),
    ]);
    // Fresh are 100, 101, 104 and 105; scored are the three that have a successor.
    let quality = replay(&trace, false, 120);
    assert_eq!(quality.scored(), 3);
    // Deadlines 15 120, 15 250, 15 510 against arrivals 15 130, 15 390, 15 500.
    assert_eq!(quality.mistakes(), 2);
    assert_near(quality.mistake_duration(), (10e-9 + 140e-9) / 2.0);
    // The fastest of all, 104, took 4 990 by the two clocks, so others were sent that much later.
    assert_near(quality.detection_time(), (130e-9 + 160e-9 + 120e-9) / 3.0);
    assert_near(quality.detection_time_max(), 160e-9);
    assert_near(quality.span(), 500e-9);
    assert_near(quality.query_accuracy(), 1.0 - 150.0 / 500.0);
    assert_near(quality.mistake_rate(), 2.0 / 500e-9);
}

#[test]
fn a_deadline_that_is_met_to_the_nanosecond_is_no_mistake() {
    let trace = trace(&[(101, Some(10_100), Some(15_130))]);
    assert_eq!(replay(&trace, false, 130).mistakes(), 0);
    assert_eq!(replay(&trace, false, 129).mistakes(), 1);
    assert_near(replay(&trace, false, 129).mistake_duration(), 1e-9);
}

#[test]
fn one_clock_is_taken_at_its_word_and_no_sending_means_the_last_arrival() {
    let with_sent = trace(&[(101, Some(10_100), Some(15_130))]);
    assert_near(replay(&with_sent, true, 200).detection_time(), 5_200e-9);
    assert_near(replay(&with_sent, false, 200).detection_time(), 200e-9);
    let without = trace(&[(101, None, Some(15_130)), (102, Some(0), Some(15_200))]);
    assert_near(replay(&without, true, 200).detection_time(), 200e-9);
    assert_eq!(Timeline::new(&without, true, 0).unwrap().since(), Since::LastArrival);
}

#[test]
fn clocks_at_the_limits_of_their_type_are_replayed() {
    let shift = |trace: &Trace, sent: u64, received: u64| {
        let beats = trace.beats.iter().map(|beat| {
            let sent = beat.sent.map(|time| time.wrapping_add(sent));
            HeartbeatRecord::new(beat.sequence, sent, beat.received.map(|at| at + received))
        });
        Trace::new("test", beats.collect())
    };
    let plain = trace(&[(101, Some(10_100), Some(15_130))]);
    let sent_late = shift(&plain, u64::MAX - 10_100, 0);
    let received_late = shift(&plain, 0, u64::MAX - 15_130);
    for shifted in [sent_late, received_late] {
        let (plain, shifted) = (replay(&plain, false, 120), replay(&shifted, false, 120));
        assert_eq!(shifted.detection_time(), plain.detection_time());
        assert_eq!(shifted.mistakes(), 1);
    }
}

#[test]
fn what_cannot_be_replayed_says_why() {
    let refused = |trace: &Trace| Timeline::new(trace, false, 0).unwrap_err();
    let needed = 102;
    assert_eq!(refused(&Trace::new("", vec![])), TimelineError::TooShort { fresh: 0, needed });
    assert_eq!(refused(&trace(&[])), TimelineError::TooShort { fresh: 101, needed });
    // One that is overtaken does not count.
    let overtaken = trace(&[(101, None, Some(4_000)), (102, None, None)]);
    assert_eq!(refused(&overtaken), TimelineError::TooShort { fresh: 1, needed });
    let long = trace(&[(101, None, Some(u64::MAX))]);
    let span = Duration::from_nanos(u64::MAX - 5_000);
    assert_eq!(refused(&long), TimelineError::TooLong { span });
    let still = (0..200).map(|sequence| HeartbeatRecord::new(sequence, Some(7), Some(7)));
    assert_eq!(refused(&Trace::new("", still.collect())), TimelineError::Interval);
}

#[test]
fn arrivals_that_all_come_at_once_at_the_end_have_a_defined_score() {
    let late: Vec<_> = (101..110).map(|sequence| (sequence, None, Some(15_000))).collect();
    let quality = replay(&trace(&late), false, 50);
    assert_eq!((quality.scored(), quality.mistakes()), (9, 0));
    assert_eq!(quality.span(), 0.0);
    assert_eq!((quality.mistake_rate(), quality.query_accuracy()), (0.0, 1.0));
}
