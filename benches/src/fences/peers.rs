//! What one would write without this family.

use std::collections::{HashMap, hash_map::Entry as StdEntry};

use dashmap::{DashMap, Entry};
use hashbrown::DefaultHashBuilder;
use parking_lot::Mutex;
use surmise_fence::{FencingToken, Pass};

/// The highest token as a number in a mutex.
#[derive(Debug, Default)]
pub struct MutexNumber(Mutex<u128>);

impl MutexNumber {
    /// Returns whether a token is admitted.
    #[inline]
    pub fn admit(&self, token: FencingToken) -> bool {
        let token = u128::from_be_bytes(token.to_bytes());
        let mut highest = self.0.lock();
        let is_admitted = token >= *highest;
        if is_admitted {
            *highest = token;
        }
        is_admitted
    }
}

/// A `HashMap` and its floor in a mutex. It hashes as ours do, so that the maps are compared and not the hashes.
#[derive(Debug, Default)]
pub struct MutexHashMap(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    floor: Option<Pass>,
    values: HashMap<u64, (u64, Pass), DefaultHashBuilder>,
}

impl MutexHashMap {
    /// Raises the floor, unchecked.
    pub fn raise(&self, pass: Pass) {
        self.0.lock().floor = Some(pass);
    }

    /// Returns whether a value was written.
    #[inline]
    pub fn write(&self, key: u64, value: u64, pass: Pass) -> bool {
        let mut inner = self.0.lock();
        if pass.check_floor(inner.floor).is_err() {
            return false;
        }
        match inner.values.entry(key) {
            StdEntry::Occupied(mut entry) => {
                let is_accepted = pass.check(Some(entry.get().1)).is_ok();
                if is_accepted {
                    entry.insert((value, pass));
                }
                is_accepted
            }
            StdEntry::Vacant(entry) => {
                entry.insert((value, pass));
                true
            }
        }
    }

    /// Returns the value of a key.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<u64> {
        Some(self.0.lock().values.get(&key)?.0)
    }
}

/// A `DashMap`, which has no place for a floor. It hashes as ours do.
#[derive(Debug, Default)]
pub struct UnflooredDashMap(DashMap<u64, (u64, Pass), DefaultHashBuilder>);

impl UnflooredDashMap {
    /// Returns whether a value was written.
    #[must_use]
    #[inline]
    pub fn write(&self, key: u64, value: u64, pass: Pass) -> bool {
        match self.0.entry(key) {
            Entry::Occupied(mut entry) => {
                let is_accepted = pass.check(Some(entry.get().1)).is_ok();
                if is_accepted {
                    entry.insert((value, pass));
                }
                is_accepted
            }
            Entry::Vacant(entry) => {
                entry.insert((value, pass));
                true
            }
        }
    }

    /// Returns the value of a key.
    #[must_use]
    pub fn get(&self, key: u64) -> Option<u64> {
        Some(self.0.get(&key)?.0)
    }
}
