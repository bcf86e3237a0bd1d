//! Every operation of timeouts and of what there is about them, ours and the peers'; and of the timeouts
//! that threads share while another thread records as often as it can: ours, and one in a mutex.

mod criterion_meter;

use core::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::thread;

use benches::{
    Family,
    timeouts::{Latencies, WINDOW, check, config},
};
use criterion::{Criterion, criterion_group, criterion_main};
use parking_lot::Mutex;
use surmise_timeout::{AdaptiveTimeout, Outcome, sync::SharedAdaptiveTimeout};

use self::criterion_meter::Benches;

fn timeouts(criterion: &mut Criterion) {
    check();
    let measured = Family::Timeouts.measure(&mut Benches(criterion));
    measured.expect("every configuration is in its range");
}

fn beside_a_recorder(criterion: &mut Criterion) {
    let timeout = SharedAdaptiveTimeout::new(config()).expect("the limits are in order");
    compare(criterion, "timeout-shared", |took| timeout.record(took), || timeout.current());
    let timeout = AdaptiveTimeout::<WINDOW>::new(config()).expect("the limits are in order");
    let timeout = Mutex::new(timeout);
    compare(criterion, "mutex", |took| timeout.lock().record(took), || timeout.lock().current());
}

fn compare(
    criterion: &mut Criterion,
    name: &str,
    record: impl Fn(Outcome) + Sync,
    current: impl Fn() -> Duration + Sync,
) {
    let latencies: Vec<Outcome> =
        Latencies::new().take(8192).map(|call| Outcome::Completed(call.took)).collect();
    latencies.iter().copied().for_each(&record);
    let waits = current();

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for &outcome in latencies.iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                record(outcome);
            }
        });
        let mut outcomes = latencies.iter().cycle();
        criterion.bench_function(&format!("record, beside a recorder/{name}"), |bencher| {
            bencher.iter(|| outcomes.next().map(|&outcome| record(black_box(outcome))));
        });
        criterion.bench_function(&format!("read, beside a recorder/{name}"), |bencher| {
            bencher.iter(&current);
        });
        done.store(true, Ordering::Relaxed);
    });
    assert!(current().abs_diff(waits) < waits / 2, "{name} waits {:?}, and {waits:?}", current());
}

fn config_of_criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config_of_criterion(); targets = timeouts, beside_a_recorder);
criterion_main!(benches);
