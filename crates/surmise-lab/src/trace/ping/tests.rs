mod properties;
mod runs;

use core::time::Duration;

use super::*;
use crate::trace::HeartbeatRecord;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

type Row = (u64, Option<u64>, Option<u64>);

fn parse(text: &str) -> Vec<Trace> {
    parse_ping("t", text, Duration::from_secs(1)).unwrap()
}

/// Returns the rows of a text that holds one session.
fn rows(text: &str) -> Vec<Row> {
    let traces = parse(text);
    assert_eq!(traces.len(), 1, "{traces:?}");
    rows_of(&traces[0])
}

fn rows_of(trace: &Trace) -> Vec<Row> {
    trace.beats.iter().map(|beat| (beat.sequence, beat.sent, beat.received)).collect()
}

/// Returns a row as it comes of `ping -i 1` without stamps; the round trip is in microseconds.
fn answered(sequence: u64, round_trip: u64) -> Row {
    let sent = sequence * SECOND;
    (sequence, Some(sent), Some(sent + round_trip * 1_000))
}

fn lost(sequence: u64) -> Row {
    (sequence, Some(sequence * SECOND), None)
}

#[test]
fn iputils() {
    let text = "\
PING example.org (93.184.216.34) 56(84) bytes of data.
64 bytes from 93.184.216.34 (93.184.216.34): icmp_seq=1 ttl=56 time=10.3 ms
64 bytes from 93.184.216.34 (93.184.216.34): icmp_seq=2 ttl=56 time=0.045 ms
64 bytes from 93.184.216.34 (93.184.216.34): icmp_seq=4 ttl=56 time=1003 ms
64 bytes from 93.184.216.34 (93.184.216.34): icmp_seq=4 ttl=56 time=1004 ms (DUP!)
^C
--- example.org ping statistics ---
5 packets transmitted, 3 received, +1 duplicates, 40% packet loss, time 4005ms
rtt min/avg/max/mdev = 0.045/337.782/1003.000/470.386 ms, pipe 2
";
    let expected = [
        answered(1, 10_300),
        answered(2, 45),
        lost(3),
        answered(4, 1_003_000),
        answered(4, 1_004_000),
    ];
    assert_eq!(rows(text), expected);
}

#[test]
fn iputils_with_stamps_keeps_every_digit() {
    let text = "\
PING 10.0.0.7 (10.0.0.7) 56(84) bytes of data.
[1700000000.123456] 64 bytes from 10.0.0.7: icmp_seq=12 ttl=56 time=10.3 ms
[1700000002.100001] no answer yet for icmp_seq=13
[1700000002.123457] 64 bytes from 10.0.0.7: icmp_seq=14 ttl=56 time=0.0005 ms
";
    let expected = [
        (12, Some(1_700_000_000_113_156_000), Some(1_700_000_000_123_456_000)),
        (13, None, None),
        (14, Some(1_700_000_002_123_456_500), Some(1_700_000_002_123_457_000)),
    ];
    assert_eq!(rows(text), expected);
}

#[test]
fn ipv6_names_without_ttl_and_old_spellings() {
    let text = "\
PING example.org(2606:2800:220:1:248:1893:25c8:1946) 56 data bytes
64 bytes from 2606:2800:220:1:248:1893:25c8:1946: icmp_req=1 ttl=56 time=88.1 ms
64 bytes from fe80::1%eth0: icmp_seq=2 time=0.3 ms
64 bytes from host.example (2606:2800::1): icmp_seq=3 ttl=64 time<1 ms
64 bytes from host.example (2606:2800::1): icmp_seq=4 ttl=64 time=250 us
";
    let expected = [answered(1, 88_100), answered(2, 300), answered(3, 1_000), answered(4, 250)];
    assert_eq!(rows(text), expected);
}

