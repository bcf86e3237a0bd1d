//! What `surmise-lab failover` makes of its runs, with real processes.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;

/// Runs the command, which has a folder of its own for temporary files.
fn failover(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.arg("failover").args(arguments).env_remove("SURMISE_LAB_STORE");
    command.env("TMPDIR", folder.path()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn runs_share_a_file_of_redb() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("--store=redb:{}", folder.path().join("kept.redb").display());
    let runs = ["--runs=4", "--kill=leader@600ms+200ms", "--json", &store];
    let output = failover(&folder, &runs);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let runs = report["runs"].as_array().unwrap();
    let clean = runs.iter().filter(|run| run["verdict"]["outcome"] == "clean").count();
    assert_eq!((clean, runs.len()), (4, 4));
    assert_eq!(report["fenced"], true);
}

#[test]
fn runs_that_do_not_finish_break_nothing_and_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody hears anybody.
    let times = ["--detection-time=100ms", "--heartbeat-interval=20ms", "--duration=1s"];
    let arguments = [&["--loss=1", "--store=memory", "--runs=2"], &times[..]].concat();
    let output = failover(&folder, &arguments);
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains("2 of 2 runs did not finish, though nothing was broken"), "{errors}");
    assert!(said.contains("NOT FINISHED") && said.contains("0 of 2 runs are clean"), "{said}");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "{said}");
    for file in files {
        assert!(said.contains(file.to_str().unwrap()), "{said}");
        let report: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(report["runs"][0]["verdict"]["outcome"], "unfinished");
        assert!(report["runs"][0]["history"]["entries"].is_array());
    }
}
