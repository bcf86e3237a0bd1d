//! Every operation of the interval clocks, ours and the peer's; and ours while a thread publishes
//! samples, as often as it can: in earnest, one comes every second or so.

mod criterion_meter;

use core::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::thread;

use benches::{
    Family,
    intervals::{check, sample},
};
use criterion::{Criterion, criterion_group, criterion_main};
use surmise_interval::{IntervalClockConfig, sync::SharedIntervalClock};
use surmise_time::Instant;

use self::criterion_meter::Benches;

fn intervals(criterion: &mut Criterion) {
    check();
    let measured = Family::Intervals.measure(&mut Benches(criterion));
    measured.expect("the peer takes the memory that is made for it");
}

fn beside_a_writer(criterion: &mut Criterion) {
    let clock = SharedIntervalClock::new(IntervalClockConfig::default());
    let published = sample(Instant::ORIGIN);
    clock.synchronize(published);
    let now = Instant::ORIGIN + Duration::from_secs(1);
    let expected = Ok(published.interval_at(now));

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                clock.synchronize(black_box(published));
            }
        });
        criterion.bench_function("now given, beside a writer/interval-shared", |bencher| {
            bencher.iter(|| clock.now(black_box(now)));
        });
        assert_eq!(clock.now(now), expected);
        done.store(true, Ordering::Relaxed);
    });
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = intervals, beside_a_writer);
criterion_main!(benches);
