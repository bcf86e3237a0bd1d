use core::{convert::Infallible, num::NonZeroUsize, time::Duration};

use benches::idempotency::{KEYS, peers::Textbook};
use dashmap::DashMap;
use moka::sync::Cache as Moka;
use parking_lot::Mutex;
use quick_cache::sync::Cache as QuickCache;
use surmise_idempotency::{Begin, CacheConfig, Fingerprint, IdempotencyCache, sync};
use surmise_time::{Instant, ManualClock};

/// A cache that threads share.
///
/// Of what is put in, the last [`KEYS`] stay, or about so many.
pub(crate) trait Shared: Sync + Sized {
    /// Creates an empty one.
    fn new() -> Self;

    /// Returns the result of a request that was executed, unless it is forgotten.
    fn replay(&self, key: u64) -> Option<u64>;

    /// Executes a new request, whose result is its key.
    fn execute(&self, key: u64) -> u64;

    /// Executes one of the first requests.
    fn fill(&self, key: u64) {
        self.execute(key);
    }
}

/// Ours, with a clock that goes on by a nanosecond for each execution, whichever thread's it is.
pub(crate) type Sharded = sync::IdempotencyCache<u64, u64, ManualClock>;

/// The other form of ours, behind one lock.
pub(crate) type Locked = Mutex<(IdempotencyCache<u64, u64>, Instant)>;

/// How many executions pass before the clock, which all threads read, is moved by as many nanoseconds.
const TICK: u64 = 32;

impl Shared for Sharded {
    fn new() -> Self {
        Self::new(config(), ManualClock::default()).expect("it is a cache")
    }

    fn replay(&self, key: u64) -> Option<u64> {
        match self.begin(&key, Fingerprint::NONE) {
            Begin::Replay(value) => Some(value),
            _ => None,
        }
    }

    fn execute(&self, key: u64) -> u64 {
        // Each of two threads has every other key.
        if key % (2 * TICK) < 2 {
            self.clock().advance(Duration::from_nanos(TICK));
        }
        Self::execute(self, &key, Fingerprint::NONE, || key).unwrap_or(u64::MAX)
    }
}

impl Shared for Locked {
    fn new() -> Self {
        Self::new((IdempotencyCache::new(config()).expect("it is a cache"), Instant::ORIGIN))
    }

    fn replay(&self, key: u64) -> Option<u64> {
        let (cache, now) = &mut *self.lock();
        match cache.begin(&key, Fingerprint::NONE, *now) {
            Begin::Replay(value) => Some(value),
            _ => None,
        }
    }

    fn execute(&self, key: u64) -> u64 {
        let (cache, now) = &mut *self.lock();
        *now += Duration::from_nanos(1);
        match cache.begin(&key, Fingerprint::NONE, *now) {
            Begin::Execute(ticket) => cache.complete(ticket, key, *now).map_or(u64::MAX, |()| key),
            _ => u64::MAX,
        }
    }
}

/// There is room for an eighth more, as the clock of one of them goes in steps.
fn config() -> CacheConfig {
    let capacity = usize::try_from(KEYS + KEYS / 8).ok().and_then(NonZeroUsize::new);
    CacheConfig {
        capacity: capacity.unwrap_or(NonZeroUsize::MAX),
        retention: Duration::from_nanos(KEYS),
        ..CacheConfig::default()
    }
}

impl Shared for Moka<u64, u64> {
    fn new() -> Self {
        let builder = Self::builder().max_capacity(KEYS);
        builder.time_to_live(Duration::from_secs(86_400)).build()
    }

    fn replay(&self, key: u64) -> Option<u64> {
        self.get(&key)
    }

    fn execute(&self, key: u64) -> u64 {
        self.get_with(key, || key)
    }
}

impl Shared for QuickCache<u64, u64> {
    fn new() -> Self {
        Self::new(usize::try_from(KEYS).expect("it is a small number"))
    }

    fn replay(&self, key: u64) -> Option<u64> {
        self.get(&key)
    }

    fn execute(&self, key: u64) -> u64 {
        let Ok(value) = self.get_or_insert_with(&key, || Ok::<_, Infallible>(key));
        value
    }
}

impl Shared for DashMap<u64, u64> {
    fn new() -> Self {
        Self::new()
    }

    fn replay(&self, key: u64) -> Option<u64> {
        self.get(&key).map(|value| *value)
    }

    /// It has no time of its own.
    fn execute(&self, key: u64) -> u64 {
        if let Some(oldest) = key.checked_sub(KEYS) {
            self.remove(&oldest);
        }
        *self.entry(key).or_insert(key)
    }
}

impl Shared for Mutex<Textbook> {
    fn new() -> Self {
        Self::new(Textbook::new(KEYS))
    }

    /// Time stands still, so that nothing is over.
    fn replay(&self, key: u64) -> Option<u64> {
        self.lock().execute(key, || u64::MAX)
    }

    fn execute(&self, key: u64) -> u64 {
        let mut textbook = self.lock();
        let now = textbook.time() + 1;
        textbook.set_time(now);
        textbook.execute(key, || key).unwrap_or(u64::MAX)
    }

    fn fill(&self, key: u64) {
        let mut textbook = self.lock();
        textbook.set_time(key);
        textbook.remember(key, key);
    }
}
