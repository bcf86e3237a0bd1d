//! How much memory a cache takes, and that it takes all of it at first.

use core::{num::NonZeroUsize, time::Duration};
use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use surmise_idempotency::{
    Begin, CacheConfig, CacheConfigError, Fingerprint, IdempotencyCache, WhenFull,
};
use surmise_time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The least of a few counts, as the thread that runs the tests may happen to allocate meanwhile.
const ATTEMPTS: usize = 5;

/// One test: the allocations of others would be counted too.
#[test]
fn an_entry_takes_64_bytes_at_most_and_nothing_is_allocated_later() -> Result<(), CacheConfigError>
{
    let keys = 100_000;
    let bytes = |_| {
        let region = Region::new(ALLOCATOR);
        let mut cache = cache(keys, WhenFull::Refuse)?;
        churn(&mut cache, keys);
        assert_eq!(cache.len(), keys);
        Ok(size_of_val(&cache) + region.change().bytes_allocated)
    };
    let bytes = (0..ATTEMPTS).map(bytes).collect::<Result<Vec<_>, _>>()?;
    assert!(bytes.iter().any(|&bytes| bytes <= 64 * keys), "{bytes:?} for {keys} entries");

    // As full as a hash table of the standard library's gets without growing.
    let keys = 2048 / 8 * 7;
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        let changes = |_| {
            let mut cache = cache(keys, when_full)?;
            let region = Region::new(ALLOCATOR);
            churn(&mut cache, 30 * keys);
            assert_eq!(cache.len(), keys);
            Ok(region.change())
        };
        let changes = (0..ATTEMPTS).map(changes).collect::<Result<Vec<_>, _>>()?;
        assert!(changes.contains(&Stats::default()), "{when_full:?}: {changes:?}");
    }
    Ok(())
}

/// Makes a cache in which, from that many keys on, each new one puts out another.
fn cache(keys: usize, when_full: WhenFull) -> Result<IdempotencyCache<u64, u64>, CacheConfigError> {
    IdempotencyCache::new(CacheConfig {
        capacity: NonZeroUsize::new(keys).unwrap_or(NonZeroUsize::MIN),
        retention: match when_full {
            WhenFull::Refuse => Duration::from_nanos(keys as u64),
            WhenFull::EvictOldest => Duration::MAX,
        },
        when_full,
        ..CacheConfig::default()
    })
}

/// Executes so many keys, one each nanosecond.
fn churn(cache: &mut IdempotencyCache<u64, u64>, keys: usize) {
    for key in 0..keys as u64 {
        let now = Instant::from_nanos(key);
        let Begin::Execute(ticket) = cache.begin(&key, Fingerprint::NONE, now) else {
            panic!("{key} was seen before, or there is no room");
        };
        cache.complete(ticket, key, now).expect("its lease is not over");
    }
}
