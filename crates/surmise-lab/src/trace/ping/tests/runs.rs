//! Where one run of `ping` ends and the next begins.

use super::*;

/// Returns the numbers of each session, and whether they arrived.
fn sessions(text: &str) -> Vec<Vec<(u64, bool)>> {
    let arrived = |trace: Trace| {
        trace.beats.iter().map(|beat| (beat.sequence, beat.received.is_some())).collect()
    };
    parse(text).into_iter().map(arrived).collect()
}

#[test]
fn runs_begin_at_headers_and_after_statistics() {
    let header = "PING 10.0.0.7 (10.0.0.7) 56(84) bytes of data.\n";
    let statistics = "--- 10.0.0.7 ping statistics ---\n2 packets transmitted\n";
    let run = replies(&[(7, 1), (8, 1)]);
    let later = replies(&[(9, 1)]);
    let expected = [vec![(7, true), (8, true)], vec![(9, true)]];
    assert_eq!(sessions(&[&run, header, &later].concat()), expected);
    assert_eq!(sessions(&[&run, statistics, &later].concat()), expected);
    // A run without replies is none, and does not count.
    let text = [header, header, &run, statistics, header, &later, statistics].concat();
    assert_eq!(sessions(&text), expected);
    let names: Vec<_> = parse(&text).into_iter().map(|trace| trace.name).collect();
    assert_eq!(names, ["t#1", "t#2"]);
    assert_eq!(parse(&run)[0].name, "t");
}

#[test]
fn runs_begin_where_the_count_does() {
    let one_to_three = vec![(1, true), (2, true), (3, true)];
    // The same number again, without a mark.
    let again = replies(&[(1, 1), (2, 1), (3, 1), (1, 1), (2, 1), (3, 1)]);
    assert_eq!(sessions(&again), [&one_to_three[..], &one_to_three]);
    assert_eq!(sessions(&replies(&[(3, 1), (3, 1)])).len(), 2);
    // Number 1 was lost before, and is too fast to be late.
    let first_lost = replies(&[(2, 1), (3, 1), (1, 1), (2, 1), (3, 1)]);
    assert_eq!(sessions(&first_lost), [&one_to_three[1..], &one_to_three]);
    // A long run before: 1 is not the wrap.
    let long = replies(&[(40_000, 1), (1, 1), (2, 1)]);
    assert_eq!(sessions(&long), [vec![(40_000, true)], vec![(1, true), (2, true)]]);
    // No run begins at 50: this is an outage of an hour and a half.
    assert_eq!(sessions(&replies(&[(60_000, 1), (50, 1)])).len(), 1);
    let timeout =
        replies(&[(0, 1), (1, 1)]) + "Request timeout for icmp_seq 0\n" + &replies(&[(1, 1)]);
    assert_eq!(sessions(&timeout), [[(0, true), (1, true)], [(0, false), (1, true)]]);
}

#[test]
fn late_replies_stay_in_their_run() {
    // Number 1 took longer than it is behind; 5 is not where runs begin.
    let late = replies(&[(2, 1), (3, 1), (1, 2_500), (6, 1), (5, 20), (7, 1)]);
    let numbers: Vec<_> = (1..8).map(|sequence| (sequence, sequence != 4)).collect();
    assert_eq!(sessions(&late), [numbers]);
    // Two behind, a second is the least that passes for late.
    assert_eq!(sessions(&replies(&[(2, 1), (3, 1), (1, 1_000)])).len(), 1);
    assert_eq!(sessions(&replies(&[(2, 1), (3, 1), (1, 999)])).len(), 2);
}

#[test]
fn stamps_tell_late_replies_exactly() {
    let line = |stamp: &str, sequence: u64, time: u64| {
        format!("[{stamp}] 64 bytes from 10.0.0.7: icmp_seq={sequence} ttl=56 time={time} ms\n")
    };
    let before = line("100.2", 2, 5) + &line("100.4", 3, 5);
    let late = before.clone() + &line("100.401", 1, 402);
    assert_eq!(sessions(&late), [vec![(1, true), (2, true), (3, true)]]);
    let anew = before + &line("103.401", 1, 402);
    assert_eq!(sessions(&anew), [vec![(2, true), (3, true)], vec![(1, true)]]);
}

#[test]
fn a_run_has_stamps_or_has_none() {
    let text = replies(&[(1, 1), (2, 1)])
        + "[1700000000.5] 64 bytes from 10.0.0.7: icmp_seq=3 ttl=56 time=1 ms\n";
    assert_eq!(sessions(&text), [vec![(1, true), (2, true)], vec![(3, true)]]);
}

#[test]
fn the_count_goes_on_after_the_wrap() {
    let text = replies(&[(65_534, 1), (65_535, 1), (1, 1), (0, 1_500), (3, 1)]);
    let numbers: Vec<_> = (65_534..65_540).map(|sequence| (sequence, sequence != 65_538)).collect();
    assert_eq!(sessions(&text), [numbers]);
    let twice: Vec<_> = (0..140_000).map(|sequence| (sequence % 65_536, 1)).collect();
    let traces = parse(&replies(&twice));
    let sequences: Vec<_> = traces[0].beats.iter().map(|beat| beat.sequence).collect();
    assert_eq!(traces.len(), 1);
    assert_eq!(sequences, (0..140_000).collect::<Vec<_>>());
}

#[test]
fn an_outage_of_half_a_count_can_be_followed_and_no_more() {
    let followed = sessions(&replies(&[(10, 1), (32_777, 1)]));
    assert_eq!((followed.len(), followed[0].len()), (1, 32_768));
    assert_eq!(sessions(&replies(&[(10, 1), (32_778, 1)])).len(), 2);
}

#[test]
fn a_hostile_log_cannot_ask_for_millions_of_rows() {
    let leaps: Vec<_> = (0..40).map(|leap| (leap * 32_767 % 65_536 + 2, 1)).collect();
    let error = parse_ping("t", &replies(&leaps), Duration::from_secs(1)).unwrap_err();
    let expected = TraceError::TooManyBeats { file: "t".into(), line: 32, limit: 1_003_200 };
    assert_eq!(error, expected);
    // The limit is for the whole file, not for each run.
    let runs = replies(&[(2, 1), (32_769, 1), (2, 1)]).repeat(31);
    assert!(parse_ping("t", &runs, Duration::from_secs(1)).is_err());
}
