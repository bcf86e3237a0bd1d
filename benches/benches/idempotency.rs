//! Every operation of idempotency caches, ours and the peers'; and of those that threads share while another thread does
//! the same as often as it can.

mod criterion_meter;

use core::{
    convert::Infallible,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::thread;

use benches::{
    Family,
    fences::random_keys,
    idempotency::{Contender, KEYS, check, filled, ours},
};
use criterion::{Criterion, criterion_group, criterion_main};
use dashmap::DashMap;
use moka::sync::Cache as Moka;
use parking_lot::Mutex;
use quick_cache::sync::Cache as QuickCache;
use surmise_idempotency::{CacheConfig, Fingerprint, sync::IdempotencyCache};
use surmise_time::OsClock;

use self::criterion_meter::Benches;

fn idempotency(criterion: &mut Criterion) {
    check().expect("every cache can be made");
    Family::Idempotency.measure(&mut Benches(criterion)).expect("every cache can be made");
}

/// Two threads that ask for what was executed.
fn beside_another(criterion: &mut Criterion) {
    let cache = Mutex::new(filled(ours(KEYS).expect("it is a cache")));
    compare(criterion, "cache-mutex", |key| cache.lock().replay(key) == Some(key));
    let cache = IdempotencyCache::<u64, u64, _>::new(CacheConfig::default(), OsClock);
    let cache = cache.expect("it is a cache");
    compare(criterion, "cache-shared", |key| {
        cache.execute(&key, Fingerprint::NONE, || key).is_ok_and(|result| result == key)
    });
    let cache = Moka::new(KEYS);
    compare(criterion, "moka", |key| cache.get_with(key, || key) == key);
    let cache = QuickCache::new(usize::try_from(2 * KEYS).expect("there is not that much room"));
    compare(criterion, "quick-cache", |key| {
        cache.get_or_insert_with(&key, || Ok::<_, Infallible>(key)) == Ok(key)
    });
    let map = DashMap::new();
    compare(criterion, "dashmap", |key| *map.entry(key).or_insert(key) == key);
}

fn compare(criterion: &mut Criterion, name: &str, act: impl Fn(u64) -> bool + Sync) {
    assert!((0..KEYS).all(&act), "{name} returns another result");
    let drawn: Vec<u64> = random_keys(KEYS).take(1 << 16).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for &key in drawn.iter().rev().cycle() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                assert!(act(black_box(key)), "{name} returns another result");
            }
        });
        let mut drawn = drawn.iter().cycle();
        criterion.bench_function(&format!("replay, beside another thread/{name}"), |bencher| {
            bencher.iter(|| drawn.next().map(|&key| act(black_box(key))));
        });
        done.store(true, Ordering::Relaxed);
    });
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = idempotency, beside_another);
criterion_main!(benches);
