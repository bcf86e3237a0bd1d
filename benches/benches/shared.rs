//! Verdicts of one detector that threads share: read alone, and while another thread writes.

use core::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::thread;

use benches::detectors::{Beat, Heartbeats, WARM_UP, boxed, peers::PhiAccrualFailureDetector, phi};
use criterion::{Criterion, criterion_group, criterion_main};
use surmise_detector::{Verdict, sync::Shared};

fn ours(criterion: &mut Criterion) {
    let detector = phi(boxed::<u32>()).expect("the configuration is in its range");
    let shared = Shared::new(detector);
    compare(
        criterion,
        "phi-1000",
        |beat| _ = shared.heartbeat(beat.sequence, beat.at),
        |beat| shared.verdict(beat.at),
    );
}

fn peer(criterion: &mut Criterion) {
    let shared = PhiAccrualFailureDetector::shared().expect("the configuration is in its range");
    compare(
        criterion,
        "phi-accrual-failure-detector",
        |beat| shared.heartbeat(beat.at),
        |beat| if shared.is_available(beat.at) { Verdict::Trust } else { Verdict::Suspect },
    );
}

fn compare(
    criterion: &mut Criterion,
    name: &str,
    heartbeat: impl Fn(Beat) + Sync,
    verdict: impl Fn(Beat) -> Verdict + Sync,
) {
    let mut heartbeats = Heartbeats::new();
    heartbeats.by_ref().take(WARM_UP).for_each(&heartbeat);
    let newest = heartbeats.next().expect("heartbeats never end");
    heartbeat(newest);

    criterion.bench_function(&format!("shared verdict, alone/{name}"), |bencher| {
        bencher.iter(|| verdict(black_box(newest)));
    });
    assert_eq!(verdict(newest), Verdict::Trust);

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                heartbeats.by_ref().take(100).for_each(&heartbeat);
            }
        });
        criterion.bench_function(&format!("shared verdict, beside a writer/{name}"), |bencher| {
            bencher.iter(|| verdict(black_box(newest)));
        });
        done.store(true, Ordering::Relaxed);
    });
    // Heartbeats only ever move the deadline on.
    assert_eq!(verdict(newest), Verdict::Trust);
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = ours, peer);
criterion_main!(benches);
