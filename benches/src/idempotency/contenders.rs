use core::{convert::Infallible, num::NonZeroUsize, time::Duration};

use moka::sync::Cache as Moka;
use quick_cache::sync::Cache as QuickCache;
use surmise_idempotency::{
    Begin, CacheConfig, CacheConfigError, Fingerprint, IdempotencyCache, sync,
};
use surmise_time::{Instant, ManualClock};

use super::{
    Contender, KEYS, Visitor,
    peers::{Entries, Singleflight, Textbook},
};
use crate::{Made, Origin};

/// Shows every cache to a visitor: ours first, then the peers.
///
/// # Errors
///
/// If a configuration is refused, or whatever the visitor wants.
pub fn visit(visitor: &mut impl Visitor) -> Made<()> {
    visitor.visit("cache", || Ok(ours(KEYS)?))?;
    visitor.visit("cache-shared", || Ok(shared(KEYS)?))?;
    visitor.visit("moka", || {
        let builder = Moka::builder().max_capacity(KEYS);
        Ok(builder.time_to_live(Duration::from_secs(86_400)).build())
    })?;
    visitor.visit("quick-cache", || Ok(QuickCache::new(usize::try_from(KEYS)?)))?;
    visitor.visit("dashmap", || Ok(Entries::default()))?;
    visitor.visit("textbook", || Ok(Textbook::new(KEYS)))?;
    visitor.visit("singleflight", || Ok(Singleflight::default()))
}

/// Makes one of ours, in which each nanosecond is the last of another result, if one is executed in each.
///
/// # Errors
///
/// If there are too many keys.
pub fn ours(keys: u64) -> Result<Ours, CacheConfigError> {
    let capacity = usize::try_from(keys).ok().and_then(NonZeroUsize::new);
    let cache = IdempotencyCache::new(CacheConfig {
        capacity: capacity.unwrap_or(NonZeroUsize::MAX),
        retention: Duration::from_nanos(keys),
        ..CacheConfig::default()
    })?;
    Ok(Ours { cache, now: Instant::ORIGIN })
}

/// One of ours, and its time.
#[derive(Debug)]
pub struct Ours {
    cache: IdempotencyCache<u64, u64>,
    now: Instant,
}

impl Contender for Ours {
    const ORIGIN: Origin = Origin::Ours;

    #[inline]
    fn replay(&mut self, key: u64) -> Option<u64> {
        match self.cache.begin(&key, Fingerprint::NONE, self.now) {
            Begin::Replay(value) => Some(value),
            _ => None,
        }
    }

    #[inline]
    fn execute(&mut self, key: u64) -> u64 {
        self.now = Instant::from_nanos(key);
        match self.cache.begin(&key, Fingerprint::NONE, self.now) {
            Begin::Execute(ticket) => {
                self.cache.complete(ticket, key, self.now).map_or(u64::MAX, |()| key)
            }
            _ => u64::MAX,
        }
    }
}

/// Makes one of ours that can be shared, with room for an eighth more: what is over in one shard makes room in another
/// only when there is none left.
fn shared(keys: u64) -> Result<Shared, CacheConfigError> {
    let capacity = usize::try_from(keys + keys / 8).ok().and_then(NonZeroUsize::new);
    let config = CacheConfig {
        capacity: capacity.unwrap_or(NonZeroUsize::MAX),
        retention: Duration::from_nanos(keys),
        ..CacheConfig::default()
    };
    Ok(Shared { cache: sync::IdempotencyCache::new(config, ManualClock::default())? })
}

/// One of ours that can be shared.
#[derive(Debug)]
struct Shared {
    cache: sync::IdempotencyCache<u64, u64, ManualClock>,
}

impl Contender for Shared {
    const ORIGIN: Origin = Origin::Ours;

    #[inline]
    fn replay(&mut self, key: u64) -> Option<u64> {
        match self.cache.begin(&key, Fingerprint::NONE) {
            Begin::Replay(value) => Some(value),
            _ => None,
        }
    }

    #[inline]
    fn execute(&mut self, key: u64) -> u64 {
        self.cache.clock().advance(Duration::from_nanos(1));
        self.cache.execute(&key, Fingerprint::NONE, || key).unwrap_or(u64::MAX)
    }
}

impl Contender for Moka<u64, u64> {
    #[inline]
    fn replay(&mut self, key: u64) -> Option<u64> {
        self.get(&key)
    }

    #[inline]
    fn execute(&mut self, key: u64) -> u64 {
        self.get_with(key, || key)
    }
}

impl Contender for QuickCache<u64, u64> {
    #[inline]
    fn replay(&mut self, key: u64) -> Option<u64> {
        self.get(&key)
    }

    #[inline]
    fn execute(&mut self, key: u64) -> u64 {
        let Ok(value) = self.get_or_insert_with(&key, || Ok::<_, Infallible>(key));
        value
    }
}

impl Contender for Entries {
    #[inline]
    fn replay(&mut self, key: u64) -> Option<u64> {
        self.get(key)
    }

    #[inline]
    fn execute(&mut self, key: u64) -> u64 {
        if let Some(oldest) = key.checked_sub(KEYS) {
            self.forget(oldest);
        }
        Self::execute(self, key, || key)
    }
}

impl Contender for Textbook {
    const BATCH: u32 = 20;

    #[inline]
    fn replay(&mut self, key: u64) -> Option<u64> {
        self.execute(key, || u64::MAX)
    }

    #[inline]
    fn execute(&mut self, key: u64) -> u64 {
        self.set_time(key);
        Self::execute(self, key, || key).unwrap_or(u64::MAX)
    }

    fn fill(&mut self, key: u64) -> u64 {
        self.set_time(key);
        self.remember(key, key);
        key
    }
}

impl Contender for Singleflight {
    const REPLAYS: bool = false;

    fn replay(&mut self, _: u64) -> Option<u64> {
        None
    }

    #[inline]
    fn execute(&mut self, key: u64) -> u64 {
        Self::execute(self, key, || key)
    }
}
