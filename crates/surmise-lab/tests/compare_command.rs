//! The command `surmise-lab compare` as its users meet it.

#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]

use core::fmt::Write as _;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

fn compare(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_surmise-lab"))
        .current_dir(folder.path())
        .arg("compare")
        .args(arguments)
        .output()
        .unwrap()
}

/// Writes a trace of beats every 100 ms, each as much later as `delay` says in milliseconds.
fn write_trace(folder: &Path, name: &str, beats: u64, delay: fn(u64) -> u64) {
    let mut text = "sequence,sent_ns,received_ns\n".to_owned();
    for sequence in 0..beats {
        let sent = sequence * 100_000_000;
        writeln!(text, "{sequence},{sent},{}", sent + delay(sequence) * 1_000_000).unwrap();
    }
    fs::write(folder.join(name), text).unwrap();
}

/// Every twentieth beat is 60 ms late, and every hundredth two seconds.
fn unsteady(sequence: u64) -> u64 {
    match sequence {
        _ if sequence % 100 == 99 => 2_000,
        _ if sequence % 20 == 7 => 60,
        _ => 1 + sequence % 3,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn prints_tables_that_fit_and_the_path_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let long = "a-trace-with-a-name-as-long-as-file-systems-allow-".repeat(4) + ".csv";
    write_trace(folder.path(), &long, 600, unsteady);
    write_trace(folder.path(), "b.csv", 600, unsteady);
    let output = compare(&folder, &[&long, "b.csv", "--report", "out.html"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
    let printed = text(&output.stdout);
    for line in printed.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for name in ["fixed", "chen", "bertier", "two-window", "phi", "exponential", "satzger"] {
        assert!(printed.contains(&format!("│ {name} ")), "{name} is not in\n{printed}");
    }
    assert_eq!(printed.matches("Pareto-optimal in").count(), 2);
    assert!(printed.ends_with("Report: out.html\n"), "{printed}");
    assert!(folder.path().join("out.html").exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn the_recorded_traces_are_compared_when_none_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let output = compare(&folder, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    for name in ["calm", "contended", "bursty"] {
        assert!(printed.contains(&format!("{name}: ")), "{name} is not in\n{printed}");
    }
    assert!(printed.lines().all(|line| line.chars().count() <= 100));
    assert!(printed.ends_with("\n\nReport: surmise-report.html\n"));
    // On none of them is a default of ours as bad as a peer's in one respect and worse in the other.
    let undominated = "No default of ours is dominated by a peer's.";
    assert_eq!(printed.matches(undominated).count(), 3, "{printed}");
    assert_eq!(printed.matches("Pareto-optimal in mistakes and mean detection time: ").count(), 3);
    let report = fs::read_to_string(folder.path().join("surmise-report.html")).unwrap();
    assert_eq!(report.matches(&format!("<p class=\"statement\">{undominated}</p>")).count(), 3);
    assert!(report.contains("None of our defaults is dominated by another system's default."));
}

#[test]
fn of_a_ping_log_with_a_session_that_is_too_short_the_others_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for (host, replies) in [("10.0.0.1", 5), ("10.0.0.2", 150)] {
        writeln!(log, "PING {host} ({host}) 56(84) bytes of data.").unwrap();
        for sequence in 1..=replies {
            writeln!(log, "64 bytes from {host}: icmp_seq={sequence} ttl=64 time=0.5 ms").unwrap();
        }
        writeln!(log, "\n--- {host} ping statistics ---").unwrap();
    }
    fs::write(folder.path().join("ping.log"), log).unwrap();
    let output = compare(&folder, &["ping.log", "--interval", "200ms"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("surmise-lab: left out: ping.log"));
    assert_eq!(text(&output.stdout).matches("one every 200 ms").count(), 1);
}

#[test]
fn where_the_times_are_from_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let reply = |sequence: u32| format!("64 bytes from ::1: icmp_seq={sequence} time=0.5 ms\n");
    let plain: String = (1..=150).map(reply).collect();
    let stamped: String = (1..=150).map(|i| format!("[{i}.5] {}", reply(i))).collect();
    fs::write(folder.path().join("plain.log"), plain).unwrap();
    fs::write(folder.path().join("stamped.log"), stamped).unwrap();
    let assumed = "plain.log has no time stamps: assuming one ping every";
    let cases = [
        (["plain.log"].as_slice(), format!("surmise-lab: {assumed} 1s (--interval)\n")),
        (
            &["plain.log", "--interval=200ms"],
            format!("surmise-lab: {assumed} 200ms (--interval)\n"),
        ),
        (&["stamped.log"], String::new()),
        (
            &["stamped.log", "--interval=200ms"],
            "surmise-lab: stamped.log has times of its own: --interval is ignored\n".to_owned(),
        ),
    ];
    for (arguments, said) in cases {
        let output = compare(&folder, &[arguments, &["--detector=fixed=2"]].concat());
        assert!(output.status.success(), "{arguments:?}");
        assert_eq!(text(&output.stderr), said, "{arguments:?}");
        let report = fs::read_to_string(folder.path().join("surmise-report.html")).unwrap();
        let assumed = said.contains("assuming");
        assert_eq!(report.contains("The log has no time stamps"), assumed, "{arguments:?}");
    }
}

#[test]
fn json_has_the_promised_keys_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(folder.path(), "a.csv", 600, unsteady);
    assert!(compare(&folder, &["a.csv", "--json", "a.json"]).status.success());
    let scores: Value =
        serde_json::from_slice(&fs::read(folder.path().join("a.json")).unwrap()).unwrap();
    let scores = scores.as_array().unwrap();
    assert!(scores.len() > 300);
    for score in scores {
        let keys: Vec<&str> = score.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = [
            "trace",
            "detector",
            "parameter",
            "parameter_name",
            "detection_time_s",
            "detection_time_max_s",
            "mistakes",
            "mistake_rate_hz",
            "mistake_duration_s",
            "query_accuracy",
            "scored",
            "span_s",
        ];
        expected.sort_unstable();
        assert_eq!(keys, expected);
        // Five beats are overtaken; the last of those that are late is not.
        assert_eq!(score["scored"], 600 - 5 - 101);
    }
}

#[test]
fn json_on_the_standard_output_is_alone_there() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(folder.path(), "a.csv", 200, unsteady);
    let output = compare(&folder, &["a.csv", "--json", "-", "--detector", "phi=8"]);
    let scores: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(scores.len(), 1);
    assert!(text(&output.stderr).ends_with("Report: surmise-report.html\n"));
    assert!(!folder.path().join("-").exists());
}

#[test]
fn no_result_is_written_over_a_trace_or_the_other_result() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(folder.path(), "a.csv", 200, unsteady);
    fs::create_dir(folder.path().join("in")).unwrap();
    let content = fs::read(folder.path().join("a.csv")).unwrap();
    for (arguments, message) in [
        (["--json", "./a.csv", "--report", "r"], "./a.csv: cannot be written, for it is the trace"),
        (["--json", "j", "--report", "in/../a.csv"], "in/../a.csv: cannot be written, for"),
        (["--json", "z", "--report", "in/../z"], "z: cannot be written as JSON, for it is the rep"),
    ] {
        let output = compare(&folder, &[&["a.csv"], arguments.as_slice()].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let error = text(&output.stderr);
        assert!(error.starts_with(&format!("surmise-lab: {message}")), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "{arguments:?}");
    }
    assert_eq!(fs::read(folder.path().join("a.csv")).unwrap(), content);
}

#[test]
fn traces_of_one_file_name_are_told_apart_by_their_folders() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        write_trace(&folder.path().join(name), "t.csv", 200, unsteady);
    }
    let arguments = ["one/t.csv", "two/t.csv", "--json", "j", "--detector", "phi=8"];
    let output = compare(&folder, &arguments);
    let printed = text(&output.stdout);
    let scores: Vec<Value> =
        serde_json::from_slice(&fs::read(folder.path().join("j")).unwrap()).unwrap();
    let report = fs::read_to_string(folder.path().join("surmise-report.html")).unwrap();
    for (score, name) in scores.iter().zip(["one/t.csv", "two/t.csv"]) {
        assert_eq!(score["trace"], name);
        assert!(printed.contains(&format!("{name}: ")), "{printed}");
        assert!(report.contains(&format!("<h2>{name}</h2>")));
    }
}

