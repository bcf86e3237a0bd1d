//! Executors that are killed and stopped between the claim, the effect and the completion: every effect happens once, and what
//! was acknowledged is replayed.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]

mod support {
    pub(crate) mod redis;
    pub(crate) mod servers;
}

use core::time::Duration;
use std::{
    env,
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claimed, IdempotencyStore as _, Settled, Terms, Ticket,
    redis::{RedisConfig, RedisStore},
};
use tempfile::TempDir;

use self::support::{
    redis::{config, patient},
    servers::{Redis, Server},
};

/// Leases end soon, so that what somebody left is recovered from soon.
const TERMS: Terms = Terms {
    lease: Duration::from_millis(40),
    retention: Duration::from_secs(3600),
    brief_retention: Duration::from_secs(3600),
};

fn name(key: u64) -> Key {
    Key::new("tenant", "charge", key.to_string()).unwrap()
}

async fn begin(store: &RedisStore, key: u64) -> Claimed {
    store.begin(&name(key), Fingerprint::NONE, TERMS).await.unwrap()
}

/// Waits until nobody is at a key, and returns what to do about it.
async fn take(store: &RedisStore, key: u64) -> Claimed {
    loop {
        match begin(store, key).await {
            Claimed::InFlight { retry_after } => tokio::time::sleep(retry_after).await,
            other => return other,
        }
    }
}

/// What is done to an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    None,
    KilledBeforeTheEffect,
    KilledBeforeTheCompletion,
    Stopped,
}

/// Each executor stands where it is to be harmed, which is not left to chance.
#[tokio::test]
async fn killed_and_stopped_executors_leave_every_effect_once() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let folder = TempDir::new().unwrap();
    let effects = Effects(folder.path().join("effects"));
    let mut rng = Rng::with_seed(5);
    let harms =
        [Harm::None, Harm::KilledBeforeTheEffect, Harm::KilledBeforeTheCompletion, Harm::Stopped];
    for key in 0..32 {
        let harm = harms[usize::try_from(key).unwrap() % harms.len()];
        let mut executor = Executor::start(&server, &effects, key);
        let token = executor.hears("claimed");
        if harm != Harm::KilledBeforeTheEffect {
            executor.goes_on();
            assert_eq!(executor.hears("effect"), token);
        }
        match harm {
            Harm::None => {
                executor.goes_on();
                executor.hears("done");
            }
            Harm::KilledBeforeTheEffect | Harm::KilledBeforeTheCompletion => executor.kill(),
            Harm::Stopped => executor.signal(Signal::STOP),
        }
        // It may be asked for before its lease is over.
        assert!(rng.bool() || !matches!(begin(&store, key).await, Claimed::Execute(_)));
        let result = match take(&store, key).await {
            Claimed::Recover(ticket) if harm != Harm::None => {
                let result = effects.of(key).pop().unwrap_or_else(|| effects.make(key, &ticket));
                let settled = store.complete(&ticket, result.as_bytes()).await;
                assert!(matches!(settled, Ok(Settled::Done)), "{settled:?}");
                result
            }
            Claimed::Replay(result) if harm == Harm::None => String::from_utf8(result).unwrap(),
            other => panic!("{harm:?}: {other:?}"),
        };
        if harm == Harm::Stopped {
            executor.signal(Signal::CONT);
            executor.goes_on();
            executor.hears("fenced");
        }
        assert_eq!(effects.of(key), [result.as_str()], "{harm:?}");
        assert_eq!(result == token, harm != Harm::KilledBeforeTheEffect, "{harm:?}");
        let replayed = begin(&store, key).await;
        let Claimed::Replay(replayed) = replayed else { panic!("{replayed:?}") };
        assert_eq!(replayed, result.as_bytes(), "{harm:?}");
    }
}

/// Not a test: what the processes of executors run. Each executes one key, and waits before each step until it is told.
#[tokio::test]
#[ignore = "is started by the other test, and killed by it"]
async fn executor() {
    let Ok(address) = env::var(ADDRESS) else { return };
    let key = env::var(KEY).unwrap().parse().unwrap();
    let effects = Effects(env::var_os(EFFECTS).unwrap().into());
    let patience = Duration::from_secs(60);
    let config = RedisConfig {
        address,
        connect_timeout: patience,
        request_timeout: patience,
        ..RedisConfig::default()
    };
    let store = RedisStore::connect(config).await.unwrap().durable().unwrap();
    let Claimed::Execute(ticket) = take(&store, key).await else { panic!() };
    let mut told = std::io::stdin().lines();
    let say = |said: &str| {
        // Not by a macro, whose output would be captured.
        let line = format!("> {said} {}\n", ticket.token());
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    };
    say("claimed");
    told.next();
    let result = effects.make(key, &ticket);
    say("effect");
    told.next();
    match store.complete(&ticket, result.as_bytes()).await.unwrap() {
        Settled::Done => say("done"),
        Settled::Fenced => say("fenced"),
        other => panic!("{other:?}"),
    }
}

const ADDRESS: &str = "SURMISE_TEST_ADDRESS";
const KEY: &str = "SURMISE_TEST_KEY";
const EFFECTS: &str = "SURMISE_TEST_EFFECTS";

struct Executor {
    child: Child,
    input: ChildStdin,
    said: Box<dyn Iterator<Item = (String, String)>>,
}

impl Executor {
    fn start(server: &Server, effects: &Effects, key: u64) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "executor", "--ignored", "--nocapture"])
            .env(ADDRESS, config(server).address)
            .env(KEY, key.to_string())
            .env(EFFECTS, &effects.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = lines.filter_map(|line| {
            let (what, token) = line.split_once("> ")?.1.split_once(' ')?;
            Some((what.to_owned(), token.to_owned()))
        });
        Self { input: child.stdin.take().unwrap(), said: Box::new(said), child }
    }

    /// Waits until it says something, and returns its token.
    fn hears(&mut self, expected: &str) -> String {
        let (what, token) = self.said.next().unwrap();
        assert_eq!(what, expected);
        token
    }

    fn goes_on(&mut self) {
        self.input.write_all(b"\n").unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Lines of a file, each written at once.
struct Effects(PathBuf);

impl Effects {
    fn make(&self, key: u64, ticket: &Ticket) -> String {
        let token = ticket.token().to_string();
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0).unwrap();
        file.write_all(format!("{key} {token}\n").as_bytes()).unwrap();
        token
    }

    fn of(&self, key: u64) -> Vec<String> {
        lines(&self.0)
            .filter_map(|line| {
                let (of, token) = line.split_once(' ')?;
                (of == key.to_string()).then(|| token.to_owned())
            })
            .collect()
    }
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect::<Vec<_>>().into_iter()
}
