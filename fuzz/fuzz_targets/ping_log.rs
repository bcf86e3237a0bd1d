//! Any text as saved `ping` output: it is refused with a short error, or gives sound traces.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use surmise_lab::trace::{HeartbeatRecord, Trace, TraceError, parse_csv, parse_ping, write_csv};

fuzz_target!(|bytes: &[u8]| {
    // Not part of the input, so that a saved log is one as it stands.
    let interval = INTERVALS[bytes.len() % INTERVALS.len()];
    read(&String::from_utf8_lossy(bytes), interval);
    read(&log(bytes), interval);
});

/// Writes lines as `ping` does, in any order, of numbers on either side of the wrap.
///
/// Longer leaps would each make thousands of losses, and few runs a second.
fn log(bytes: &[u8]) -> String {
    let lines = bytes.as_chunks::<3>().0.iter().map(|&[kind, time, near]| {
        let near = u16::from(near);
        let sequence = if kind < 128 { near } else { u16::MAX - near };
        match kind % 8 {
            0 => "PING a (1.2.3.4) 56(84) bytes of data.\n".to_owned(),
            1 | 2 => format!("[1700000{time}.5] 64 bytes from a: icmp_seq={sequence} time=3 ms\n"),
            3 => format!("no answer yet for icmp_seq={sequence}\n"),
            4 => format!("From b icmp_seq={sequence} Destination Host Unreachable\n"),
            5 => format!("64 bytes from a: icmp_seq={sequence} time={time} ms (DUP!)\n"),
            _ => format!("64 bytes from a: icmp_seq={sequence} time={time} ms\n"),
        }
    });
    lines.take(32).collect()
}

fn read(text: &str, interval: Duration) {
    match parse_ping("fuzz", text, interval) {
        Ok(traces) => {
            check_size(text, &traces);
            traces.iter().for_each(check_trace);
            check_names(&traces);
            check_two_runs(text, interval);
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.starts_with("fuzz:") && message.len() < 1000, "{message}");
        }
    }
}

/// Checks that a short log does not make a long trace.
fn check_size(text: &str, traces: &[Trace]) {
    let lines = text.split_inclusive('\n').count();
    let received = |trace: &Trace| trace.beats.iter().filter(|b| b.received.is_some()).count();
    assert!(traces.iter().map(received).sum::<usize>() <= lines, "more replies than lines");
    assert!(rows(traces) <= MAX_ROWS + MAX_ROWS_PER_LINE * lines, "too many losses");
}

fn check_trace(trace: &Trace) {
    let beats = &trace.beats;
    assert!(beats.iter().any(|beat| beat.received.is_some()), "a run without any reply");
    for pair in beats.windows(2) {
        let [before, after] = pair else { panic!("windows of two") };
        match after.sequence.checked_sub(before.sequence) {
            Some(1) => {}
            Some(0) => assert!(before.received.and(after.received).is_some(), "lost, yet there"),
            _ => panic!("{} does not follow {}", after.sequence, before.sequence),
        }
    }
    let in_order = |beat: &HeartbeatRecord| beat.received.is_none_or(|at| Some(at) >= beat.sent);
    assert!(beats.iter().all(in_order), "received before it was sent");
    if beats.len() < 1000 {
        let mut csv = Vec::new();
        write_csv(trace, &mut csv).expect("memory is no file");
        let csv = String::from_utf8(csv).expect("it is digits");
        // The file has the times, and not how they were come by.
        let read = parse_csv(&trace.name, &csv).expect("what was written can be read");
        assert_eq!(read.beats, trace.beats);
    }
}

fn check_names(traces: &[Trace]) {
    if let [only] = traces {
        assert_eq!(only.name, "fuzz");
    } else {
        for (number, trace) in (1..).zip(traces) {
            assert_eq!(trace.name, format!("fuzz#{number}"));
        }
    }
}

/// Checks that another run of `ping` changes nothing about the one before it.
fn check_two_runs(text: &str, interval: Duration) {
    // Without its line end, the last line may be one that was cut off.
    let whole = format!("{text}\n");
    let Ok(once) = parse_ping("fuzz", &whole, interval) else { return };
    if rows(&once) > MAX_ROWS / 2 {
        return;
    }
    let twice = parse_ping("fuzz", &format!("{whole}PING a (b)\n{whole}"), interval);
    let twice = twice.unwrap_or_else(|error: TraceError| panic!("{error}"));
    assert_eq!(twice.len(), 2 * once.len());
    let beats = once.iter().chain(&once).map(|trace| &trace.beats);
    assert!(twice.iter().map(|trace| &trace.beats).eq(beats), "{twice:?}");
}

fn rows(traces: &[Trace]) -> usize {
    traces.iter().map(|trace| trace.beats.len()).sum()
}

const INTERVALS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_millis(200), Duration::ZERO, Duration::MAX];

/// So many records a log may come to, however short it is, ...
const MAX_ROWS: usize = 1_000_000;

/// ... and so many more for each of its lines.
const MAX_ROWS_PER_LINE: usize = 100;
