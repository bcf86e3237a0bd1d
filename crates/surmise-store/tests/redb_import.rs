//! What making a file, from a backup or from nothing, leaves behind when it fails.

#![cfg(all(unix, feature = "redb"))]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support {
    pub(crate) mod wait;
}

use std::{fs, os::unix::fs::symlink, path::Path};

use surmise_fence::FencingToken;
use surmise_store::{
    FencedStore as _, StoreError,
    redb::{RedbConfig, RedbStore},
};
use tempfile::TempDir;

use self::support::wait::wait;

fn import(folder: &TempDir, backup: &str, name: &str) -> Result<RedbStore, StoreError> {
    let [backup, path] = [backup, name].map(|name| folder.path().join(name));
    RedbStore::import(backup, path, 0, RedbConfig::default())
}

fn names(folder: &TempDir) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Makes a backup with something in it.
fn backup(path: &Path) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let store = RedbStore::open(folder.path().join("store"), RedbConfig::default()).unwrap();
    let token = FencingToken::first(1);
    assert!(wait(store.write("ledger", b"key", b"value", token)).unwrap().is_done());
    store.backup(path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn the_backup_is_not_made_the_new_file() {
    let folder = TempDir::new().unwrap();
    let unfinished = folder.path().join("store.unfinished");
    let content = backup(&unfinished);
    fs::hard_link(&unfinished, folder.path().join("linked")).unwrap();
    symlink(&unfinished, folder.path().join("symbolic")).unwrap();
    for backup in ["store.unfinished", "linked", "symbolic"] {
        let refused = import(&folder, backup, "store").unwrap_err();
        assert!(matches!(refused, StoreError::Unusable { .. }), "{refused}");
        assert!(fs::read(&unfinished).unwrap() == content, "{backup} was changed");
        assert!(!folder.path().join("store").exists());
    }
    // Under another name, it is imported.
    let store = import(&folder, "linked", "other").unwrap();
    let entry = wait(store.read("ledger", b"key")).unwrap().unwrap();
    assert_eq!(entry.value.as_deref(), Some(&b"value"[..]));
}

#[test]
fn what_failed_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let content = backup(&folder.path().join("backup"));
    fs::write(folder.path().join("damaged"), &content[..content.len() / 2]).unwrap();
    import(&folder, "damaged", "store").unwrap_err();
    assert_eq!(names(&folder), ["backup", "damaged"]);
    let store = import(&folder, "backup", "store").unwrap();
    for path in ["store", "backup"] {
        let taken = import(&folder, "damaged", path).unwrap_err();
        assert!(taken.to_string().contains("there is one already"), "{taken}");
        let taken = store.backup(folder.path().join(path)).unwrap_err();
        assert!(taken.to_string().contains("there is one already"), "{taken}");
        assert_eq!(names(&folder), ["backup", "damaged", "store"]);
    }
}

#[test]
fn what_a_killed_process_left_is_overwritten() {
    let folder = TempDir::new().unwrap();
    backup(&folder.path().join("backup"));
    fs::write(folder.path().join("store.unfinished"), b"unfinished").unwrap();
    drop(import(&folder, "backup", "store").unwrap());
    assert_eq!(names(&folder), ["backup", "store"]);
}

/// A file that is written to is no backup.
#[test]
fn a_store_that_is_open_is_not_imported() {
    let folder = TempDir::new().unwrap();
    backup(&folder.path().join("backup"));
    let store = import(&folder, "backup", "store").unwrap();
    let refused = import(&folder, "store", "copy").unwrap_err();
    assert!(matches!(refused, StoreError::Unusable { .. }), "{refused}");
    assert_eq!(names(&folder), ["backup", "store"]);
    drop(store);
    drop(import(&folder, "store", "copy").unwrap());
}
