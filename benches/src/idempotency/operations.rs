use core::{num::NonZeroUsize, time::Duration};

use surmise_idempotency::{Begin, CacheConfig, Fingerprint, IdempotencyCache, Keep};
use surmise_time::Instant;

use super::{Contender, KEYS, Visitor, filled};
use crate::{Made, Meter, Operation, Origin, Subject, fences::random_keys, footprint};

/// Shows the operations of each cache to a meter.
pub(super) struct Operations<'a, M>(pub(super) &'a mut M);

impl<M: Meter> Visitor for Operations<'_, M> {
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()> {
        let subject = Subject { table: "idempotency, 100k", name, origin: C::ORIGIN };
        if C::REPLAYS {
            let (cache, bytes) = footprint(|| make().map(filled))?;
            self.0.bytes(subject, bytes.div_ceil(usize::try_from(KEYS)?));
            let keys = Box::new(random_keys(KEYS));
            self.0.operation(subject, "replay", Replays { cache, keys });
        }
        self.0.operation(subject, "execute", Executes { cache: filled(make()?), next: KEYS });
        Ok(())
    }
}

struct Replays<C> {
    cache: C,
    keys: Box<dyn Iterator<Item = u64>>,
}

impl<C: Contender> Operation for Replays<C> {
    const BATCH: u32 = C::BATCH;

    type Subject = C;

    type Input = u64;

    type Output = Option<u64>;

    fn subject(&mut self) -> &mut C {
        &mut self.cache
    }

    fn next_input(&mut self) -> u64 {
        self.keys.next().expect("they never end")
    }

    #[inline]
    fn call(cache: &mut C, key: u64) -> Option<u64> {
        cache.replay(key)
    }
}

struct Executes<C> {
    cache: C,
    next: u64,
}

impl<C: Contender> Operation for Executes<C> {
    const BATCH: u32 = C::BATCH;

    type Subject = C;

    type Input = u64;

    type Output = u64;

    fn subject(&mut self) -> &mut C {
        &mut self.cache
    }

    fn next_input(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    #[inline]
    fn call(cache: &mut C, key: u64) -> u64 {
        cache.execute(key)
    }
}

/// Shows the longest step of ours to a meter: a new key that comes when a million results and executions are over.
///
/// Each puts out two results of both retentions and two executions that never ended, and never more.
pub(super) fn measure_expiry(meter: &mut impl Meter) -> Made<()> {
    let subject =
        Subject { table: "idempotency, 1m expiring", name: "cache-1m", origin: Origin::Ours };
    meter.operation(subject, "begin", Begins { cache: expiring(1_000_000)?, key: 1_000_000 });
    Ok(())
}

/// Returns a cache that is full of so many keys, a third of each kind, whose time is over.
///
/// # Errors
///
/// If there are too many.
pub fn expiring(keys: u64) -> Made<IdempotencyCache<u64, u64>> {
    let capacity = NonZeroUsize::new(usize::try_from(keys)?).ok_or("there is no key")?;
    let moment = Duration::from_nanos(1);
    let config = CacheConfig {
        lease: moment,
        retention: moment,
        brief_retention: moment,
        capacity,
        ..CacheConfig::default()
    };
    let mut cache = IdempotencyCache::new(config)?;
    for key in 0..keys {
        let Begin::Execute(ticket) = cache.begin(&key, Fingerprint::NONE, Instant::ORIGIN) else {
            return Err("a new key is refused".into());
        };
        match key % 3 {
            0 => cache.complete(ticket, key, Instant::ORIGIN)?,
            1 => cache.complete_for(ticket, key, Keep::Briefly, Instant::ORIGIN)?,
            _ => {}
        }
    }
    Ok(cache)
}

struct Begins {
    cache: IdempotencyCache<u64, u64>,
    key: u64,
}

impl Operation for Begins {
    type Subject = IdempotencyCache<u64, u64>;

    type Input = u64;

    type Output = bool;

    fn subject(&mut self) -> &mut Self::Subject {
        &mut self.cache
    }

    fn next_input(&mut self) -> u64 {
        self.key += 1;
        self.key
    }

    #[inline]
    fn call(cache: &mut Self::Subject, key: u64) -> bool {
        let late = Instant::from_nanos(2);
        matches!(cache.begin(&key, Fingerprint::NONE, late), Begin::Execute(_))
    }
}
