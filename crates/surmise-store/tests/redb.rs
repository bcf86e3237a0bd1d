//! The store in a file: on real files, and as its users see it.

#![cfg(feature = "redb")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

#[path = "support/redb.rs"]
mod support;

use core::{
    future::Future,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    fs,
    path::PathBuf,
    pin::pin,
    sync::{Arc, Barrier},
    thread,
};

use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    FencedStore, Granted, LeaseRequest, LeaseStore, Outcome, StoreError,
    redb::{RedbConfig, RedbStore},
};
use tempfile::TempDir;

use self::support::wait;

const IN_CALLER: RedbConfig = RedbConfig {
    create: true,
    verify: true,
    write_in_caller: true,
    lock_delay: Duration::ZERO,
    max_leases: core::num::NonZeroUsize::new(100).unwrap(),
    max_waiting_bytes: 1 << 20,
    cache_bytes: 1 << 20,
};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn open(&self, name: &str) -> Result<RedbStore, StoreError> {
        RedbStore::open(self.path(name), RedbConfig::default())
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(self.0.path()).unwrap().map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }
}

fn token(epoch: u64, counter: u64) -> FencingToken {
    FencingToken::new(epoch, counter.try_into().unwrap())
}

fn write(store: &RedbStore, key: &[u8], value: &[u8], token: FencingToken) -> Outcome {
    wait(store.write("ledger", key, value, token)).unwrap()
}

fn value(store: &RedbStore, key: &[u8]) -> Option<Vec<u8>> {
    wait(store.read("ledger", key)).unwrap().and_then(|entry| entry.value)
}

fn granted(store: &RedbStore, nonce: u64) -> FencingToken {
    let ttl = Duration::from_secs(3600);
    let request = LeaseRequest::new("ledger", "holder", nonce, ttl).unwrap();
    match wait(store.grant(request)).unwrap() {
        Granted::Granted(grant) => grant.token,
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "conformance")]
mod conforms {
    use surmise_store::conformance::{self, Timer};
    use surmise_time::{BootClock, Instant, MonotonicClock};

    use super::*;

    struct RealTime;

    impl MonotonicClock for RealTime {
        fn now(&self) -> Instant {
            BootClock.now()
        }
    }

