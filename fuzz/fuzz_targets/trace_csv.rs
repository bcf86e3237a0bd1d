//! Any text as a trace: it is refused with a short error, or read and written without a change.

#![no_main]

use std::fmt::Write as _;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use surmise_lab::trace::{HeartbeatRecord, Trace, TraceError, parse_csv, write_csv};

type Row = (u64, Option<u64>, Option<u64>);

fuzz_target!(|bytes: &[u8]| {
    read(&String::from_utf8_lossy(bytes));
    if let Ok(rows) = Vec::<Row>::arbitrary(&mut Unstructured::new(bytes)) {
        read_rows(&rows);
    }
});

fn read(text: &str) {
    let lines = text.split('\n').count();
    match parse_csv("fuzz", text) {
        Ok(trace) => {
            assert!(!trace.beats.is_empty());
            // A carriage return alone ends a row, too.
            assert!(trace.beats.len() < text.split(['\n', '\r']).count(), "more rows than lines");
            assert!(trace.beats.is_sorted_by_key(|beat| beat.sequence));
            assert_eq!(parse_csv("fuzz", &written(&trace)).as_ref(), Ok(&trace));
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.starts_with("fuzz:") && message.len() < 1000, "{message}");
            let line = line_of(&error);
            assert!(line.is_none_or(|line| (1..=lines as u64).contains(&line)), "{error:?}");
        }
    }
}

/// Writes rows in the plainest way, to be read, and to be what [`write_csv`] makes of them.
fn read_rows(rows: &[Row]) {
    let beats = rows
        .iter()
        .map(|&(sequence, sent, received)| HeartbeatRecord::new(sequence, sent, received));
    let trace = Trace::new("fuzz", beats.collect());
    let mut sorted = rows.to_vec();
    sorted.sort_by_key(|&(sequence, ..)| sequence);
    assert_eq!(written(&trace), plainly(&sorted));
    match parse_csv("fuzz", &plainly(rows)) {
        Ok(read) => assert_eq!(read, trace),
        Err(error) => assert!(rows.is_empty() && matches!(error, TraceError::NoBeats { .. })),
    }
}

fn plainly(rows: &[Row]) -> String {
    let mut text = "sequence,sent_ns,received_ns\n".to_owned();
    let or_empty = |nanos: Option<u64>| nanos.map_or(String::new(), |nanos| nanos.to_string());
    for &(sequence, sent, received) in rows {
        let row = writeln!(text, "{sequence},{},{}", or_empty(sent), or_empty(received));
        row.expect("memory is no file");
    }
    text
}

fn written(trace: &Trace) -> String {
    let mut text = Vec::new();
    write_csv(trace, &mut text).expect("memory is no file");
    String::from_utf8(text).expect("it is digits")
}

fn line_of(error: &TraceError) -> Option<u64> {
    match error {
        TraceError::Header { line, .. }
        | TraceError::Columns { line, .. }
        | TraceError::Field { line, .. } => Some(*line),
        _ => None,
    }
}
