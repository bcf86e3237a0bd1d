//! The command `surmise-lab fence` on real servers.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests, where a panic is a failure"
)]

// It is not published with this crate, and so neither is this file.
#[path = "../../surmise-store/tests/support/servers.rs"]
mod servers;

use std::process::{Command, Output};

use serde_json::{Value, json};

use self::servers::{Etcd, Postgres, Redis};

fn fence(store: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.args(["fence", "--store", store, "--lease", "2s", "--pause", "2100ms"]).args(arguments);
    command.output().unwrap()
}

fn verdict(store: &str, arguments: &[&str]) -> Value {
    let output = fence(store, &[arguments, &["--json"]].concat());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["verdict"].take()
}

fn shows_both(store: &str) {
    let fenced = verdict(store, &[]);
    assert_eq!((&fenced["late_write"], &fenced["lost"]), (&json!("refused"), &json!([])));
    let unfenced = verdict(store, &["--unfenced"]);
    let lost = json!([{"by": "node-b", "amount": 30}]);
    assert_eq!((&unfenced["late_write"], &unfenced["lost"]), (&json!("acknowledged"), &lost));
}

fn is_down(store: &str) {
    let output = fence(store, &[]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("is unavailable"), "{errors}");
}

#[test]
#[ignore = "needs a server; `cargo xtask test --only stores` brings it"]
fn etcd_refuses_the_late_write() {
    let Some(etcd) = Etcd::find() else { return };
    let mut server = etcd.start();
    let store = format!("etcd://127.0.0.1:{}", server.port());
    shows_both(&store);
    server.kill();
    is_down(&store);
}

#[test]
#[ignore = "needs a server; `cargo xtask test --only stores` brings it"]
fn postgresql_refuses_the_late_write() {
    let Some(postgres) = Postgres::find() else { return };
    let mut server = postgres.start();
    let store = server.url().to_owned();
    shows_both(&store);
    server.kill();
    is_down(&store);
}

#[test]
#[ignore = "needs a server; `cargo xtask test --only stores` brings it"]
fn redis_refuses_the_late_write() {
    let Some(redis) = Redis::find() else { return };
    let mut server = redis.start();
    let store = server.url().to_owned();
    shows_both(&store);
    assert!(!shown(&store).contains("accepted for"));
    server.kill();
    is_down(&store);
    // What it can lose is shown.
    let server = redis.start_with(&[]);
    let shown = shown(server.url());
    assert!(shown.contains("accepted for this experiment"), "{shown}");
    assert!(shown.contains("appendonly"), "{shown}");
}

fn shown(store: &str) -> String {
    let output = fence(store, &[]);
    assert!(output.status.success());
    // Lines are wrapped.
    let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}
