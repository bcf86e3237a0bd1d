//! Processes that execute the same keys in etcd, are stopped for longer than their leases last and killed, and so is the
//! leader: every effect happens once, and what was acknowledged is replayed.
//!
//! The test starts itself again as the executors. The effects are in etcd too, behind a fence that is raised by the tokens of
//! the executions; how often one happened is how often etcd says that its key was written.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "what is not as expected is a failure of the test"
)]

mod support {
    pub(crate) mod etcd;
    pub(crate) mod servers;
}

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
};

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use surmise_fence::Pass;
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claimed, FencedStore as _, IdempotencyStore as _, Outcome, Settled, StoreError, Terms, Ticket,
    etcd::{EtcdConfig, EtcdStore},
};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::time::sleep;

use self::support::{
    etcd::{ask, leader, patient},
    servers::{Etcd, Server},
};

const URLS: &str = "SURMISE_TEST_EXECUTIONS";
/// Tells our lines from those of the test harness.
const MARK: &str = "> ";
const LEASE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// How many keys executors have in common at a time.
const BLOCK: u64 = 8;

fn terms() -> Terms {
    Terms { lease: LEASE, ..Terms::default() }
}

#[tokio::test]
async fn executors_that_are_stopped_and_killed_do_everything_once() {
    let Some(etcd) = Etcd::find() else { return };
    let mut cluster =
        etcd.start_cluster_with(&["--heartbeat-interval=40", "--election-timeout=400"]);
    let urls: Vec<&str> = cluster.iter().map(Server::url).collect();
    let urls = urls.join(",");
    let mut rng = Rng::with_seed(7);
    let mut executors: Vec<Executor> = (0..3).map(|_| Executor::start(&urls)).collect();
    let mut said = Vec::new();
    for round in 0..18 {
        sleep(LEASE * rng.u32(1..8) / 8).await;
        let at = rng.usize(..executors.len());
        executors[at].wait_for_an_effect().await;
        match round % 3 {
            0 => {
                executors[at].signal(Signal::STOP);
                sleep(LEASE * 3).await;
                executors[at].signal(Signal::CONT);
            }
            1 => {
                let next = Executor::start(&urls);
                said.extend(core::mem::replace(&mut executors[at], next).kill());
            }
            _ => {
                let leader = leader(&cluster);
                cluster[leader].restart();
            }
        }
    }
    // They come to the end of what was disturbed.
    sleep(LEASE * 3).await;
    executors.into_iter().for_each(|executor| said.extend(executor.kill()));
    check(&said, &cluster).await;
}

/// Fails unless what was said is what is there.
async fn check(said: &[String], cluster: &[Server]) {
    let mut acknowledged: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut recovered, mut fenced) = (0, 0);
    for line in said {
        match *line.split(' ').collect::<Vec<_>>() {
            ["recovers", _] => recovered += 1,
            ["fenced", _] => fenced += 1,
            ["executed", _] => {}
            ["result", key, result] => {
                let first = acknowledged.entry(key).or_insert(result);
                assert_eq!(*first, result, "{key} had another result before");
            }
            _ => panic!("{line}"),
        }
    }
    let counts = (acknowledged.len(), recovered, fenced);
    println!("{counts:?} keys, recoveries, and executors that came too late");
    assert!(counts.0 > 100 && recovered >= 6 && fenced > 0, "{counts:?}");
    let store = patient(cluster).await;
    for (&key, &result) in &acknowledged {
        assert_eq!(times_written(&cluster[0], key), Some(1), "the effects of {key}");
        match store.begin(&name(key), Fingerprint::NONE, terms()).await.unwrap() {
            Claimed::Replay(replayed) => assert_eq!(replayed, result.as_bytes()),
            other => panic!("{key}: {other:?}"),
        }
    }
    // What nobody acknowledged was not done twice either.
    for key in (0..).map(|key: u64| key.to_string()) {
        match times_written(&cluster[0], &key) {
            Some(times) => assert_eq!(times, 1, "the effects of {key}"),
            None if acknowledged.contains_key(&*key) => {}
            None => break,
        }
    }
}

