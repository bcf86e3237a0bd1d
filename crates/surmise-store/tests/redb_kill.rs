//! Processes that are killed: what they acknowledged is there, and their tokens are never issued again.
//!
//! The test starts itself again as the writer that it kills.

#![cfg(all(feature = "redb", unix))]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

#[path = "support/redb.rs"]
mod support;

use core::time::Duration;
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use fastrand::Rng;
use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    FencedStore, Granted, LeaseRequest, LeaseStore, Outcome, Resource,
    redb::{RedbConfig, RedbStore},
};
use tempfile::TempDir;

use self::support::wait;

const FILE: &str = "SURMISE_TEST_REDB_FILE";
const NONCE: &str = "SURMISE_TEST_REDB_NONCE";
const WRITERS: u8 = 4;

#[test]
fn sixty_killed_writers_lose_nothing_that_they_acknowledged() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let mut rng = Rng::with_seed(6);
    let mut seen = Seen::default();
    for nonce in 1..=60 {
        let writer = Writer::start(&path, nonce);
        // Three out of four have begun to write.
        let least = if rng.u8(..4) == 0 { 0 } else { 2 };
        let time = Duration::from_micros(rng.u64(..60_000));
        let said = writer.killed_after(least, rng.usize(..300), time);
        seen.check(&path, nonce, &said);
    }
    assert!(seen.acknowledged > 500 && seen.tokens > 30, "{seen:?}");
}

#[test]
fn forty_writers_killed_while_they_create_leave_a_file_that_opens_or_none() {
    let mut rng = Rng::with_seed(7);
    let mut created = 0;
    for nonce in 1..=40 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store");
        let writer = Writer::start(&path, nonce);
        // One in eight is there for certain.
        let least = usize::from(rng.u8(..8) == 0);
        let time = Duration::from_micros(rng.u64(..40_000));
        let said = writer.killed_after(least, rng.usize(..2), time);
        created += u32::from(path.exists());
        Seen::default().check(&path, nonce, &said);
    }
    assert!(created > 0);
}

/// The writer, in a process of its own.
#[test]
#[ignore = "is started by the other tests, and killed by them"]
fn writer() {
    let Some(path) = env::var_os(FILE) else { return };
    let nonce = env::var(NONCE).unwrap().parse::<u64>().unwrap();
    say("began");
    let config = RedbConfig { write_in_caller: nonce % 2 == 0, ..RedbConfig::default() };
    let store = RedbStore::open(path, config).unwrap();
    let request = LeaseRequest::new("ledger", "writer", nonce, Duration::from_secs(3600)).unwrap();
    let granted = wait(store.grant(request)).unwrap();
    let Granted::Granted(grant) = granted else { panic!("{granted:?}") };
    say(&format!("token {}", grant.token));
    let pass = Pass::from(grant.token).with_nonce(nonce);
    assert!(wait(store.raise("ledger", pass)).unwrap().is_done());
    say("raised");
    thread::scope(|scope| {
        for key in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                for sequence in 1_u64.. {
                    let pass = pass.with_sequence(sequence);
                    let value = sequence.to_be_bytes().repeat(1 + usize::from(key) * 20);
                    let written = wait(store.write("ledger", &[key], &value, pass)).unwrap();
                    assert!(matches!(written, Outcome::Applied), "{written:?}");
                    say(&format!("wrote {key} {sequence}"));
                }
            });
        }
    });
}

/// Writes a line at once.
fn say(line: &str) {
    // If the other end is gone, so is the test.
    let _ = std::io::stdout().lock().write_all(format!("> {line}\n").as_bytes());
}

/// What a writer said.
#[derive(Debug, Default)]
struct Said {
    token: Option<FencingToken>,
    raised: bool,
    written: BTreeMap<u8, u64>,
}

struct Writer {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Writer {
    fn start(path: &Path, nonce: u64) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "writer", "--ignored", "--nocapture"])
            .env(FILE, path)
            .env(NONCE, nonce.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // Half a line was not said.
                if let Some((_, said)) = line.split_once("> ") {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        Self { child, lines }
    }

    /// Kills the writer when it has said a `least` number of lines and then so many more, or nothing for some time.
    fn killed_after(mut self, least: usize, lines: usize, time: Duration) -> Said {
        let mut said = Said::default();
        // The first says that it has begun.
        for _ in 0..=least {
            said.hear(&self.lines.recv().unwrap());
        }
        for _ in 0..lines {
            match self.lines.recv_timeout(time) {
                Ok(line) => said.hear(&line),
                Err(_) => break,
            }
        }
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), None, "it ended by itself");
        while let Ok(line) = self.lines.recv() {
            said.hear(&line);
        }
        said
    }
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["began"] => {}
            ["token", token] => self.token = Some(token.parse().unwrap()),
            ["raised"] => self.raised = true,
            ["wrote", key, sequence] => {
                self.written.insert(key.parse().unwrap(), sequence.parse().unwrap());
            }
            _ => panic!("{line}"),
        }
    }
}

/// What earlier writers did.
#[derive(Debug, Default)]
struct Seen {
    highest: Option<FencingToken>,
    tokens: u64,
    acknowledged: u64,
}

impl Seen {
    fn check(&mut self, path: &Path, nonce: u64, said: &Said) {
        let store = RedbStore::open(path, RedbConfig::default()).unwrap();
        let resource = Resource::new("ledger").unwrap();
        let holding = wait(store.holding(resource)).unwrap();
        if let Some(token) = said.token {
            let holding = holding.as_ref().expect("an acknowledged lease is held");
            assert_eq!((holding.token, holding.nonce), (token, nonce));
            assert!(Some(token) > self.highest, "{token} after {:?}", self.highest);
        }
        for (&key, &sequence) in &said.written {
            let entry = wait(store.read("ledger", &[key])).unwrap().expect("it was acknowledged");
            assert_eq!(Some(entry.pass.token), said.token);
            assert!(entry.pass.sequence >= sequence, "{sequence} was lost: {entry:?}");
            let value = entry.pass.sequence.to_be_bytes().repeat(1 + usize::from(key) * 20);
            assert_eq!(entry.value, Some(value));
            self.acknowledged += sequence;
        }
        if let (true, Some(stale)) = (said.raised, self.highest) {
            let written = wait(store.write("ledger", b"late", b"", stale)).unwrap();
            assert!(matches!(written, Outcome::Stale { .. }), "{written:?}");
        }
        if let Some(holding) = holding {
            assert_eq!(holding.nonce, nonce);
            self.tokens += 1;
            self.highest = Some(holding.token);
            assert!(wait(store.revoke(resource, holding.token)).is_ok());
        }
    }
}
