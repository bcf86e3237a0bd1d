//! Processes that are killed between an effect and its completion: every effect happens once, and what was acknowledged is
//! replayed.
//!
//! The test starts itself again as the executor that it kills. Effects are lines of a file, each written at once.

#![cfg(all(feature = "redb", unix))]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

mod support {
    pub(crate) mod wait;
}

use core::time::Duration;
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use fastrand::Rng;
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claimed, IdempotencyStore, Settled, Terms, Ticket,
    redb::{RedbConfig, RedbStore},
};
use tempfile::TempDir;

use self::support::wait::wait;

const FOLDER: &str = "SURMISE_TEST_EXECUTIONS";
/// What is said of a key whose effect was found and not its completion.
const RECOVERED: &str = "recovered";
const KEYS: u64 = 400;
/// Leases end soon, so that the next process recovers from what the last one left.
const TERMS: Terms = Terms {
    lease: Duration::from_millis(20),
    retention: Duration::from_secs(3600),
    brief_retention: Duration::from_secs(3600),
};

#[test]
fn forty_killed_executors_leave_every_effect_once_and_every_result_the_same() {
    let folder = TempDir::new().unwrap();
    let mut rng = Rng::with_seed(9);
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    // Those that were killed between the effect and its completion.
    let mut recovered = BTreeSet::new();
    for _ in 0..40 {
        let mut executor = start(folder.path());
        // It begins with what was done before, and does some more.
        let lines_said = acknowledged.len() + rng.usize(..24);
        let lines = BufReader::new(executor.stdout.take().unwrap()).lines();
        let mut said = lines.map_while(Result::ok).filter_map(|line| {
            let (_, said) = line.split_once("> ")?;
            Some(said.strip_suffix(" <")?.to_owned())
        });
        let mut hear = |said: String| {
            let Some((key, result)) = said.split_once(' ') else { return };
            if key == RECOVERED {
                recovered.insert(result.to_owned());
                return;
            }
            let first = acknowledged.entry(key.to_owned()).or_insert_with(|| result.to_owned());
            assert_eq!(first, result, "{key} had another result before");
        };
        for line in said.by_ref().take(lines_said) {
            hear(line);
        }
        executor.kill().unwrap();
        executor.wait().unwrap();
        said.for_each(hear);
    }
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    let effects = effects(folder.path());
    for (key, tokens) in &effects {
        assert_eq!(tokens.len(), 1, "the effects of {key}");
    }
    let store = open(folder.path());
    for (key, result) in &acknowledged {
        assert_eq!(effects.get(key).map(|tokens| &*tokens[0]), Some(&**result));
        match wait(store.begin(&name(key), Fingerprint::NONE, TERMS)).unwrap() {
            Claimed::Replay(replayed) => assert_eq!(replayed, result.as_bytes()),
            other => panic!("{key}: {other:?}"),
        }
    }
    assert!(recovered.len() >= 5, "{recovered:?}");
}

/// The executor, in a process of its own: it executes one key after another, and says their results.
#[test]
#[ignore = "is started by the other test, and killed by it"]
fn executor() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let store = open(folder);
    let log = OpenOptions::new().create(true).append(true).open(folder.join("effects")).unwrap();
    for key in (0..KEYS).map(|key| key.to_string()) {
        let result = result(&store, folder, &log, &key);
        say(&format!("{key} {result}"));
    }
}

/// Writes a line at once.
fn say(said: &str) {
    // If the other end is gone, so is the test.
    let _ = std::io::stdout().lock().write_all(format!("> {said} <\n").as_bytes());
}

fn result(store: &RedbStore, folder: &Path, log: &File, key: &str) -> String {
    loop {
        match wait(store.begin(&name(key), Fingerprint::NONE, TERMS)).unwrap() {
            Claimed::Execute(ticket) => return complete(store, &ticket, effect(log, key, &ticket)),
            // Whether there was an effect can be seen here; where it cannot, there is nobody to ask.
            Claimed::Recover(ticket) => {
                let before = effects(folder).remove(key).and_then(|mut tokens| tokens.pop());
                if before.is_some() {
                    say(&format!("{RECOVERED} {key}"));
                }
                let result = before.unwrap_or_else(|| effect(log, key, &ticket));
                return complete(store, &ticket, result);
            }
            Claimed::Replay(result) => return String::from_utf8(result).unwrap(),
            Claimed::InFlight { retry_after } => std::thread::park_timeout(retry_after),
            other => panic!("{other:?}"),
        }
    }
}

fn effect(mut log: &File, key: &str, ticket: &Ticket) -> String {
    let token = ticket.token().to_string();
    log.write_all(format!("{key} {token}\n").as_bytes()).unwrap();
    // Whoever is to kill it has an opportunity.
    say(key);
    token
}

fn complete(store: &RedbStore, ticket: &Ticket, result: String) -> String {
    let settled = wait(store.complete(ticket, result.as_bytes())).unwrap();
    assert!(matches!(settled, Settled::Done), "{settled:?}");
    result
}

/// Returns the tokens of the effects of each key.
fn effects(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut effects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in fs::read_to_string(folder.join("effects")).unwrap_or_default().lines() {
        let (key, token) = line.split_once(' ').unwrap();
        effects.entry(key.to_owned()).or_default().push(token.to_owned());
    }
    effects
}

fn open(folder: &Path) -> RedbStore {
    RedbStore::open(folder.join("store"), RedbConfig::default()).unwrap()
}

fn name(key: &str) -> Key {
    Key::new("tenant", "charge", key).unwrap()
}

fn start(folder: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "executor", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
