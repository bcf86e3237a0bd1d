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
    entries: HashMap<u64, (State, u64)>,
    /// For how long a key is kept, whatever became of it.
    ttl: u64,
    now: u64,
}

#[derive(Debug)]
enum State {
    InFlight,
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

    /// Executes a request that was not executed before, and returns the result; none if it is in flight.
    #[inline]
    pub fn execute(&mut self, key: u64, effect: impl FnOnce() -> u64) -> Option<u64> {
        let now = self.now;
        self.entries.retain(|_, &mut (_, until)| now < until);
        match self.entries.entry(key) {
            Entry::Occupied(entry) => match entry.get().0 {
                State::InFlight => return None,
                State::Done(value) => return Some(value),
            },
            Entry::Vacant(entry) => entry.insert((State::InFlight, now + self.ttl)),
        };
        let value = effect();
        self.remember(key, value);
        Some(value)
    }

    /// Remembers a result from now on, without a look at any other.
    pub fn remember(&mut self, key: u64, value: u64) {
        self.entries.insert(key, (State::Done(value), self.now + self.ttl));
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
