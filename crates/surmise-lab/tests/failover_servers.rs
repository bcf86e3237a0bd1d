//! The command `surmise-lab failover` on a real cluster of etcd.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests, where a panic is a failure"
)]

// It is not published with this crate, and so neither is this file.
#[path = "../../surmise-store/tests/support/servers.rs"]
mod servers;

use std::process::Command;

use serde_json::Value;

use self::servers::{Etcd, Server};

/// Makes runs with times that are long enough for etcd.
fn verdicts(members: &[Server], arguments: &[&str]) -> Vec<Value> {
    let ports = members.iter().map(|member| format!("127.0.0.1:{}", member.port()));
    let store = format!("etcd://{}", ports.collect::<Vec<_>>().join(","));
    // etcd counts leases in seconds, from two on.
    let times = ["--detection-time=1s", "--lease=2s", "--heartbeat-interval=100ms", "--json"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.args(["failover", "--store", &store]).args(times).args(arguments);
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["runs"].as_array().unwrap().iter().map(|run| run["verdict"].clone()).collect()
}

#[test]
#[ignore = "needs a server; `cargo xtask test --only stores` brings it"]
fn three_members_of_etcd_bear_faults_that_are_drawn() {
    let Some(etcd) = Etcd::find() else { return };
    let members = etcd.start_cluster();
    let verdicts = verdicts(&members, &["--seed=1", "--runs=4"]);
    assert_eq!(verdicts.len(), 4);
    assert!(verdicts.iter().all(|verdict| verdict["drained"] == true), "{verdicts:#?}");
}

/// `cargo test --release -p surmise-lab --features etcd --test failover_servers -- --ignored two_hundred`.
#[test]
#[ignore = "a soak of 200 runs, which takes 11 minutes and may take 20"]
fn two_hundred_runs_on_three_members_of_etcd_are_clean() {
    let etcd = Etcd::find().expect("etcd is there");
    let members = etcd.start_cluster();
    let verdicts = verdicts(&members, &["--seed=1000", "--runs=200", "--jobs=6"]);
    assert_eq!(verdicts.len(), 200);
    for verdict in verdicts {
        assert_eq!(verdict["violations"], Value::Array(vec![]), "{verdict:#}");
        assert_eq!(verdict["drained"], true, "{verdict:#}");
        assert!(verdict["counts"]["faults"].as_u64().unwrap() > 0, "{verdict:#}");
        assert_eq!(verdict["counts"]["missed"], 0, "{verdict:#}");
    }
}

#[test]
#[ignore = "needs a server; `cargo xtask test --only stores` brings it"]
fn without_a_fence_what_is_drawn_corrupts_what_is_in_etcd() {
    let Some(etcd) = Etcd::find() else { return };
    let members = etcd.start_cluster();
    let faults = ["--seed=1", "--runs=4", "--no-fencing", "--work=200ms"];
    let verdicts = verdicts(&members, &faults);
    let is_corrupt = |verdict: &&Value| verdict["outcome"] == "corrupt";
    assert!(verdicts.iter().filter(is_corrupt).count() > 2, "{verdicts:#?}");
}
