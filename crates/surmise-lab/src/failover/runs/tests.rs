use std::fs;

use clap::Parser;
use serde_json::Value;

use super::*;
use crate::failover::{simulation, wire::Network};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: FailoverArgs,
}

fn args(arguments: &[&str]) -> FailoverArgs {
    Line::parse_from([&["failover"], arguments].concat()).args
}

/// Returns a run, with its history if that is spoilt, so that the last write is lost.
fn run(seed: u64, is_spoilt: bool) -> RunReport {
    let (setup, _, mut history) = simulation::paused_run();
    if is_spoilt {
        history.log.pop();
    }
    let verdict = Verdict::new(&history, &setup, &Network::default());
    RunReport::new(seed, verdict, is_spoilt.then_some(history))
}

fn silent() -> FailoverError {
    RunError::Silent { name: "node-1".to_owned(), patience: core::time::Duration::ZERO }.into()
}

/// Returns what is written as JSON of these runs, and how the command ends.
fn ended(
    results: Vec<Result<RunReport, FailoverError>>,
    more: &[&str],
) -> (Option<Value>, Result<(), FailoverError>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.json");
    let json = format!("--json={}", file.display());
    let args = args(&[&["--runs=9", &json], more].concat());
    let printer = Printer::beside(Some(Path::new("-")));
    let mut made = Made { runs: Vec::new(), failure: None };
    for (seed, result) in (1..).zip(results) {
        made.take(&args, printer, seed, result).unwrap();
    }
    let ended = made.end(&args, printer);
    (fs::read(&file).ok().map(|json| serde_json::from_slice(&json).unwrap()), ended)
}

#[test]
fn a_run_that_could_not_be_made_does_not_drop_the_others() {
    let (json, ended) = ended(vec![Ok(run(1, false)), Err(silent()), Ok(run(3, false))], &[]);
    assert!(matches!(ended, Err(FailoverError::Run(RunError::Silent { .. }))), "{ended:?}");
    let runs = json.unwrap()["runs"].clone();
    assert_eq!(runs[0]["verdict"]["outcome"], "clean");
    assert!(runs[1]["error"].as_str().unwrap().contains("node-1"), "{}", runs[1]);
    assert_eq!((&runs[1]["seed"], &runs[1]["verdict"]), (&2.into(), &Value::Null));
    assert_eq!(runs[2]["verdict"]["outcome"], "clean");
}

#[test]
fn a_corrupt_run_has_its_history_and_is_worse_than_one_that_was_not_made() {
    let results = || vec![Ok(run(1, true)), Err(silent()), Ok(run(3, false))];
    let (json, ended) = ended(results(), &[]);
    assert!(matches!(ended, Err(FailoverError::Violated { runs: 1, of: 2 })), "{ended:?}");
    let runs = json.unwrap()["runs"].clone();
    assert!(runs[0]["history"]["entries"].as_array().unwrap().len() > 100);
    assert_eq!(runs[2]["history"], Value::Null);
    let (_, ended) = self::ended(results(), &["--no-fencing"]);
    assert!(matches!(ended, Err(FailoverError::NothingFound { runs: 1, of: 2 })), "{ended:?}");
}

#[test]
fn at_ctrl_c_only_what_cannot_be_had_again_is_written() {
    for is_spoilt in [false, true] {
        let results = vec![Ok(run(1, is_spoilt)), Err(silent()), Err(RunError::Interrupted.into())];
        let (json, ended) = ended(results, &[]);
        let is_interrupted = matches!(ended, Err(FailoverError::Run(RunError::Interrupted)));
        assert!(is_interrupted && json.is_some() == is_spoilt, "{ended:?}");
    }
}

#[test]
fn a_run_that_did_not_finish_has_a_status_of_its_own() {
    let mut unfinished = run(1, false);
    unfinished.verdict.as_mut().unwrap().outcome = Outcome::Unfinished;
    let (_, ended) = ended(vec![Ok(unfinished), Ok(run(2, false))], &[]);
    let error = ended.unwrap_err();
    assert_eq!(error.exit_status(), 3);
    let said = error.to_string();
    assert!(said.starts_with("1 of 2 runs did not finish, though nothing was broken"), "{said}");
    assert_eq!(FailoverError::Violated { runs: 1, of: 2 }.exit_status(), 1);
}

#[test]
fn what_was_noted_is_kept_in_a_file_where_there_is_no_json() {
    for (arguments, is_spoilt, is_kept) in [
        (vec![], true, true),
        (vec![], false, false),
        (vec!["--json=-"], true, false),
        (vec!["--no-fencing"], true, false),
    ] {
        let kept = keep(&args(&arguments), &[run(7, is_spoilt)]).unwrap();
        assert_eq!(kept.is_some(), is_kept, "{arguments:?}");
        let Some(file) = kept else { continue };
        let json: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(json["runs"][0]["seed"], 7);
        assert!(json["runs"][0]["history"]["log"].is_array());
    }
}
