//! What one would write without this family.

use core::fmt;
use std::collections::{HashMap, hash_map::Entry};

use dashmap::DashMap;
use singleflight::Group;

/// A `DashMap` whose entry is locked while it is executed.
#[derive(Debug, Default)]
pub struct Entries(DashMap<u64, u64>);

impl Entries {
    /// Returns the result of a request.
    #[must_use]
    #[inline]
    pub fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).map(|value| *value)
    }

    /// Executes a request that was not executed before, and returns the result. Others of its shard wait meanwhile.
    #[inline]
    pub fn execute(&self, key: u64, effect: impl FnOnce() -> u64) -> u64 {
        *self.0.entry(key).or_insert_with(effect)
    }

    /// Forgets a request: it has no time of its own.
    #[inline]
    pub fn forget(&self, key: u64) {
        self.0.remove(&key);
    }
}

/// The layer of many a tutorial: a map, a time for each key, and a look at all of them in each call.
#[derive(Debug)]
pub struct Textbook {
    entries: HashMap<u64, (Known, u64)>,
    /// For how long a key is kept, whatever became of it.
    ttl: u64,
    now: u64,
}

/// What a [`Textbook`] knows of a request.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else in it")]
pub enum Known {
    /// Somebody executes it, or did not say what came of it.
    InFlight,
    /// Its result.
    Done(u64),
}

impl Textbook {
    /// Creates an empty one, which keeps a key for so long.
    #[must_use]
    pub fn new(ttl: u64) -> Self {
        Self { entries: HashMap::new(), ttl, now: 0 }
    }

    /// Lets time pass, or step back.
    pub fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    /// Returns what time it is.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.now
    }

    /// Executes a request that was not executed before, and returns the result; none if it is in flight.
    #[inline]
    pub fn execute(&mut self, key: u64, effect: impl FnOnce() -> u64) -> Option<u64> {
        match self.begin(key) {
            Some(Known::InFlight) => None,
            Some(Known::Done(value)) => Some(value),
            None => {
                let value = effect();
                self.remember(key, value);
                Some(value)
            }
        }
    }

    /// Returns what is known of a request; if nothing, it is in flight from now on.
    #[inline]
    pub fn begin(&mut self, key: u64) -> Option<Known> {
        let now = self.now;
        self.entries.retain(|_, &mut (_, until)| now < until);
        match self.entries.entry(key) {
            Entry::Occupied(entry) => Some(entry.get().0),
            Entry::Vacant(entry) => {
                entry.insert((Known::InFlight, now + self.ttl));
                None
            }
        }
    }

    /// Forgets a request of which nothing was done.
    pub fn forget(&mut self, key: u64) {
        self.entries.remove(&key);
    }

    /// Remembers a result from now on, without a look at any other.
    pub fn remember(&mut self, key: u64, value: u64) {
        self.entries.insert(key, (Known::Done(value), self.now + self.ttl));
    }
}

/// What joins those who ask for the same at the same time, and remembers nothing.
#[derive(Default)]
pub struct Singleflight(Group<u64>);

impl Singleflight {
    /// Executes a request, unless another thread is at it.
    #[inline]
    pub fn execute(&self, key: u64, effect: impl Fn() -> u64) -> u64 {
        self.0.work(&key.to_string(), effect)
    }
}

impl fmt::Debug for Singleflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Singleflight").finish_non_exhaustive()
    }
}
