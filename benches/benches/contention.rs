//! Ticks of one hybrid clock by one thread, and by two that share it.
//!
//! Each thread takes as many stamps as the others, with nothing in between. The time is that of one
//! stamp as a thread sees it, with the reading of physical time from a cache. That stands still, so that
//! every stamp changes what the other thread has just written. Only rounds in which all threads ran at
//! once count, so that other work on the machine does little harm.
//!
//! One thread takes stamps by the operating system's clock too, which is most of what they cost then.

use core::{
    hint::{black_box, spin_loop},
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::thread;

use benches::clocks::hybrid::{
    HybridContender, MAX_OFFSET,
    peers::{MutexClock, Uhlc},
};
use criterion::{Criterion, criterion_group, criterion_main};
use hlc_gen::HlcGenerator;
use surmise_clock::sync::AtomicHybridClock;
use surmise_time::{CachedWallClock, Instant, MonotonicClock, OsClock, OsWallClock, WallClock};
use uhlc::HLC;

const THREADS: usize = 2;

/// How many stamps a thread takes before it waits for the others.
const ROUND: u32 = 1000;

fn cached(criterion: &mut Criterion) {
    let wall = CachedWallClock::new(OsWallClock);
    let threads = [1, THREADS];
    let clock = AtomicHybridClock::new(MAX_OFFSET);
    compare(criterion, "hybrid-atomic, cached", &threads, || clock.tick(wall.now()));
    let clock = MutexClock::new();
    compare(criterion, "mutex, cached", &threads, || clock.tick(wall.now()));
    let clock = Uhlc::new();
    let now = Uhlc::physical(wall.now());
    compare(criterion, "uhlc, cached", &threads, || clock.tick(black_box(now)));
}

fn read(criterion: &mut Criterion) {
    let clock = AtomicHybridClock::new(MAX_OFFSET);
    compare(criterion, "hybrid-atomic", &[1], || clock.tick(OsWallClock.now()));
    let clock = MutexClock::new();
    compare(criterion, "mutex", &[1], || clock.tick(OsWallClock.now()));
    let clock = HLC::default();
    compare(criterion, "uhlc", &[1], || clock.new_timestamp());
    let clock = HlcGenerator::default();
    compare(criterion, "hlc-gen", &[1], || clock.next_timestamp().expect("it is before 2110"));
}

fn compare<S: Ord + Send>(
    criterion: &mut Criterion,
    name: &str,
    threads: &[usize],
    tick: impl Fn() -> S + Sync,
) {
    check(name, &tick);
    for &threads in threads {
        criterion.bench_function(&format!("tick of {threads}/{name}"), |bencher| {
            bencher.iter_custom(|stamps| time(threads, stamps, &tick));
        });
    }
}

/// Returns how long a thread takes for so many stamps, while the others take as many.
fn time<S>(threads: usize, stamps: u64, tick: &(impl Fn() -> S + Sync)) -> Duration {
    let rounds = usize::try_from(stamps / u64::from(ROUND)).expect("they fit in memory") + 1;
    loop {
        let timed = run_rounds(threads, rounds, tick);
        let at_once = (0..rounds).filter_map(|round| {
            let round: Option<Vec<_>> = timed.iter().map(|rounds| rounds.get(round)).collect();
            time_at_once(&round?)
        });
        let (count, took) =
            at_once.fold((0_u32, Duration::ZERO), |(count, sum), took| (count + 1, sum + took));
        if count > 0 {
            #[expect(clippy::cast_precision_loss, reason = "fewer than 2⁵³ stamps")]
            let of_a_round = stamps as f64 / f64::from(ROUND);
            return took.div_f64(f64::from(count)).mul_f64(of_a_round);
        }
    }
}

/// Returns from when to when each of the threads took the stamps of each round.
///
/// All begin a round together, if the machine has time for all of them.
fn run_rounds<S>(
    threads: usize,
    rounds: usize,
    tick: &(impl Fn() -> S + Sync),
) -> Vec<Vec<Range<Instant>>> {
    let arrivals = AtomicUsize::new(0);
    let round = |round: usize| {
        arrivals.fetch_add(1, Ordering::AcqRel);
        while arrivals.load(Ordering::Acquire) < (round + 1) * threads {
            spin_loop();
        }
        let start = OsClock.now();
        for _ in 0..ROUND {
            black_box(&tick());
        }
        start..OsClock.now()
    };
    let run = || (0..rounds).map(round).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
    })
}

/// Returns how long the slowest thread took for a round, if all took their time at once.
fn time_at_once(round: &[&Range<Instant>]) -> Option<Duration> {
    let from = round.iter().map(|range| range.start).max()?;
    let to = round.iter().map(|range| range.end).min()?;
    let longest = round.iter().map(|range| range.end - range.start).max()?;
    (to - from >= longest * 9 / 10).then_some(longest)
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

criterion_group!(name = benches; config = config(); targets = cached, read);
criterion_main!(benches);
