//! `compare` against a second computation from the definitions, for every detector.
//!
//! The second computation shares no code with the first: it works in floats, keeps whole histories
//! instead of running sums, and goes through them anew at each heartbeat.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "tests of small numbers, where a panic is a failure"
)]

#[path = "compare_definitions/naive.rs"]
mod naive;
#[path = "compare_definitions/traces.rs"]
mod traces;

use core::fmt::Write as _;
use std::{collections::BTreeMap, fs, process::Command};

use serde_json::Value;

use self::{naive::Naive, traces::Row};

/// Replays a trace with the command and with the naive computation, and compares every number.
fn check(name: &str, rows: &[Row], same_clock: bool) {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join(format!("{name}.csv"));
    let json = folder.path().join("scores.json");
    fs::write(&trace, csv(rows)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.current_dir(folder.path()).arg("compare").arg(&trace).arg("--json").arg(&json);
    if same_clock {
        command.arg("--same-clock");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let scores: Vec<Value> = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();

    let naive = Naive::new(rows, same_clock);
    let mut points = BTreeMap::new();
    for score in &scores {
        let detector = score["detector"].as_str().unwrap();
        let parameter = score["parameter"].as_f64().unwrap();
        assert_eq!(score["trace"], format!("{name}.csv"));
        *points.entry(detector).or_insert(0) += 1;
        let expected = naive.score(detector, parameter);
        let what = format!("{name}: {detector} at {parameter}");
        assert_eq!(score["mistakes"].as_u64().unwrap(), expected.mistakes, "{what}");
        assert_eq!(score["scored"].as_u64().unwrap(), expected.scored, "{what}");
        for (key, value) in [
            ("detection_time_s", expected.detection_time),
            ("detection_time_max_s", expected.detection_time_max),
            ("mistake_rate_hz", expected.mistake_rate),
            ("mistake_duration_s", expected.mistake_duration),
            ("query_accuracy", expected.query_accuracy),
            ("span_s", expected.span),
        ] {
            let found = score[key].as_f64().unwrap();
            // A duration is known to the nanosecond, and a mean of a few no better than that.
            let tolerance = 1e-8 * value.abs() + 2e-9;
            assert!((found - value).abs() <= tolerance, "{what}: {key} is {found}, not {value}");
        }
    }
    for detector in naive::DETECTORS {
        assert!(points.get(detector).is_some_and(|&count| count >= 20), "{detector}: {points:?}");
    }
}

fn csv(rows: &[Row]) -> String {
    let mut text = "sequence,sent_ns,received_ns\n".to_owned();
    let cell = |time: Option<u64>| time.map_or(String::new(), |time| time.to_string());
    for row in rows {
        writeln!(text, "{},{},{}", row.sequence, cell(row.sent), cell(row.received)).unwrap();
    }
    text
}

#[test]
fn a_calm_network() {
    check("calm", &traces::calm(1_600), false);
}

#[test]
fn bursts_of_loss_reordering_duplicates_and_a_heavy_tail() {
    check("stormy", &traces::stormy(2_500), false);
}

#[test]
fn no_times_of_sending() {
    let mut rows = traces::stormy(1_500);
    rows.iter_mut().for_each(|row| row.sent = None);
    check("unsent", &rows, false);
}

#[test]
fn a_median_that_falls_on_a_third_of_a_nanosecond() {
    let rows = traces::every_third();
    check("thirds", &rows, false);
}

#[test]
fn some_times_of_sending() {
    let mut rows = traces::stormy(800);
    rows.iter_mut().filter(|row| row.sequence % 7 == 0).for_each(|row| row.sent = None);
    check("partly-sent", &rows, false);
}

#[test]
fn arrivals_at_the_same_instant() {
    check("ties", &traces::ties(1_300), false);
}

#[test]
fn a_sender_that_stalls() {
    check("stalls", &traces::stalls(1_800), false);
}

#[test]
fn one_clock_for_both_ends() {
    check("one-clock", &traces::stormy(900), true);
}

#[test]
fn half_a_nanosecond_of_interval() {
    let rows = traces::half_nanosecond(1_400);
    check("half", &rows, false);
}

#[test]
fn deadlines_that_are_hours_away() {
    check("slow", &traces::slow(1_200), false);
}
