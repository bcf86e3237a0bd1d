//! The command `surmise-lab tune` as its users meet it.

#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]

use core::fmt::Write as _;
use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

fn tune(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise-lab"))
        .current_dir(folder.path())
        .arg("tune")
        .args(arguments)
        .output()
        .unwrap()
}

/// Writes a trace of beats every 100 ms, each as much later as `delay` says in milliseconds, or lost.
fn write_trace(folder: &TempDir, name: &str, beats: u64, delay: fn(u64) -> Option<u64>) {
    let mut text = "sequence,sent_ns,received_ns\n".to_owned();
    for sequence in 0..beats {
        let sent = sequence * 100_000_000;
        let received = delay(sequence).map(|delay| (sent + delay * 1_000_000).to_string());
        writeln!(text, "{sequence},{sent},{}", received.unwrap_or_default()).unwrap();
    }
    fs::write(folder.path().join(name), text).unwrap();
}

/// No heartbeat is late, and none lost.
fn calm(_: u64) -> Option<u64> {
    Some(0)
}

/// Four heartbeats in a row are lost once in twenty seconds, and delays vary by 30 ms.
fn gappy(sequence: u64) -> Option<u64> {
    (sequence % 200 > 3).then_some(sequence * 7 % 31)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns what is printed, which fits a hundred columns, with its lines joined.
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    for line in printed.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    printed.replace('\n', " ").replace("    ", "  ")
}

#[test]
fn a_contract_that_is_met_gets_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(&folder, "gappy.csv", 2_000, gappy);
    let contract = ["gappy.csv", "--detection-time", "2s", "--mistakes-per-day", "5000"];
    let printed = printed(&tune(&folder, &contract));
    for said in [
        "gappy.csv: 2000 heartbeats, one every 100 ms",
        "Wanted: a crash noticed within 2 s, and at most 5000 mistakes a day, with 95 % confidence. \
         Heartbeats that were news came up to 30.0 ms late.",
        "It made no mistake in the 2.53 min held back, which means 0 to 2102 a day; you allow 5000.",
        "in Rust:",
        "use core::time::Duration;",
        "T_D, the detection time: ",
    ] {
        assert!(printed.contains(said), "{said:?} is not in\n{printed}");
    }
    assert!(!printed.contains("Attainable"), "{printed}");
}

#[test]
fn what_clocks_drifted_apart_is_said_and_is_not_lateness() {
    let folder = tempfile::tempdir().unwrap();
    for (lost, verb, sign) in [(true, "lost", -1.0), (false, "gained", 1.0)] {
        let mut text = "sequence,sent_ns,received_ns\n".to_owned();
        for sequence in 1..4_000_u64 {
            let sent = sequence * 100_000_000;
            let drift = sent / 20_000;
            let received = if lost { sent - drift } else { sent + drift };
            writeln!(text, "{sequence},{sent},{received}").unwrap();
        }
        fs::write(folder.path().join("drift.csv"), text).unwrap();
        let contract = ["drift.csv", "--detection-time", "400ms", "--mistakes-per-day", "5000"];
        let said = printed(&tune(&folder, &contract));
        assert!(said.contains("Answer: take `"), "{said}");
        let drift = format!(
            "The receiver's clock {verb} 50.0 µs a second against the sender's, which is 19.5 ms in all \
             and taken out."
        );
        assert!(said.contains(&drift), "{said}");
        let json = tune(&folder, &[&contract[..], &["--json"]].concat()).stdout;
        let answers: Value = serde_json::from_slice(&json).unwrap();
        let drift = answers.get(0).and_then(|answer| answer["drift_ppm"].as_f64()).unwrap();
        assert!((drift - sign * 50.0).abs() < 0.1, "{drift}");
    }
}

