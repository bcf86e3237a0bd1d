use super::KEYS;
use crate::{Made, Origin};

/// A cache that is measured: one of ours or a peer's.
pub trait Contender {
    /// Who wrote it.
    const ORIGIN: Origin = Origin::Peer;

    /// Whether it remembers what was executed.
    const REPLAYS: bool = true;

    /// How many calls are measured at once.
    const BATCH: u32 = 1000;

    /// Asks for the result of a request that was executed.
    fn replay(&mut self, key: u64) -> Option<u64>;

    /// Executes a new request, whose key is one more than the last one's and is the result as well, and returns its
    /// result.
    fn execute(&mut self, key: u64) -> u64;

    /// Executes one of the requests that are there before anything is measured.
    fn fill(&mut self, key: u64) -> u64 {
        self.execute(key)
    }
}

/// Does something with every cache, whatever its type.
pub trait Visitor {
    /// Visits a cache.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or whatever the visitor wants.
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()>;
}

/// Executes all requests that a cache is to remember.
///
/// # Panics
///
/// If one of them has another result than its own.
pub fn filled<C: Contender>(mut cache: C) -> C {
    for key in 0..KEYS {
        assert_eq!(cache.fill(key), key);
    }
    cache
}
