//! The command `surmise-lab scenario` as its users meet it.

#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;

fn scenario(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.arg("scenario").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const NAMES: [&str; 9] = [
    "lost-reply",
    "timeout-dilemma",
    "clock-drift",
    "confidence-intervals",
    "gc-pause",
    "byzantine",
    "quorum",
    "tail-latency",
    "failure-arithmetic",
];

#[test]
fn without_a_name_it_lists_them_all_with_a_line_each() {
    let output = scenario(&[]);
    assert!(output.status.success());
    let list = text(&output.stdout);
    let lines: Vec<_> = list.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), NAMES.len(), "{list}");
    for (line, name) in lines.iter().zip(NAMES) {
        assert!(line.starts_with(&format!("{name} ")) && line.len() > 40, "{line}");
    }
    assert!(list.ends_with("\nTell one of them:\n  surmise-lab scenario lost-reply\n"), "{list}");
}

#[test]
fn each_is_told_as_text_and_as_json() {
    for name in NAMES {
        let output = scenario(&[name, "--seed", "3", "--json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let keys: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = ["name", "title", "seed", "setting", "figures", "lesson", "sources"];
        expected.sort_unstable();
        assert_eq!(keys, expected, "{name}");
        assert_eq!(told["name"], name);
        assert_eq!(told["seed"], if name == "byzantine" { Value::Null } else { 3.into() });
        let shown = text(&output.stderr);
        let note = "surmise-lab: byzantine draws nothing: --seed is ignored\n";
        assert_eq!(shown.starts_with(note), name == "byzantine", "{shown}");
        let shown = shown.trim_start_matches(note);
        assert!(shown.starts_with(told["title"].as_str().unwrap()), "{shown}");
        assert_eq!(shown.contains(" (seed 3)\n"), name != "byzantine", "{shown}");
        for source in told["sources"].as_array().unwrap() {
            assert!(shown.contains(source["url"].as_str().unwrap()), "{shown}");
        }
    }
}

#[test]
fn numbers_in_json_are_numbers() {
    let told: Value = serde_json::from_slice(&scenario(&["lost-reply", "--json"]).stdout).unwrap();
    let table = &told["figures"][0]["table"];
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    let payments: u64 = rows.iter().map(|row| row[1].as_u64().unwrap()).sum();
    let with_key: u64 = rows.iter().map(|row| row[5].as_u64().unwrap()).sum();
    assert_eq!((payments, with_key), (10_000, 10_000));
    assert_eq!(table["columns"][5], "with key");
    let told: Value =
        serde_json::from_slice(&scenario(&["tail-latency", "--json"]).stdout).unwrap();
    let bars = told["figures"][2]["bars"]["bars"].as_array().unwrap();
    assert!(bars.iter().all(|bar| bar["value"].as_f64().unwrap() > 0.1), "{bars:?}");
}

#[test]
fn json_goes_to_the_file_that_is_named_and_the_text_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told.json");
    let argument = format!("--json={}", file.display());
    let output = scenario(&["byzantine", &argument]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(text(&output.stdout).starts_with("Why three nodes"));
    let told: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(told["name"], "byzantine");
}

#[test]
fn a_page_is_written_to_the_file_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told.html");
    let path = file.display().to_string();
    let output = scenario(&["tail-latency", "--html", &path]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(output.stdout, scenario(&["tail-latency"]).stdout);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    for part in
        ["<h1>A second request takes", "The p99 in the surge:", "--seed 0</code>", "doi.org"]
    {
        assert!(page.contains(part), "{part}");
    }
    // One file is not both, and there is no page of the list, nor of what goes to the terminal.
    let json = format!("--json={path}");
    let output = scenario(&["quorum", "--html", &path, &json]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("told.html: cannot be written as JSON, for it is the page"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), page);
    for arguments in [["--html", &path].as_slice(), &["quorum", "--html", "-"], &["--seed", "1"]] {
        assert_eq!(scenario(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no/told.json");
    let output = scenario(&[&format!("--json={}", file.display())]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.starts_with("surmise-lab: ") && error.contains("told.json: cannot be"),
        "{error}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn a_name_that_is_none_is_an_error_that_says_which_there_are() {
    let output = scenario(&["lost-replies"]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(NAMES.iter().all(|name| error.contains(name)), "{error}");
    assert!(error.contains("a similar value exists: 'lost-reply'"), "{error}");
}
