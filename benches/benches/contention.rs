//! Ticks of one hybrid clock that two threads share.
//!
//! Each thread takes as many stamps as it is told to, with nothing in between. The time is that of one
//! stamp as a thread sees it. Physical time comes from a cache that both threads read; it stands still,
//! so that every stamp changes what the other thread has just written.

use core::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{sync::Barrier, thread};

use benches::clocks::hybrid::{
    HybridContender, MAX_OFFSET,
    peers::{MutexClock, Uhlc},
};
use criterion::{Criterion, criterion_group, criterion_main};
use surmise_clock::sync::AtomicHybridClock;
use surmise_time::{MonotonicClock, OsClock, WallTime};

const THREADS: u32 = 2;

const NOW: WallTime = WallTime::from_nanos(1_750_000_000_000_000_000);

fn ours(criterion: &mut Criterion) {
    let clock = AtomicHybridClock::new(MAX_OFFSET);
    let cached = AtomicU64::new(NOW.as_nanos());
    compare(criterion, "hybrid-atomic", || {
        clock.tick(WallTime::from_nanos(cached.load(Ordering::Relaxed)))
    });
}

fn mutex(criterion: &mut Criterion) {
    let clock = MutexClock::new();
    let cached = AtomicU64::new(NOW.as_nanos());
    compare(criterion, "mutex", || {
        clock.tick(WallTime::from_nanos(cached.load(Ordering::Relaxed)))
    });
}

fn uhlc(criterion: &mut Criterion) {
    let clock = Uhlc::new();
    let now = Uhlc::physical(NOW);
    compare(criterion, "uhlc", || clock.tick(black_box(now)));
}

fn compare<S: Ord + Send>(criterion: &mut Criterion, name: &str, tick: impl Fn() -> S + Sync) {
    check(name, &tick);
    for threads in [1, THREADS] {
        criterion.bench_function(&format!("tick, {threads} threads/{name}"), |bencher| {
            bencher.iter_custom(|stamps| time(threads, stamps, &tick));
        });
    }
}

/// Returns how long the slowest of the threads takes for so many stamps.
fn time<S>(threads: u32, stamps: u64, tick: &(impl Fn() -> S + Sync)) -> Duration {
    let start = Barrier::new(threads as usize);
    let run = || {
        start.wait();
        let started = OsClock.now();
        for _ in 0..stamps {
            black_box(&tick());
        }
        OsClock.now() - started
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let took = threads.into_iter().map(|thread| thread.join().expect("it does not panic"));
        took.max().unwrap_or_default()
    })
}

/// Checks that a thread's stamps ascend, and that no two threads get the same.
fn check<S: Ord + Send>(name: &str, tick: &(impl Fn() -> S + Sync)) {
    const STAMPS: usize = 10_000;
    let run = || (0..STAMPS).map(|_| tick()).collect::<Vec<S>>();
    let mut all: Vec<S> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(run)).collect();
        threads
            .into_iter()
            .flat_map(|thread| {
                let stamps = thread.join().expect("it does not panic");
                assert!(stamps.is_sorted_by(|a, b| a < b), "a thread's stamps of {name} descend");
                stamps
            })
            .collect()
    });
    let given = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), given, "{name} gives a stamp twice");
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = ours, mutex, uhlc);
criterion_main!(benches);