/// Returns how often an effect happened, if it did.
fn times_written(member: &Server, key: &str) -> Option<u64> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let key = STANDARD.encode(format!("surmise/1/value/{}\0effect", resource(key)));
    let answer = ask(member, "/v3/kv/range", &format!(r#"{{"key": "{key}"}}"#));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["kvs"].get(0)?["version"].as_str()?.parse().ok()
}

/// An executor, in a process of its own: it executes one key after another, and says their results.
#[tokio::test]
#[ignore = "is started by the other test, and killed by it"]
async fn executor() {
    let Ok(urls) = env::var(URLS) else { return };
    let config = EtcdConfig {
        endpoints: urls.split(',').map(str::to_owned).collect(),
        request_timeout: LEASE,
        ..EtcdConfig::default()
    };
    let store = loop {
        match EtcdStore::connect(config.clone()).await {
            Ok(store) => break store,
            Err(_) => sleep(PAUSE).await,
        }
    };
    // Each has another order, so that they do not all wait for one.
    let turn = u64::from(std::process::id());
    for block in (0..).map(|block: u64| block * BLOCK) {
        for key in (0..BLOCK).map(|at| (block + (at + turn) % BLOCK).to_string()) {
            let result = result(&store, &key).await;
            say(&format!("result {key} {result}"));
        }
    }
}

async fn result(store: &EtcdStore, key: &str) -> String {
    loop {
        let executed = match store.begin(&name(key), Fingerprint::NONE, terms()).await {
            Ok(Claimed::Execute(ticket)) => execute(store, key, &ticket).await,
            Ok(Claimed::Recover(ticket)) => {
                say(&format!("recovers {key}"));
                recover(store, key, &ticket).await
            }
            Ok(Claimed::Replay(result)) => return String::from_utf8(result).unwrap(),
            Ok(Claimed::InFlight { retry_after }) => {
                sleep(retry_after.min(10 * PAUSE)).await;
                None
            }
            Ok(Claimed::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => {
                sleep(PAUSE).await;
                None
            }
            other => panic!("{other:?}"),
        };
        if let Some(result) = executed {
            return result;
        }
    }
}

/// Looks whether there was an effect, once there cannot be any more by those who were there before.
async fn recover(store: &EtcdStore, key: &str, ticket: &Ticket) -> Option<String> {
    loop {
        match store.raise(&resource(key), ticket.token()).await {
            Ok(Outcome::Applied) => break,
            Ok(Outcome::Stale { .. }) => return None,
            Ok(Outcome::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    let entry = loop {
        match store.read(&resource(key), b"effect").await {
            Ok(entry) => break entry,
            Err(_) => sleep(PAUSE).await,
        }
    };
    match entry.and_then(|entry| entry.value) {
        Some(effect) => complete(store, key, ticket, String::from_utf8(effect).unwrap()).await,
        None => execute(store, key, ticket).await,
    }
}

async fn execute(store: &EtcdStore, key: &str, ticket: &Ticket) -> Option<String> {
    let effect = ticket.token().to_string();
    // By its number it is known if it is sent again.
    let pass = Pass::from(ticket.token()).with_sequence(1);
    loop {
        match store.write(&resource(key), b"effect", effect.as_bytes(), pass).await {
            Ok(Outcome::Applied | Outcome::Duplicate { .. }) => break,
            Ok(Outcome::Stale { .. }) => {
                say(&format!("fenced {key}"));
                return None;
            }
            Ok(Outcome::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    // Whoever is to stop or to kill it has an opportunity.
    say(&format!("executed {key}"));
    sleep(PAUSE).await;
    complete(store, key, ticket, effect).await
}

async fn complete(store: &EtcdStore, key: &str, ticket: &Ticket, result: String) -> Option<String> {
    loop {
        match store.complete(ticket, result.as_bytes()).await {
            Ok(Settled::Done) => return Some(result),
            Ok(Settled::Fenced) => {
                say(&format!("fenced {key}"));
                return None;
            }
            Ok(Settled::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Writes a line at once, and not by a macro, whose output would be captured.
fn say(said: &str) {
    // If the other end is gone, so is the test.
    _ = io::stdout().lock().write_all(format!("{MARK}{said} <\n").as_bytes());
}

fn name(key: &str) -> Key {
    Key::new("tenant", "charge", key).unwrap()
}

fn resource(key: &str) -> String {
    format!("effects of {key}")
}

/// An executor in a process.
struct Executor {
    child: Child,
    /// How many effects it said that there were.
    effects: Arc<AtomicU64>,
    said: Option<JoinHandle<Vec<String>>>,
}

impl Executor {
    fn start(urls: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "executor", "--ignored", "--nocapture"])
            .env(URLS, urls)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let effects = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&effects);
        let said = thread::spawn(move || {
            // The last line of one that was killed may not be whole.
            let said = |line: String| {
                let (_, said) = line.split_once(MARK)?;
                let said = said.strip_suffix(" <")?.to_owned();
                counter.fetch_add(u64::from(said.starts_with("executed")), Ordering::SeqCst);
                Some(said)
            };
            output.lines().map_while(Result::ok).filter_map(said).collect()
        });
        Self { child, effects, said: Some(said) }
    }

    /// Waits until it is between an effect and its completion.
    async fn wait_for_an_effect(&self) {
        let before = self.effects.load(Ordering::SeqCst);
        let start = BootClock.now();
        while self.effects.load(Ordering::SeqCst) == before {
            assert!(BootClock.now() - start < 60 * LEASE, "an executor does nothing");
            sleep(PAUSE / 20).await;
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Kills it, and returns what it said.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.said.take().unwrap().join().unwrap()
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
