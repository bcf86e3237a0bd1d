//! Every operation of idempotency caches, ours and the peers'; and of those that threads share, by one thread and while
//! another does the same as often as it can.

mod criterion_meter;
#[path = "idempotency/shared.rs"]
mod shared;

use core::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::thread;

use benches::{
    Family,
    fences::random_keys,
    idempotency::{KEYS, check, peers::Textbook},
};
use criterion::{Criterion, criterion_group, criterion_main};
use dashmap::DashMap;
use moka::sync::Cache as Moka;
use parking_lot::Mutex;
use quick_cache::sync::Cache as QuickCache;

use self::{
    criterion_meter::Benches,
    shared::{Locked, Sharded, Shared},
};

fn idempotency(criterion: &mut Criterion) {
    check().expect("every cache can be made");
    Family::Idempotency.measure(&mut Benches(criterion)).expect("every cache can be made");
}

fn by_threads(criterion: &mut Criterion) {
    compare::<Sharded>(criterion, "cache-shared");
    compare::<Locked>(criterion, "cache-mutex");
    compare::<Moka<u64, u64>>(criterion, "moka");
    compare::<QuickCache<u64, u64>>(criterion, "quick-cache");
    compare::<DashMap<u64, u64>>(criterion, "dashmap");
    compare::<Mutex<Textbook>>(criterion, "textbook");
}

fn compare<C: Shared>(criterion: &mut Criterion, name: &str) {
    for threads in [1, 2] {
        let cache = filled::<C>();
        let drawn: Vec<u64> = random_keys(KEYS).take(1 << 16).collect();
        let draws = |_| drawn.iter().copied().cycle();
        let name = |what| format!("{what}, threads: {threads}/{name}");
        measure(criterion, &name("replay"), threads, draws, |key| cache.replay(key));
        let cache = filled::<C>();
        let new = |thread| (KEYS + thread..).step_by(threads);
        measure(criterion, &name("execute"), threads, new, |key| {
            assert_eq!(cache.execute(key), key, "{key}");
        });
    }
}

fn filled<C: Shared>() -> C {
    let cache = C::new();
    (0..KEYS).for_each(|key| cache.fill(key));
    cache
}

/// Measures what one thread does with its keys while the others do the same with theirs.
fn measure<I: Iterator<Item = u64>, T>(
    criterion: &mut Criterion,
    name: &str,
    threads: usize,
    keys: impl Fn(u64) -> I + Sync,
    act: impl Fn(u64) -> T + Sync,
) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in (1..).take(threads - 1) {
            let (keys, act, done) = (&keys, &act, &done);
            scope.spawn(move || {
                let not_done = |_: &u64| !done.load(Ordering::Relaxed);
                for key in keys(thread).take_while(not_done) {
                    black_box(act(black_box(key)));
                }
            });
        }
        let mut keys = keys(0);
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| keys.next().map(|key| act(black_box(key))));
        });
        done.store(true, Ordering::Relaxed);
    });
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = idempotency, by_threads);
criterion_main!(benches);
