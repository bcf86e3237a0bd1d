//! What the tests of the store in a file share.

#![expect(clippy::unwrap_used, reason = "without a file there is no test")]
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::time::Duration;
use std::{fs, path::PathBuf};

use surmise_fence::FencingToken;
use surmise_store::{
    FencedStore, Granted, LeaseRequest, LeaseStore, Outcome, StoreError,
    redb::{RedbConfig, RedbStore},
};
use tempfile::TempDir;

use super::wait::wait;

/// A folder of a test's own.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn open(&self, name: &str) -> Result<RedbStore, StoreError> {
        RedbStore::open(self.path(name), RedbConfig::default())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(self.0.path()).unwrap().map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }
}

pub(crate) fn token(epoch: u64, counter: u64) -> FencingToken {
    FencingToken::new(epoch, counter.try_into().unwrap())
}

pub(crate) fn write(store: &RedbStore, key: &[u8], value: &[u8], token: FencingToken) -> Outcome {
    wait(store.write("ledger", key, value, token)).unwrap()
}

pub(crate) fn value(store: &RedbStore, key: &[u8]) -> Option<Vec<u8>> {
    wait(store.read("ledger", key)).unwrap().and_then(|entry| entry.value)
}

pub(crate) fn granted(store: &RedbStore, nonce: u64) -> FencingToken {
    let ttl = Duration::from_secs(3600);
    let request = LeaseRequest::new("ledger", "holder", nonce, ttl).unwrap();
    match wait(store.grant(request)).unwrap() {
        Granted::Granted(grant) => grant.token,
        other => panic!("{other:?}"),
    }
}