#[test]
fn a_trace_that_is_too_short_for_a_promise_says_how_long_it_must_be() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(&folder, "calm.csv", 2_000, calm);
    let contract = ["calm.csv", "--detection-time", "1s", "--mistakes-per-day", "1"];
    let printed = printed(&tune(&folder, &contract));
    for said in [
        "Answer: `fixed` with timeout 1 s comes first, but the trace is too short for a promise.",
        "which means 0 to 2098 a day; you allow 1.",
        // 3.69 days of held-back parts.
        // And 5.57 and 8.77 days, with one and with three mistakes.
        "A trace of 4.85 days without a mistake would show it, one of 7.33 days with a single mistake, and \
         one of 11.5 days with three.",
        "Attainable: the trace is too short to show at most 1 mistake a day for any detection time.",
        "FixedTimeout::new(Duration::from_secs(1))",
    ] {
        assert!(printed.contains(said), "{said:?} is not in\n{printed}");
    }
}

#[test]
fn where_none_can_the_reason_and_what_is_attainable_are_said() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(&folder, "gappy.csv", 4_000, gappy);
    // 400 ms of silence, every 20 s, are 4320 mistakes a day.
    let contract = ["gappy.csv", "--detection-time", "300ms", "--mistakes-per-day", "1500"];
    let said = printed(&tune(&folder, &contract));
    assert!(said.contains("Answer: none can. The best is `"), "{said}");
    assert!(said.contains("is possible from a detection time of 5"), "{said}");
    assert!(!said.contains("in Rust"), "{said}");

    fn paused(sequence: u64) -> Option<u64> {
        // The receiver stood still for 3 s.
        let stood_still = (3_000..3_030).contains(&sequence);
        Some(if stood_still { (3_030 - sequence) * 100 } else { 1 })
    }
    write_trace(&folder, "paused.csv", 4_000, paused);
    let of = |time| {
        let contract = ["paused.csv", "--detection-time", time, "--mistakes-per-day", "1000"];
        printed(&tune(&folder, &contract))
    };
    // They were read one after the other, so that each of them was news.
    let said = of("2s");
    assert!(
        said.contains("Answer: none can. A heartbeat that was news came 3.00 s late"),
        "{said}"
    );
    let said = of("5s");
    assert!(said.contains("one may come twice as late: nothing is left of 5 s"), "{said}");
}

#[test]
fn json_has_all_of_it_for_each_trace() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(&folder, "a.csv", 1_000, gappy);
    write_trace(&folder, "b.csv", 1_000, calm);
    let contract = ["--detection-time", "1s", "--mistakes-per-day", "10", "--confidence", "0.9"];
    let output = tune(&folder, &[&["a.csv", "--json", "b.csv"], contract.as_slice()].concat());
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("Answer: "));
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        answers.iter().map(|answer| &answer["trace"]).collect::<Vec<_>>(),
        ["a.csv", "b.csv"]
    );
    for answer in &answers {
        assert_eq!(answer["contract"]["confidence"], 0.9);
        assert_eq!(answer["contract"]["mistake_duration_s"], Value::Null);
        assert_eq!(answer["answer"], answer["candidates"][0]["finding"]);
        assert_eq!(answer["recommended"], answer["candidates"][0]["detector"]);
        assert!(answer["configuration"].as_str().unwrap().contains("fn detector()"));
        let tried = answer["candidates"].as_array().unwrap().len();
        assert_eq!(tried + answer["too_slow"].as_array().unwrap().len(), 9);
        for candidate in answer["candidates"].as_array().unwrap() {
            let number = |key: &str| candidate[key].as_f64().unwrap();
            assert!(number("mistakes_per_day_low") <= number("mistakes_per_day"));
            assert!(number("mistakes_per_day") <= number("mistakes_per_day_high"));
            for part in ["held_back", "whole"] {
                assert!(candidate[part]["detection_time_max_s"].as_f64().unwrap() <= 1.0);
            }
        }
    }
    let file = ["a.csv", "--json=a.json"];
    assert!(tune(&folder, &[&file, contract.as_slice()].concat()).status.success());
    let written: Vec<Value> =
        serde_json::from_slice(&fs::read(folder.path().join("a.json")).unwrap()).unwrap();
    assert_eq!(written[..], answers[..1]);
}