#[test]
fn bsd_and_macos() {
    let text = "\
PING example.org (93.184.216.34): 56 data bytes
64 bytes from 93.184.216.34: icmp_seq=0 ttl=56 time=10.345 ms
Request timeout for icmp_seq 1
Request timeout for icmp_seq 2
64 bytes from 93.184.216.34: icmp_seq=1 ttl=56 time=2100.500 ms
64 bytes from 93.184.216.34: icmp_seq=3 ttl=56 time=11.000 ms
92 bytes from 10.0.0.1: Destination Host Unreachable
Vr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst
 4  5  00 5400 0000   0 0000  40  01 b8e7 10.0.0.2  93.184.216.34

Request timeout for icmp_seq 4
^C
--- example.org ping statistics ---
5 packets transmitted, 3 packets received, 40.0% packet loss
round-trip min/avg/max/stddev = 10.345/707.282/2100.500/985.115 ms
";
    let expected =
        [answered(0, 10_345), answered(1, 2_100_500), lost(2), answered(3, 11_000), lost(4)];
    assert_eq!(rows(text), expected);
}

#[test]
fn bsd_ping6() {
    let text = "\
PING6(56=40+8+8 bytes) ::1 --> ::1
16 bytes from ::1, icmp_seq=0 hlim=64 time=0.067 ms
16 bytes from ::1, icmp_seq=1 hlim=64 time=0.080 ms

--- localhost ping6 statistics ---
2 packets transmitted, 2 packets received, 0.0% packet loss
";
    assert_eq!(rows(text), [answered(0, 67), answered(1, 80)]);
}

#[test]
fn busybox() {
    let text = "\
PING 127.0.0.1 (127.0.0.1): 56 data bytes
64 bytes from 127.0.0.1: seq=0 ttl=64 time=0.045 ms
64 bytes from 127.0.0.1: seq=1 ttl=64 time=0.047 ms
64 bytes from 127.0.0.1: seq=1 ttl=64 time=0.051 ms (DUP!)

--- 127.0.0.1 ping statistics ---
2 packets transmitted, 2 packets received, 1 duplicates, 0% packet loss
";
    assert_eq!(rows(text), [answered(0, 45), answered(1, 47), answered(1, 51)]);
}

#[test]
fn other_languages() {
    let text = "\
PING example.org (93.184.216.34) 56(84) Bytes an Daten.
64 Bytes von 93.184.216.34: icmp_seq=1 ttl=56 Zeit=12,3 ms
64 octets de 93.184.216.34 : icmp_seq=2 ttl=56 temps=9.1 ms
";
    assert_eq!(rows(text), [answered(1, 12_300), answered(2, 9_100)]);
}

#[test]
fn text_before_the_line_is_passed_over() {
    let text = "\
2026-11-21 12:00:00 64 bytes from 10.0.0.7: icmp_seq=1 ttl=56 time=1 ms
Nov 21 12:00:01 gate ping[4711]: 64 bytes from 10.0.0.7: icmp_seq=2 ttl=56 time=2 ms
2026-11-21T12:00:02.250+01:00 | 64 bytes from 10.0.0.7: icmp_seq=3 ttl=56 time=3 ms
^C64 bytes from 10.0.0.7: icmp_seq=4 ttl=56 time=4 ms
\u{feff}00:00:05 64 bytes from 10.0.0.7: icmp_seq=5 ttl=56 time=5 ms\r
";
    let expected = [1, 2, 3, 4, 5].map(|n| answered(n, n * 1_000));
    assert_eq!(rows(text), expected);

    let stamped = "Nov 21 ping[4711]: [1.5] 64 bytes from 10.0.0.7: icmp_seq=1 ttl=56 time=1 ms\n";
    assert_eq!(rows(stamped), [(1, Some(1_499 * MS), Some(1_500 * MS))]);
    // The stamp nearest to the reply is that of `ping`.
    assert_eq!(rows(&format!("[9.9] {stamped}")), rows(stamped));
}

