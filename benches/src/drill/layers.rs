use core::{convert::Infallible, num::NonZeroUsize, time::Duration};

use dashmap::DashMap;
use moka::sync::Cache as Moka;
use quick_cache::sync::Cache as QuickCache;
use surmise_idempotency::{
    CacheConfig, Fingerprint, WhenFull,
    sync::{ExecuteError, IdempotencyCache},
};
use surmise_time::ManualClock;

/// What keeps requests from being executed twice.
pub trait Layer: Send + Sync + 'static {
    /// Makes an empty one with room for so many results, where it is bounded.
    fn with_room(room: usize) -> Self;

    /// Executes a request, or does not.
    fn execute(&self, key: u64, payload: u8, effect: &dyn Fn() -> u64) -> Answer;

    /// Lets so much time pass that whoever executes is given up, where anybody is.
    fn pass_lease(&self) {}

    /// Does what would be done in the background.
    fn settle(&self) {}
}

/// What a caller hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else to hear")]
pub enum Answer {
    /// The result.
    Value(u64),
    /// Another caller is at it.
    InFlight,
    /// The key was used for something else.
    Mismatch,
    /// Nobody knows how far another caller came.
    Recover,
    /// It took so long that another caller was told to recover.
    Fenced,
    /// There is no room.
    Full,
}

/// One of ours, with a clock that is set.
pub type Ours = IdempotencyCache<u64, u64, ManualClock>;

impl Layer for Ours {
    fn with_room(room: usize) -> Self {
        let config = CacheConfig {
            capacity: NonZeroUsize::new(room).unwrap_or(NonZeroUsize::MIN),
            when_full: WhenFull::EvictOldest,
            ..CacheConfig::default()
        };
        Self::new(config, ManualClock::default()).expect("there is not that much room")
    }

    fn execute(&self, key: u64, payload: u8, effect: &dyn Fn() -> u64) -> Answer {
        match Self::execute(self, &key, Fingerprint::from_bytes([payload; 16]), effect) {
            Ok(value) => Answer::Value(value),
            Err(ExecuteError::InFlight { .. }) => Answer::InFlight,
            Err(ExecuteError::Mismatch) => Answer::Mismatch,
            Err(ExecuteError::Recover(_)) => Answer::Recover,
            Err(ExecuteError::Fenced(_)) => Answer::Fenced,
            Err(_) => Answer::Full,
        }
    }

    fn pass_lease(&self) {
        self.clock().advance(self.config().lease);
    }
}

impl Layer for Moka<u64, u64> {
    fn with_room(room: usize) -> Self {
        let builder = Self::builder().max_capacity(room as u64);
        builder.time_to_live(Duration::from_secs(86_400)).build()
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> u64) -> Answer {
        Answer::Value(self.get_with(key, effect))
    }

    fn settle(&self) {
        self.run_pending_tasks();
    }
}

impl Layer for QuickCache<u64, u64> {
    fn with_room(room: usize) -> Self {
        Self::new(room)
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> u64) -> Answer {
        let Ok(value) = self.get_or_insert_with(&key, || Ok::<_, Infallible>(effect()));
        Answer::Value(value)
    }
}

pub(super) type Group = singleflight::Group<u64>;

impl Layer for Group {
    fn with_room(_: usize) -> Self {
        Self::new()
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> u64) -> Answer {
        Answer::Value(self.work(&key.to_string(), effect))
    }
}

/// Its entry is locked while it executes.
impl Layer for DashMap<u64, u64> {
    fn with_room(_: usize) -> Self {
        Self::new()
    }

    fn execute(&self, key: u64, _: u8, effect: &dyn Fn() -> u64) -> Answer {
        Answer::Value(*self.entry(key).or_insert_with(effect))
    }
}