    impl Timer for RealTime {
        async fn sleep(&self, time: Duration) {
            tokio::time::sleep(time).await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn it_conforms() {
        conforms(RedbConfig::default()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn so_it_does_where_callers_write() {
        conforms(IN_CALLER).await;
    }

    async fn conforms(config: RedbConfig) {
        let folder = Folder::new();
        let store = RedbStore::open(folder.path("store"), config).unwrap();
        conformance::run(&store, &RealTime)
            .await
            .unwrap_or_else(|violations| panic!("{violations}"));
    }
}

#[test]
fn everything_is_there_when_it_is_opened_again() {
    let folder = Folder::new();
    let store = folder.open("store").unwrap();
    let held = granted(&store, 7);
    let pass = Pass::from(held).with_nonce(7).with_sequence(1);
    assert!(wait(store.raise("ledger", pass)).unwrap().is_done());
    assert!(wait(store.write("ledger", b"a", b"1", pass)).unwrap().is_done());
    assert!(wait(store.remove("ledger", b"b", pass)).unwrap().is_done());
    drop(store);
    assert_eq!(folder.names(), ["store"]);

    let store = folder.open("store").unwrap();
    let floor = wait(store.floor(surmise_store::Resource::new("ledger").unwrap())).unwrap();
    assert_eq!(floor, Some(pass.with_sequence(0)));
    let entry = wait(store.read("ledger", b"a")).unwrap().unwrap();
    assert_eq!((entry.value, entry.pass), (Some(b"1".to_vec()), pass));
    let entry = wait(store.read("ledger", b"b")).unwrap().unwrap();
    assert_eq!((entry.value, entry.pass), (None, pass));
    assert!(matches!(
        wait(store.write("ledger", b"a", b"1", pass)),
        Ok(Outcome::Duplicate { sequence: 1 })
    ));
    let resource = surmise_store::Resource::new("ledger").unwrap();
    let holding = wait(store.holding(resource)).unwrap().unwrap();
    assert_eq!((holding.token, holding.nonce, &*holding.holder), (held, 7, "holder"));
    assert!(matches!(wait(store.revoke(resource, held)), Ok(surmise_store::Revoked::Revoked)));
    assert!(granted(&store, 8) > held);
}

#[test]
fn a_file_is_opened_once_at_a_time() {
    let folder = Folder::new();
    let store = folder.open("store").unwrap();
    match folder.open("store").unwrap_err() {
        StoreError::Unusable { remedy, .. } => assert!(remedy.contains("one process"), "{remedy}"),
        other => panic!("{other}"),
    }
    assert!(write(&store, b"a", b"1", token(1, 1)).is_done());
    drop(store);
    assert_eq!(value(&folder.open("store").unwrap(), b"a"), Some(b"1".to_vec()));
}

#[test]
fn a_file_that_must_be_there_is_not_created() {
    let folder = Folder::new();
    let config = RedbConfig { create: false, ..RedbConfig::default() };
    for path in [folder.path("store"), folder.path("no/such/folder")] {
        let error = RedbStore::open(path, config).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    }
    let error = folder.open("no/such/folder").unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(folder.names().is_empty());
}

#[test]
fn what_a_process_left_that_was_killed_while_it_created_is_overwritten() {
    let folder = Folder::new();
    fs::write(folder.path("store.unfinished"), b"redb\x1A\x0A half of a file").unwrap();
    let store = folder.open("store").unwrap();
    assert!(write(&store, b"a", b"1", token(1, 1)).is_done());
    drop(store);
    assert_eq!(folder.names(), ["store"]);
}

#[test]
fn a_foreign_file_stays_as_it_is() {
    let folder = Folder::new();
    let cases =
        [(&b"the diary of somebody else"[..], "not a redb database"), (b"", "an empty file")];
    for (content, reason) in cases {
        fs::write(folder.path("store"), content).unwrap();
        let error = folder.open("store").unwrap_err();
        assert!(
            matches!(&error, StoreError::Corrupt { problem, .. }
                if problem.to_lowercase().contains(reason)),
            "{error}"
        );
        assert_eq!(fs::read(folder.path("store")).unwrap(), content);
    }
    fs::create_dir(folder.path("folder")).unwrap();
    let error = folder.open("folder").unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[test]
fn a_backup_becomes_a_store_in_a_later_epoch() {
    let folder = Folder::new();
    let store = folder.open("store").unwrap();
    let first = granted(&store, 7);
    assert!(write(&store, b"a", b"1", first).is_done());
    store.backup(folder.path("backup")).unwrap();
    let taken = store.backup(folder.path("backup")).unwrap_err();
    assert!(matches!(taken, StoreError::Unusable { .. }), "{taken}");
    // What comes after the backup is lost with the store.
    assert!(write(&store, b"a", b"2", token(1, 500)).is_done());
    drop(store);

    let import = |name: &str, beyond| {
        RedbStore::import(folder.path("backup"), folder.path(name), beyond, RedbConfig::default())
    };
    assert!(matches!(import("store", 0).unwrap_err(), StoreError::Unusable { .. }));
    let store = import("imported", 0).unwrap();
    assert_eq!(value(&store, b"a"), Some(b"1".to_vec()));
    let resource = surmise_store::Resource::new("ledger").unwrap();
    assert_eq!(wait(store.holding(resource)).unwrap().unwrap().token, first);
    assert!(wait(store.revoke(resource, first)).is_ok());
    assert_eq!(granted(&store, 8), token(2, 1));
    assert_eq!(wait(store.advance_epoch()).unwrap(), 3);

    let store = import("imported again", 3).unwrap();
    assert!(wait(store.revoke(resource, first)).is_ok());
    assert_eq!(granted(&store, 9), token(4, 1));
    let exhausted = import("imported too often", u64::MAX).unwrap_err();
    assert!(matches!(exhausted, StoreError::TokensExhausted { epoch: u64::MAX }), "{exhausted}");
    assert!(!folder.names().contains(&"imported too often".to_owned()));
}

#[test]
fn of_several_that_create_a_file_none_overwrites_another() {
    let folder = Folder::new();
    let mut created = 0;
    for name in 0..20 {
        let (name, begin) = (format!("store {name}"), Barrier::new(4));
        let written: Vec<u8> = thread::scope(|scope| {
            let open = |key| {
                let (folder, name, begin) = (&folder, &name, &begin);
                move || {
                    begin.wait();
                    // The others are refused while one has it; it can also be had after one another.
                    let store = folder.open(name).ok()?;
                    assert!(write(&store, &[key], b"1", token(1, 1)).is_done());
                    Some(key)
                }
            };
            let threads: Vec<_> = (0..4).map(|key| scope.spawn(open(key))).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        let store = folder.open(&name).unwrap();
        for key in &written {
            assert_eq!(value(&store, &[*key]), Some(b"1".to_vec()), "{written:?}");
        }
        created += written.len();
    }
    assert!(created >= 20, "{created}");
}

#[test]
fn what_is_no_backup_is_not_imported() {
    let folder = Folder::new();
    fs::write(folder.path("backup"), b"not a backup").unwrap();
    for backup in ["backup", "no such backup"] {
        let config = RedbConfig::default();
        let error = RedbStore::import(folder.path(backup), folder.path("store"), 0, config);
        let error = error.unwrap_err();
        assert!(
            matches!(error, StoreError::Corrupt { .. } | StoreError::Unavailable { .. }),
            "{error}"
        );
        assert!(!folder.path("store").exists());
    }
    // A later attempt is not in the way of what is left.
    assert!(write(&folder.open("store").unwrap(), b"a", b"1", token(1, 1)).is_done());
}

#[test]
fn closing_answers_all_and_refuses_the_rest() {
    let folder = Folder::new();
    let store = Arc::new(folder.open("store").unwrap());
    let keys: Vec<[u8; 1]> = (0..100).map(|key| [key]).collect();
    let mut pending: Vec<_> =
        keys.iter().map(|key| Box::pin(store.write("ledger", key, b"1", token(1, 1)))).collect();
    // Polled once, each waits for the disk, or was fast.
    let mut context = Context::from_waker(Waker::noop());
    let polled: Vec<_> =
        pending.iter_mut().map(|future| future.as_mut().poll(&mut context)).collect();
    store.close().unwrap();
    store.close().unwrap();
    for (future, polled) in pending.into_iter().zip(polled) {
        let outcome = match polled {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => wait(future),
        };
        assert!(matches!(outcome, Ok(Outcome::Applied)), "{outcome:?}");
    }
    for error in [
        wait(store.write("ledger", b"a", b"2", token(1, 1))).unwrap_err(),
        wait(store.read("ledger", b"a")).unwrap_err(),
        wait(store.advance_epoch()).unwrap_err(),
    ] {
        assert!(
            matches!(&error, StoreError::Unusable { remedy, .. } if remedy.contains("open")),
            "{error}"
        );
    }
    let store = folder.open("store").unwrap();
    for key in &keys {
        assert_eq!(value(&store, key), Some(b"1".to_vec()));
    }
}

#[test]
fn of_many_threads_each_reads_what_it_wrote() {
    let folder = Folder::new();
    many_threads_write(&folder.open("store").unwrap());
}

#[test]
fn so_it_does_where_callers_write() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.path("store"), IN_CALLER).unwrap();
    many_threads_write(&store);
    store.close().unwrap();
    let written = wait(store.write("ledger", b"a", b"1", token(1, 2)));
    assert!(matches!(written, Err(StoreError::Unusable { .. })), "{written:?}");
}

#[test]
fn a_caller_that_writes_has_its_answer_at_once() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.path("store"), IN_CALLER).unwrap();
    for value in [b"1", b"2", b"3"] {
        let mut future = pin!(store.write("ledger", b"a", value, token(1, 1)));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}

fn many_threads_write(store: &RedbStore) {
    const WRITES: u64 = 100;
    thread::scope(|scope| {
        for thread in 0..8_u8 {
            scope.spawn(move || {
                for sequence in 1..=WRITES {
                    let pass = Pass::from(token(1, 1)).with_sequence(sequence);
                    let value = sequence.to_be_bytes();
                    let written = wait(store.write("ledger", &[thread], &value, pass)).unwrap();
                    assert!(matches!(written, Outcome::Applied), "{written:?}");
                    assert_eq!(self::value(store, &[thread]), Some(value.to_vec()));
                }
            });
        }
    });
    assert!(wait(store.raise("ledger", token(1, 2))).unwrap().is_done());
    assert!(matches!(write(store, &[0], b"late", token(1, 1)), Outcome::Stale { .. }));
}

#[test]
fn the_last_owner_can_be_dropped_by_its_own_waker() {
    struct Owner(parking_lot::Mutex<Option<Arc<RedbStore>>>);
    impl std::task::Wake for Owner {
        fn wake(self: Arc<Self>) {
            self.0.lock().take();
        }
    }
    let folder = Folder::new();
    let store = Arc::new(folder.open("store").unwrap());
    let owner = Arc::new(Owner(parking_lot::Mutex::new(None)));
    let waker = Waker::from(Arc::clone(&owner));
    let theirs = Arc::clone(&store);
    *owner.0.lock() = Some(store);
    // Something else owns the future, and only borrows from what the waker drops.
    let task = thread::spawn(move || {
        let mut future = pin!(theirs.write("ledger", b"a", b"1", token(1, 1)));
        future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
    });
    assert!(task.join().unwrap());
    drop(owner);
    let opened = || folder.open("store").ok();
    let store = loop {
        match opened() {
            Some(store) => break store,
            None => thread::yield_now(),
        }
    };
    assert!(matches!(value(&store, b"a").as_deref(), None | Some(b"1")));
}