#[test]
fn a_trace_that_cannot_be_judged_does_not_spoil_the_others() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(&folder, "calm.csv", 1_000, calm);
    write_trace(&folder, "short.csv", 350, calm);
    write_trace(&folder, "shorter.csv", 50, calm);
    write_trace(&folder, "at-once.csv", 500, |sequence| Some((500 - sequence) * 100));
    let contract = ["--detection-time", "1s", "--mistakes-per-day", "5000", "--json"];
    let of = |traces: &[&str]| tune(&folder, &[traces, &contract].concat());
    let output = of(&["shorter.csv", "short.csv", "calm.csv", "at-once.csv"]);
    assert_eq!(output.status.code(), Some(0));
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.iter().map(|answer| &answer["trace"]).collect::<Vec<_>>(), ["calm.csv"]);
    let said = text(&output.stderr);
    assert!(said.contains("surmise-lab: shorter.csv: 50 heartbeats arrived in order"), "{said}");
    assert!(said.contains("surmise-lab: short.csv: 350 heartbeats arrived in order"), "{said}");
    assert!(said.contains("surmise-lab: at-once.csv: all heartbeats"), "{said}");
    let output = of(&["short.csv", "shorter.csv", "at-once.csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert_eq!(text(&output.stderr).lines().count(), 3, "{}", text(&output.stderr));
}

#[test]
fn errors_say_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(&folder, "calm.csv", 500, calm);
    write_trace(&folder, "short.csv", 350, calm);
    write_trace(&folder, "shorter.csv", 50, calm);
    write_trace(&folder, "at-once.csv", 500, |sequence| Some((500 - sequence) * 100));
    let cases: [(&[&str], &str); 10] = [
        (
            &["at-once.csv", "1s", "1"],
            "at-once.csv: all heartbeats but the first hundred arrived at the same time, which is no \
             trace of a network. Check where its `received_ns` are from",
        ),
        (
            &["short.csv", "1s", "1"],
            "short.csv: 350 heartbeats arrived in order, but 351 are needed: a part of them is held back \
             to check what the others teach. Record a longer trace, of 35.1 s at least",
        ),
        (
            &["shorter.csv", "1s", "1"],
            "shorter.csv: 50 heartbeats arrived in order, but 351 are needed: a part of them is held \
             back to check what the others teach. Record a longer trace",
        ),
        (
            &["calm.csv", "100ms", "1"],
            "calm.csv: --detection-time is 100 ms, but heartbeats come every 100 ms, so that a crash \
             cannot be told from the wait for the next one. Ask for more, or let the peer send more \
             often and record that",
        ),
        (
            &["calm.csv", "1s", "864000"],
            "calm.csv: --mistakes-per-day is 864000, but there are only 864\u{202f}000 heartbeats in a \
             day, so that every detector makes fewer. Ask for less",
        ),
        (
            &["calm.csv", "1s", "0"],
            "--mistakes-per-day is 0, but must be a number above 0: no trace is long enough to show that \
             there never are any. Ask for few, such as 0.01, which is one in 100 days",
        ),
        (
            &["calm.csv", "1s", "-1"],
            "--mistakes-per-day is -1, but must be a number above 0: no trace is long enough to show \
             that there never are any. Ask for few, such as 0.01, which is one in 100 days",
        ),
        (
            &["calm.csv", "1s", "1", "--confidence", "95"],
            "--confidence is 95, but must be a share of one between 0.5 and 0.9999, such as 0.95",
        ),
        (
            &["calm.csv", "1s", "24", "--mistake-duration", "1h"],
            "--mistake-duration is 60 min, but with as many mistakes as --mistakes-per-day allows, the \
             next one begins after 60.0 min: lower one of the two",
        ),
        (
            &["calm.csv", "1s", "1", "--json=./calm.csv"],
            "./calm.csv: cannot be written, for it is the trace calm.csv",
        ),
    ];
    let content = fs::read(folder.path().join("calm.csv")).unwrap();
    for (given, message) in cases {
        let [trace, time, mistakes, rest @ ..] = given else { unreachable!() };
        let contract = ["--detection-time", time, "--mistakes-per-day", mistakes];
        let output = tune(&folder, &[&[*trace], contract.as_slice(), rest].concat());
        assert_eq!(output.status.code(), Some(1), "{given:?}");
        assert_eq!(text(&output.stderr), format!("surmise-lab: {message}\n"));
        assert_eq!(text(&output.stdout), "");
    }
    assert_eq!(fs::read(folder.path().join("calm.csv")).unwrap(), content);
    let output = tune(&folder, &["calm.csv", "--detection-time", "3", "--mistakes-per-day", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a number and a unit, as in 500ms or 2s"));
}

#[test]
fn a_mistake_that_lasts_too_long_is_no_good_detectors() {
    fn outage(sequence: u64) -> Option<u64> {
        (!(2_000..2_100).contains(&sequence)).then_some(1)
    }
    let folder = tempfile::tempdir().unwrap();
    write_trace(&folder, "outage.csv", 4_000, outage);
    let contract = ["outage.csv", "--detection-time", "1s", "--mistakes-per-day", "5000"];
    let said = |rest: &[&str]| printed(&tune(&folder, &[&contract, rest].concat()));
    assert!(said(&[]).contains("Answer: take `"));
    // One of nine seconds says nothing of others.
    let unknown = said(&["--mistake-duration", "10s"]);
    assert!(unknown.contains("mistakes a day of 10 s on average"), "{unknown}");
    assert!(unknown.contains("there is no promise of how long its mistakes last."), "{unknown}");
    assert!(unknown.contains("What it made lasted 9."), "{unknown}");

    fn outages(sequence: u64) -> Option<u64> {
        (sequence < 1_000 || sequence % 500 >= 100 + sequence / 500).then_some(1)
    }
    write_trace(&folder, "outage.csv", 4_000, outages);
    assert!(said(&["--mistake-duration", "10s"]).contains("Answer: take `"));
    let refused = said(&["--mistake-duration", "5s"]);
    assert!(refused.contains("Answer: none can. The best is `"), "{refused}");
    assert!(refused.contains("Its mistakes lasted 9."), "{refused}");

    write_trace(&folder, "outage.csv", 4_000, calm);
    let unknown = said(&["--mistake-duration", "5s"]);
    assert!(unknown.contains("which means 0 to 1022 a day; you allow 5000."), "{unknown}");
    assert!(unknown.contains("Without one, nobody knows how long they last."), "{unknown}");
    for denial in ["too short to show", "Attainable", "A longer trace would tell"] {
        assert!(!unknown.contains(denial), "{unknown}");
    }
    let json = tune(&folder, &[&contract[..], &["--mistake-duration", "5s", "--json"]].concat());
    let answers: Vec<Value> = serde_json::from_slice(&json.stdout).unwrap();
    for answer in &answers {
        assert_eq!(answer["answer"], "not_shown");
        assert_eq!(answer["needed_span_s"], Value::Null);
        // Nothing that errs is better than what does not.
        assert_eq!(answer["candidates"][0]["whole"]["mistakes"], 0);
    }
    assert_eq!(answers.len(), 1);
}

#[test]
fn pings_without_stamps_count_from_the_last_arrival() {
    let folder = tempfile::tempdir().unwrap();
    let reply = |sequence: u32| format!("64 bytes from ::1: icmp_seq={sequence} time=0.5 ms\n");
    let log: String = (1..=600).map(reply).collect();
    fs::write(folder.path().join("ping.log"), log).unwrap();
    let contract = ["ping.log", "--detection-time", "3s", "--mistakes-per-day", "1"];
    let output = tune(&folder, &contract);
    assert!(output.status.success());
    assert!(text(&output.stderr).starts_with("surmise-lab: ping.log has no time stamps: assuming"));
    assert!(text(&output.stdout).contains("`fixed` with timeout 3 s"), "{}", text(&output.stdout));
}
