//! Processes that are killed: what they acknowledged is there, and their tokens are never issued again.
//!
//! The test starts itself again as the writer that it kills.

#![cfg(all(feature = "redb", feature = "conformance", unix))]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support {
    pub(crate) mod wait;
    pub(crate) mod wire;
}

use core::time::Duration;
use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use fastrand::Rng;
use parking_lot::Mutex;
use surmise_fence::Pass;
use surmise_store::{
    FencedStore, Granted, LeaseRequest, LeaseStore, Outcome, Resource, Revoked,
    conformance::history::{Action, Answer, Event, History, Recorder},
    redb::{RedbConfig, RedbStore},
};
use surmise_time::BootClock;
use tempfile::TempDir;

use self::support::{
    wait::wait,
    wire::{event_from_line, event_to_line},
};

const FILE: &str = "SURMISE_TEST_REDB_FILE";
const NONCE: &str = "SURMISE_TEST_REDB_NONCE";
const WRITERS: u8 = 4;

#[test]
fn sixty_killed_writers_lose_nothing_that_they_acknowledged() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let mut rng = Rng::with_seed(6);
    let mut history = History::default();
    let mut last = None;
    for nonce in 1..=60 {
        let writer = Writer::start(&path, nonce);
        // Three out of four have begun to write.
        let least = if rng.u8(..4) == 0 { 0 } else { 5 };
        let time = Duration::from_micros(rng.u64(..60_000));
        history.extend(writer.killed_after(least, rng.usize(..600), time));
        last = look(&path, nonce, &mut history, last);
    }
    history.check().unwrap_or_else(|anomaly| panic!("{anomaly}"));
    let done = |wanted: fn(&Action) -> bool| {
        let is_done = |event: &&Event| event.answer == Answer::Done && wanted(&event.action);
        history.events().iter().filter(is_done).count()
    };
    let written = done(|action| matches!(action, Action::Write { .. }));
    let released = done(|action| matches!(action, Action::Revoke { .. }));
    assert!(written > 500 && released > 30, "{written}, {released}");
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
        let mut history: History =
            writer.killed_after(least, rng.usize(..3), time).into_iter().collect();
        created += u32::from(path.exists());
        look(&path, nonce, &mut history, None);
        history.check().unwrap_or_else(|anomaly| panic!("{anomaly}"));
    }
    assert!(created > 0);
}

/// Opens what a killed writer left, and notes what is there. Tries to write by the pass of an earlier one, and ends the
/// writer's lease.
///
/// Returns the pass of the lease, if there was one.
fn look(path: &Path, nonce: u64, history: &mut History, last: Option<Pass>) -> Option<Pass> {
    let is_granted = |event: &Event| {
        event.action == Action::Grant { nonce } && matches!(event.answer, Answer::Granted(_))
    };
    let was_granted = history.events().iter().any(is_granted);
    let noted = Mutex::new(history);
    let recorder = Recorder::new(BootClock, |event: Event| noted.lock().note(event));
    let store = RedbStore::open(path, RedbConfig::default()).unwrap();
    // Not a number of a writer.
    let client = recorder.client(u64::MAX - nonce, &store);
    let resource = Resource::new("ledger").unwrap();
    let floor = wait(client.floor(resource)).unwrap();
    for key in 0..WRITERS {
        _ = wait(client.read("ledger", &[key])).unwrap();
    }
    if let Some((last, floor)) = last.zip(floor) {
        let written = wait(client.write("ledger", b"late", b"", last)).unwrap();
        assert_eq!(written.is_done(), last == floor, "{written:?} after {floor:?}");
    }
    let holding = wait(client.holding(resource)).unwrap();
    assert!(holding.is_some() || !was_granted, "an acknowledged lease is not held");
    let holding = holding?;
    assert_eq!(holding.nonce, nonce);
    let revoked = wait(client.revoke(resource, holding.token)).unwrap();
    assert!(matches!(revoked, Revoked::Revoked), "{revoked:?}");
    Some(Pass::from(holding.token).with_nonce(nonce))
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
    let recorder = Recorder::new(BootClock, |event: Event| say(&event_to_line(&event)));
    let store = recorder.client(nonce, &store);
    let request = LeaseRequest::new("ledger", "writer", nonce, Duration::from_secs(3600)).unwrap();
    let granted = wait(store.grant(request)).unwrap();
    let Granted::Granted(grant) = granted else { panic!("{granted:?}") };
    let pass = Pass::from(grant.token).with_nonce(nonce);
    assert!(wait(store.raise("ledger", pass)).unwrap().is_done());
    thread::scope(|scope| {
        for key in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                for sequence in 1_u64.. {
                    let pass = pass.with_sequence(sequence);
                    let value = sequence.to_be_bytes().repeat(1 + usize::from(key) * 20);
                    let written = wait(store.write("ledger", &[key], &value, pass)).unwrap();
                    assert!(matches!(written, Outcome::Applied), "{written:?}");
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
    fn killed_after(mut self, least: usize, lines: usize, time: Duration) -> Vec<Event> {
        let mut said = Vec::new();
        let mut hear = |line: String| said.extend(event_from_line(&line));
        // The first says that it has begun, and is no event.
        for _ in 0..=least {
            hear(self.lines.recv().unwrap());
        }
        for _ in 0..lines {
            match self.lines.recv_timeout(time) {
                Ok(line) => hear(line),
                Err(_) => break,
            }
        }
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), None, "it ended by itself");
        while let Ok(line) = self.lines.recv() {
            hear(line);
        }
        said
    }
}