#[test]
fn what_is_doubtful_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let header = "sequence,sent_ns,received_ns\n";
    // The one sends by a clock that is an hour ahead, the other is silent for 40 hours.
    let write = |name, row: &dyn Fn(u64) -> String| {
        let rows: String = (0..300).map(row).collect();
        fs::write(folder.path().join(name), header.to_owned() + &rows).unwrap();
    };
    let second = 1_000_000_000;
    write("ahead.csv", &|i| format!("{i},{},{}\n", (i + 3_600) * second, i * second));
    write("silent.csv", &|i| format!("{i},,{}\n", (i + i / 200 * 144_000) * second));
    let noted = |arguments: &[&str]| text(&compare(&folder, arguments).stderr);
    assert_eq!(
        noted(&["ahead.csv", "--same-clock"]),
        "surmise-lab: ahead.csv: mean detection time is negative: sent_ns and received_ns are not on \
         one clock\n"
    );
    assert_eq!(noted(&["ahead.csv"]), "");
    let silent = "surmise-lab: silent.csv: silences over 39 h count as 39 h\n";
    assert_eq!(noted(&["silent.csv"]), silent);
}

#[test]
fn chosen_points_replace_the_sweeps() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(folder.path(), "a.csv", 600, unsteady);
    let points = ["--detector", "phi=8", "--detector", "fixed=0.15", "--detector", "fixed=3600"];
    let output = compare(&folder, &[&["a.csv", "--json", "a.json"], points.as_slice()].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let scores: Vec<Value> =
        serde_json::from_slice(&fs::read(folder.path().join("a.json")).unwrap()).unwrap();
    let points: Vec<(&str, f64)> = scores
        .iter()
        .map(|score| (score["detector"].as_str().unwrap(), score["parameter"].as_f64().unwrap()))
        .collect();
    assert_eq!(points, [("phi", 8.0), ("fixed", 0.15), ("fixed", 3600.0)]);
    assert_eq!(scores[2]["mistakes"], 0);
    assert!(text(&output.stdout).lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn the_report_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(folder.path(), "<b>&\"'.csv", 600, unsteady);
    assert!(compare(&folder, &["<b>&\"'.csv"]).status.success());
    let report = fs::read_to_string(folder.path().join("surmise-report.html")).unwrap();
    assert!(report.starts_with("<!DOCTYPE html>"));
    for reference in ["http:", "https:", "src=", "@import", "url(", "<script", "<link", "<b>&"] {
        assert!(!report.contains(reference), "the report contains {reference:?}");
    }
    // Three figures, each for wide and for narrow screens, each with a description.
    assert_eq!(
        (report.matches("<desc id=").count(), report.matches("<svg class=").count()),
        (6, 6)
    );
    assert!(report.contains("prefers-color-scheme: dark"));
    assert!(report.contains("&lt;b&gt;"));
    assert!(report.contains("Pareto-optimal in mistakes and mean detection time"));
    assert!(report.trim_end().ends_with("</html>"));
    for number in ["NaN", "inf "] {
        assert!(!report.contains(number), "the report contains {number:?}");
    }
}

#[test]
fn bad_input_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let header = "sequence,sent_ns,received_ns\n";
    write_trace(folder.path(), "good.csv", 200, unsteady);
    write_trace(folder.path(), "short.csv", 101, unsteady);
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    fs::write(folder.path().join("field.csv"), format!("{header}1,2,3\n2,x,4\n")).unwrap();
    fs::write(folder.path().join("one.csv"), format!("{header}1,2,3\n")).unwrap();
    let cases = [
        ("no-such.csv", "no-such.csv: "),
        ("empty.csv", "empty.csv: "),
        ("field.csv", "field.csv:3: `sent_ns` is \"x\""),
        ("one.csv", "one.csv: 1 heartbeat arrived in order, but 102 are needed"),
        ("short.csv", "short.csv: "),
    ];
    for (file, message) in cases {
        let output = compare(&folder, &["good.csv", file, "--json", "a.json"]);
        assert_eq!(output.status.code(), Some(1), "{file}");
        assert_eq!(text(&output.stdout), "", "{file}");
        let error = text(&output.stderr);
        assert!(error.starts_with(&format!("surmise-lab: {message}")), "{file}: {error}");
        assert_eq!(error.lines().count(), 1, "{file}: {error}");
    }
    assert!(!folder.path().join("a.json").exists());
    assert!(!folder.path().join("surmise-report.html").exists());
}

