//! The command `surmise-lab fence` as its users meet it.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests, where a panic is a failure"
)]

#[path = "support/run.rs"]
mod run;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use self::run::{Run, text};

/// A lease that a busy machine does not need more of than there is.
const SHORT: [&str; 4] = ["--lease", "1s", "--pause", "1100ms"];

fn command(arguments: &[&str]) -> Command {
    run::command(&[&["fence"], arguments].concat())
}

fn fence(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Returns what stood on the standard output as JSON, and on the standard error as a timeline.
fn json(arguments: &[&str]) -> (Value, String) {
    run::json(command(&[arguments, &SHORT].concat()))
}

/// Returns who did what, in order.
fn deeds(report: &Value) -> Vec<(&str, &str)> {
    let timeline = report["timeline"].as_array().unwrap();
    timeline
        .iter()
        .map(|entry| (entry["who"].as_str().unwrap(), entry["what"].as_str().unwrap()))
        .collect()
}

/// Returns the first thing of a kind that a process did.
fn deed<'a>(report: &'a Value, who: &str, what: &str) -> &'a Value {
    let mut timeline = report["timeline"].as_array().unwrap().iter();
    timeline
        .find(|entry| entry["who"] == who && entry["what"] == what)
        .unwrap_or_else(|| panic!("{who} did not {what}: {report:#}"))
}

fn at(entry: &Value) -> u64 {
    entry["at_ns"].as_u64().unwrap()
}

