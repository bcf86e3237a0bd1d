//! How long a failover takes, with real processes and nothing beside them: so this test is in a file of its own.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests, where a panic is a failure"
)]

use std::process::Command;

use serde_json::Value;

/// Returns the time from when the leader was killed to the first write that the next one had acknowledged, in nanoseconds.
fn failover() -> u64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.args(["failover", "--kill=leader@1s", "--json"]).env_remove("SURMISE_LAB_STORE");
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let entries = report["runs"][0]["history"]["entries"].as_array().unwrap();
    let first = |what, since: u64| {
        let times = entries.iter().filter(|entry| entry["what"] == what);
        let after = times.map(|entry| entry["at_ns"].as_u64().unwrap()).filter(|&at| at > since);
        after.min().unwrap_or_else(|| panic!("nothing was {what}"))
    };
    let killed = first("killed", 0);
    first("acknowledged", first("leads", killed)) - killed
}

#[test]
fn the_next_leader_writes_within_twice_the_detection_time() {
    let mut times: Vec<_> = (0..5).map(|_| failover()).collect();
    times.sort_unstable();
    // Which is 500 ms by default.
    assert!(times[2] <= 2 * 500_000_000, "{times:?}");
}
