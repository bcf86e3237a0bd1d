//! The command `surmise-lab failover` on a real cluster of etcd.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]

// It is not published with this crate, and so neither is this file.
#[path = "../../surmise-store/tests/support/servers.rs"]
mod servers;

use std::process::Command;

use serde_json::Value;

use self::servers::{Etcd, Server};

/// Makes runs with times that are long enough for leases that are counted in seconds.
fn verdicts(members: &[Server], arguments: &[&str]) -> Vec<Value> {
    let ports = members.iter().map(|member| format!("127.0.0.1:{}", member.port()));
    let store = format!("etcd://{}", ports.collect::<Vec<_>>().join(","));
    let times = ["--detection-time=2s", "--heartbeat-interval=100ms", "--json"];
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

#[test]
#[ignore = "needs a server; `cargo xtask test --only stores` brings it"]
fn without_a_fence_pauses_corrupt_what_is_in_etcd() {
    let Some(etcd) = Etcd::find() else { return };
    let members = etcd.start_cluster();
    let faults = ["--pause=leader@1s+5s", "--runs=3", "--no-fencing"];
    let verdicts = verdicts(&members, &faults);
    let is_corrupt = |verdict: &&Value| verdict["outcome"] == "corrupt";
    assert!(verdicts.iter().filter(is_corrupt).count() >= 2, "{verdicts:#?}");
}