#[test]
fn a_parameter_out_of_range_is_named_with_its_range() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(folder.path(), "a.csv", 200, unsteady);
    let cases = [
        (
            "exponential=1",
            "a.csv: `exponential` does not take 1 as its `threshold`, which must lie",
        ),
        ("rate-target=0.7", "a.csv: `rate-target` does not take 0.7 as its `rate`, which must lie"),
        ("fixed=0", "a.csv: `fixed` does not take 0 as its `timeout`, which must lie"),
    ];
    for (point, message) in cases {
        let output = compare(&folder, &["a.csv", "--detector", point]);
        assert_eq!(output.status.code(), Some(1), "{point}");
        let error = text(&output.stderr);
        assert!(error.starts_with(&format!("surmise-lab: {message}")), "{error}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        ["--detector", "phi"],
        ["--detector", "nothing=1"],
        ["--detector", "phi=-1"],
        ["--interval", "0s"],
        ["--interval", "soon"],
        ["--report", "-"],
        ["--no-such-option", "1"],
    ] {
        let output = compare(&folder, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write_trace(folder.path(), "a.csv", 200, unsteady);
    let output = compare(&folder, &["a.csv", "--report", "no/such/folder.html"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.starts_with("surmise-lab: no/such/folder.html: cannot be written: "), "{error}");
    assert!(!error.contains(".surmise-"), "{error}");
}

#[test]
fn strange_but_valid_traces_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let header = "sequence,sent_ns,received_ns\n";
    let rows = |row: &dyn Fn(u64) -> String| {
        header.to_owned() + &(0..300).map(|i| row(i) + "\n").collect::<String>()
    };
    let traces = [
        ("regular.csv", rows(&|i| format!("{i},{0},{0}", i * 1_000_000_000))),
        ("every-nanosecond.csv", rows(&|i| format!("{i},,{}", 5 + i))),
        ("far-apart.csv", rows(&|i| format!("{i},,{}", i * 1_800_000_000_000))),
        ("huge-sequences.csv", rows(&|i| format!("{},,{}", ((i / 200) << 63) + i, i << 40))),
        ("late-sequences.csv", rows(&|i| format!("{},,{}", u64::MAX - 299 + i, i * 1000))),
        ("sender-goes-back.csv", rows(&|i| format!("{i},{},{}", 1000 + i % 7 * 9 + i, i * 50))),
    ];
    for (name, content) in traces {
        fs::write(folder.path().join(name), content).unwrap();
        let output = compare(&folder, &[name, "--json", "a.json"]);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let scores = fs::read_to_string(folder.path().join("a.json")).unwrap();
        assert!(!scores.contains("null"), "{name}");
    }
}