fn refuses_the_late_write(store: &str) {
    let (report, timeline) = json(&["--store", store]);
    let expected = [
        ("node-a", "ready"),
        ("node-b", "ready"),
        ("node-a", "granted"),
        ("node-a", "floor_raised"),
        ("node-a", "prepared"),
        ("node-a", "acknowledged"),
        ("node-a", "prepared"),
        ("node-a", "paused"),
        ("node-b", "held"),
        ("node-a", "lease_over"),
        ("node-b", "taken_over"),
        ("node-b", "floor_raised"),
        ("node-b", "prepared"),
        ("node-b", "acknowledged"),
        ("node-a", "resumed"),
        ("node-a", "refused"),
        ("node-a", "looked"),
        ("node-b", "released"),
    ];
    assert_eq!(deeds(&report), expected, "{timeline}");
    let (granted, taken_over) =
        (deed(&report, "node-a", "granted"), deed(&report, "node-b", "taken_over"));
    // It is granted between when it is asked for, which is after all are ready, and when that is known.
    assert!(at(taken_over) - at(deed(&report, "node-b", "ready")) >= 1_000_000_000, "{timeline}");
    let resumed = deed(&report, "node-a", "resumed");
    assert!(resumed["paused_ns"].as_u64().unwrap() >= 1_100_000_000, "{timeline}");
    let refused = deed(&report, "node-a", "refused");
    assert!(at(refused) >= at(resumed), "{timeline}");
    assert_eq!(
        (&refused["offered"], &refused["highest"]),
        (&granted["token"], &taken_over["token"])
    );
    assert_eq!(deed(&report, "node-a", "looked")["remaining_ns"], 0);

    let verdict = &report["verdict"];
    assert_eq!((&verdict["balance"], &verdict["late_write"]), (&130.into(), &"refused".into()));
    assert_eq!(
        (&verdict["lost"], &verdict["unacknowledged"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    for part in [
        "RESUMED after 1.1",
        "node-a  writes 105 with token 1.1: REFUSED, offered 1.1, highest 1.2",
        "In the store: 130, from 100 by node-a and 30 by node-b. None of the 2",
    ] {
        assert!(timeline.contains(part), "{part:?} is not in\n{timeline}");
    }
    assert!(timeline.lines().all(|line| line.chars().count() <= 100), "{timeline}");
}

#[test]
fn a_store_in_memory_refuses_the_late_write() {
    refuses_the_late_write("memory");
}

#[test]
fn a_store_in_a_temporary_file_refuses_the_late_write() {
    refuses_the_late_write("redb");
}

#[test]
fn without_a_fence_an_acknowledged_write_is_lost() {
    let (report, timeline) = json(&["--store", "memory", "--unfenced"]);
    assert!(deeds(&report).iter().all(|&(_, what)| what != "floor_raised" && what != "refused"));
    let verdict = &report["verdict"];
    let lost = serde_json::json!([{"by": "node-b", "amount": 30}]);
    assert_eq!((&verdict["lost"], &verdict["balance"]), (&lost, &105.into()), "{timeline}");
    assert_eq!(verdict["late_write"], "acknowledged");
    for part in
        ["so every writer shows the same one, 0.1,", "LOST: 30 by node-b, which was acknowledged"]
    {
        let words: Vec<&str> = timeline.split_whitespace().collect();
        assert!(words.join(" ").contains(part), "{part:?} is not in\n{timeline}");
    }
}

#[test]
fn a_file_that_is_named_is_kept_and_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.redb");
    let store = format!("redb:{}", path.display());
    for mode in [&[][..], &["--unfenced"]] {
        let report = folder.path().join("report.json");
        let file = ["--store", &store, "--json", report.to_str().unwrap()];
        let output = fence(&[&file, &SHORT[..], mode].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("RESUMED"), "{}", text(&output.stdout));
        let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        assert_eq!(report["fenced"], mode.is_empty());
    }
    let left: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_store_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.redb");
    fs::write(&path, "not a database").unwrap();
    let output = fence(&["--store", &format!("redb:{}", path.display())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("foreign.redb"), "{}", text(&output.stderr));
    assert_eq!(fs::read(&path).unwrap(), b"not a database");
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for (arguments, status, why) in [
        (&["--pause", "2s"][..], 2, "the pause of 2s does not outlast the lease of 2s"),
        (&["--lease", "1ms"], 2, "--lease: a lease lasts for 10ms to"),
        (&["--lease", "two"], 2, "a number and a unit"),
        (&["--store", "mysql://host"], 2, "is no store"),
        (&["--store", "redb:"], 2, "does not say where"),
        (&["--store", "redis://"], 2, "does not say where"),
    ] {
        let output = fence(arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {errors}");
        assert!(errors.contains(why), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[cfg(not(any(feature = "etcd", feature = "postgres", feature = "redis")))]
#[test]
fn a_store_that_is_not_built_in_says_how_to_build_it() {
    for (store, feature) in [
        ("etcd://host:1", "etcd"),
        ("postgres://me:secret@host", "postgres"),
        ("redis://me:secret@host", "redis"),
    ] {
        let output = fence(&["--store", store]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(errors.contains(&format!("--features {feature}")), "{errors}");
        assert!(!errors.contains("secret"), "{errors}");
    }
}

#[test]
fn passwords_are_not_shown_by_what_is_refused() {
    for store in [
        "mysql://me:secret@host",
        "postgres:/me:secret@host",
        "host=db.example password=secret",
        "redis://me:secret@host",
        "redis://host/?password=a@secret",
    ] {
        let given = fence(&["--store", store]);
        let set = command(&[]).env("SURMISE_LAB_STORE", store).output().unwrap();
        let [errors, same] = [given, set].map(|output| text(&output.stderr));
        assert_eq!(errors, same, "{store}");
        assert!(!errors.is_empty() && !errors.contains("secret"), "{store}: {errors}");
    }
    let mut help = command(&["--help"]);
    let help = help.env("SURMISE_LAB_STORE", "postgres://me:secret@host").output().unwrap();
    let help = text(&help.stdout);
    assert!(help.contains("SURMISE_LAB_STORE") && !help.contains("secret"), "{help}");
}

/// Starts a run, and returns its processes, when the first of them is stopped.
fn start(folder: &Path) -> (Run, Vec<Pid>) {
    let mut run = Run::start(command(&["--lease", "1m", "--pause", "2m"]), folder);
    run.read_until("node-a holds it");
    // Not only waiting to be told what to do.
    let processes = run.processes(2);
    (run, processes)
}

#[test]
fn ctrl_c_leaves_no_process_and_no_file() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = tempfile::tempdir().unwrap();
        let (run, processes) = start(folder.path());
        run.interrupt(signal, &processes, folder.path());
    }
}

#[test]
fn processes_end_with_the_one_that_started_them() {
    let folder = tempfile::tempdir().unwrap();
    start(folder.path()).0.kill();
}
