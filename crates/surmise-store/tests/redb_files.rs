//! The store in a file: what file it opens, what it creates, and what it leaves alone.

#![cfg(feature = "redb")]

mod support {
    pub(crate) mod redb;
    pub(crate) mod wait;
}

use std::{fs, sync::Barrier, thread};

use surmise_fence::Pass;
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claimed, FencedStore, IdempotencyStore, LeaseStore, Outcome, Resource, Revoked, Settled,
    StoreError, Terms,
    redb::{RedbConfig, RedbStore},
};

use self::support::{
    redb::{Folder, granted, token, value, write},
    wait::wait,
};

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
    let floor = wait(store.floor(Resource::new("ledger").unwrap())).unwrap();
    assert_eq!(floor, Some(pass.with_sequence(0)));
    let entry = wait(store.read("ledger", b"a")).unwrap().unwrap();
    assert_eq!((entry.value, entry.pass), (Some(b"1".to_vec()), pass));
    let entry = wait(store.read("ledger", b"b")).unwrap().unwrap();
    assert_eq!((entry.value, entry.pass), (None, pass));
    assert!(matches!(
        wait(store.write("ledger", b"a", b"1", pass)),
        Ok(Outcome::Duplicate { sequence: 1 })
    ));
    let resource = Resource::new("ledger").unwrap();
    let holding = wait(store.holding(resource)).unwrap().unwrap();
    assert_eq!((holding.token, holding.nonce, &*holding.holder), (held, 7, "holder"));
    assert!(matches!(wait(store.revoke(resource, held)), Ok(Revoked::Revoked)));
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
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().ends_with("check the path, and who may write there"), "{error}");
    }
    let error = folder.open("no/such/folder").unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
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
    let resource = Resource::new("ledger").unwrap();
    assert_eq!(wait(store.holding(resource)).unwrap().unwrap().token, first);
    assert!(wait(store.revoke(resource, first)).is_ok());
    let next = granted(&store, 8);
    // The backup does not know which epochs were begun since, and so the clock says.
    assert!(next.epoch() > 1_700_000_000, "{next}");
    let last = wait(store.advance_epoch()).unwrap();
    assert!(last > next.epoch());

    // Though it was a clock that is ahead.
    let store = import("imported again", last + 1_000_000_000).unwrap();
    assert!(wait(store.revoke(resource, first)).is_ok());
    assert_eq!(granted(&store, 9), token(last + 1_000_000_001, 1));
    let exhausted = import("imported too often", u64::MAX).unwrap_err();
    assert!(matches!(exhausted, StoreError::TokensExhausted { epoch: u64::MAX }), "{exhausted}");
    assert!(!folder.names().contains(&"imported too often".to_owned()));
}

#[test]
fn a_backup_replays_what_was_executed_before_and_issues_no_token_twice() {
    let folder = Folder::new();
    let store = folder.open("store").unwrap();
    let begin = |store: &RedbStore, name: &str| {
        let key = Key::new("", "charge", name).unwrap();
        wait(store.begin(&key, Fingerprint::NONE, Terms::default())).unwrap()
    };
    let execute = |store: &RedbStore, name: &str| match begin(store, name) {
        Claimed::Execute(ticket) => ticket,
        other => panic!("{other:?}"),
    };
    let ticket = execute(&store, "before");
    assert!(matches!(wait(store.complete(&ticket, b"100")), Ok(Settled::Done)));
    let flying = execute(&store, "flying");
    store.backup(folder.path("backup")).unwrap();
    let lost = execute(&store, "after");
    drop(store);

    // Opened as it is, which is not what it is for, it goes on with the tokens too.
    let store = folder.open("backup").unwrap();
    assert!(execute(&store, "other").token() > flying.token());
    drop(store);
    let backup = folder.path("backup");
    let store = RedbStore::import(backup, folder.path("new"), 0, RedbConfig::default()).unwrap();
    assert!(matches!(begin(&store, "before"), Claimed::Replay(result) if result == b"100"));
    assert!(matches!(begin(&store, "flying"), Claimed::InFlight { .. }));
    let again = execute(&store, "after");
    assert!(again.token().epoch() > lost.token().epoch(), "{}", again.token());
    assert!(matches!(wait(store.complete(&lost, b"late")), Ok(Settled::Fenced)));
    assert!(matches!(wait(store.complete(&flying, b"100")), Ok(Settled::Done)));
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
            matches!(error, StoreError::Corrupt { .. } | StoreError::Unusable { .. }),
            "{error}"
        );
        assert!(!folder.path("store").exists());
    }
    // A later attempt is not in the way of what is left.
    assert!(write(&folder.open("store").unwrap(), b"a", b"1", token(1, 1)).is_done());
}