#[test]
fn errors_of_routers_mark_what_was_sent() {
    let text = "\
64 bytes from 10.0.0.7: icmp_seq=1 ttl=56 time=1 ms
From 10.0.0.1: icmp_seq=2 Redirect Host(New nexthop: 10.0.0.2)
64 bytes from 10.0.0.7: icmp_seq=2 ttl=56 time=1 ms
From 10.0.0.1 icmp_seq=1 Destination Host Unreachable
From 10.0.0.1 icmp_seq=4 Destination Host Unreachable
From 10.0.0.1 icmp_seq=3 Destination Host Unreachable
ping: sendmsg: Network is unreachable
tcp segment seq=9 rtt=3 ms
";
    assert_eq!(rows(text), [answered(1, 1_000), answered(2, 1_000), lost(3), lost(4)]);
}

#[test]
fn the_interval_is_the_schedule() {
    let text = "\
64 bytes from 10.0.0.7: icmp_seq=5 ttl=56 time=1 ms
64 bytes from 10.0.0.7: icmp_seq=7 ttl=56 time=2 ms
";
    let traces = parse_ping("t", text, Duration::from_millis(200)).unwrap();
    let expected = [
        (5, Some(1_000 * MS), Some(1_001 * MS)),
        (6, Some(1_200 * MS), None),
        (7, Some(1_400 * MS), Some(1_402 * MS)),
    ];
    assert_eq!(rows_of(&traces[0]), expected);
}

/// Returns the lines of replies without stamps: number and round trip in milliseconds.
fn replies(of: &[(u64, u64)]) -> String {
    let line = |(sequence, time): &(u64, u64)| {
        format!("64 bytes from 10.0.0.7: icmp_seq={sequence} ttl=56 time={time} ms\n")
    };
    of.iter().map(line).collect()
}

#[test]
fn extreme_numbers_saturate_or_are_refused() {
    let huge = replies(&[(u64::MAX, 1)]);
    let [(sequence, sent, received)] = rows(&huge)[..] else { panic!("one row") };
    assert_eq!((sequence, sent, received), (u64::MAX, Some(u64::MAX), Some(u64::MAX)));
    // The reply came before its request was sent: that time is not known, then.
    let early = "[1.0] 64 bytes from 10.0.0.7: icmp_seq=1 ttl=56 time=1003 ms\n";
    assert_eq!(rows(early), [(1, None, Some(SECOND))]);
}

#[test]
fn says_where_it_is_wrong() {
    let cases = [
        ("", "t: is empty, so it is no trace"),
        (
            "\nhello\nworld\n",
            "t:2: is \"hello\", but must be the header \"sequence,sent_ns,received_ns\"; nor is there \
             a reply to `ping` in any line",
        ),
        (
            "PING a (10.0.0.7)\n64 bytes from 10.0.0.7: icmp_seq=x ttl=56 time=1 ms\n",
            "t:2: `icmp_seq` is \"x\", but must be a whole number of at most 64 bits",
        ),
        (
            "64 bytes from 10.0.0.7: icmp_seq=1 ttl=56 time=abc ms\n",
            "t:1: `time` is \"abc\", but must be a round trip such as `=10.3 ms`, which a line without \
             a stamp cannot do without",
        ),
        (
            "8 bytes from 10.0.0.7: icmp_seq=1 ttl=56\n",
            "t:1: `time` is \"\", but must be a round trip such as `=10.3 ms`, which a line without a \
             stamp cannot do without",
        ),
        (
            "[18446744074.0] 64 bytes from 10.0.0.7: icmp_seq=1 ttl=56 time=1 ms\n",
            "t:1: `stamp` is \"18446744074.0\", but must be a number of seconds of at most 64 bits in \
             nanoseconds",
        ),
    ];
    for (text, message) in cases {
        let error = parse_ping("t", text, Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_last_line_may_be_cut_off() {
    let whole = replies(&[(1, 1), (2, 103)]);
    for cut in whole.len() / 2..whole.len() {
        let text = &whole[..cut];
        let expected = if cut < whole.len() - 1 { 1 } else { 2 };
        assert_eq!(rows(text).len(), expected, "{text}");
    }
}
