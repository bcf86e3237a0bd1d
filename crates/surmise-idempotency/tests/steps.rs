//! No step takes long, however much there is to be forgotten: each hashes few keys, and compares few.

use core::{
    cell::Cell,
    hash::{Hash, Hasher},
    num::NonZeroUsize,
    time::Duration,
};

use surmise_idempotency::{Begin, CacheConfig, Fingerprint, IdempotencyCache, Keep};
use surmise_time::Instant;

std::thread_local! {
    static HASHED: Cell<u32> = const { Cell::new(0) };
    static COMPARED: Cell<u32> = const { Cell::new(0) };
}

/// A key that knows how often keys were hashed and compared.
#[derive(Clone, Debug, Eq)]
struct Key(u32);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        COMPARED.set(COMPARED.get() + 1);
        self.0 == other.0
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        HASHED.set(HASHED.get() + 1);
        self.0.hash(state);
    }
}

/// Counts of the longest of some steps.
#[derive(Default)]
struct Longest {
    hashed: u32,
    compared: u32,
    forgotten: usize,
}

impl Longest {
    /// Executes a new request, whose result is kept, is kept briefly, or never comes.
    fn step(&mut self, cache: &mut IdempotencyCache<Key, u32>, key: u32, now: u64, kind: u32) {
        HASHED.set(0);
        COMPARED.set(0);
        let before = cache.len();
        let now = Instant::from_nanos(now);
        let Begin::Execute(ticket) = cache.begin(&Key(key), Fingerprint::NONE, now) else {
            panic!("{key} was seen before, or there is no room");
        };
        self.forgotten = self.forgotten.max(before + 1 - cache.len());
        match kind {
            0 => cache.complete(ticket, key, now).expect("nobody took over"),
            1 => cache.complete_for(ticket, key, Keep::Briefly, now).expect("nobody took over"),
            _ => {}
        }
        self.hashed = self.hashed.max(HASHED.get());
        self.compared = self.compared.max(COMPARED.get());
    }
}

fn cache(keys: u32) -> IdempotencyCache<Key, u32> {
    let span = Duration::from_nanos(keys.into());
    let config = CacheConfig {
        lease: span,
        retention: span,
        brief_retention: span,
        capacity: NonZeroUsize::new(keys as usize).expect("there is room"),
        ..CacheConfig::default()
    };
    IdempotencyCache::new(config).expect("it is a cache")
}

#[test]
fn no_step_is_long_while_a_million_records_expire() {
    let keys = 1_000_000;
    let mut cache = cache(keys);
    let mut longest = Longest::default();
    for key in 0..keys {
        longest.step(&mut cache, key, 0, key % 3);
    }
    assert_eq!((longest.hashed, longest.forgotten), (1, 0));
    // The key itself, and two that are forgotten of each kind.
    for key in keys..keys + keys / 3 {
        longest.step(&mut cache, key, u64::MAX / 2, key % 3);
    }
    assert_eq!((longest.hashed, longest.forgotten), (7, 6));
    assert!(longest.compared < 20, "{}", longest.compared);
}

#[test]
fn no_step_is_long_when_keys_have_come_and_gone_for_long() {
    // As full as a hash table of the standard library's gets without growing.
    let keys = 2048 / 8 * 7;
    let mut cache = cache(keys);
    let mut longest = Longest::default();
    for key in 0..100 * keys {
        longest.step(&mut cache, key, key.into(), 0);
    }
    assert_eq!((cache.len(), longest.hashed, longest.forgotten), (keys as usize, 2, 1));
    assert!(longest.compared < 20, "{}", longest.compared);
}
