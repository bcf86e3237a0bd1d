//! Heartbeats and verdicts of a monitor that threads share, by one thread and while another takes in heartbeats of other
//! peers as often as it can; beside a monitor behind one lock.

use core::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::thread;

use benches::fences::random_keys;
use criterion::{Criterion, criterion_group, criterion_main};
use parking_lot::Mutex;
use surmise_detector::{Beat, FixedTimeout, Verdict};
use surmise_monitor::{Ignored, Monitor, MonitorConfig, sync};
use surmise_time::Instant;

const PEERS: u64 = 100_000;
/// Time stands still, so that nothing is due.
const NOW: Instant = Instant::ORIGIN;

type Sharded = sync::Monitor<u64, FixedTimeout>;
type Locked = Mutex<Monitor<u64, FixedTimeout>>;

/// A monitor that threads share.
trait Shared: Sync {
    fn new() -> Self;
    fn watch(&self, peer: u64);
    fn heartbeat(&self, peer: u64, sequence: u64) -> Result<Beat, Ignored>;
    fn verdict(&self, peer: u64) -> Option<Verdict>;
}

impl Shared for Sharded {
    fn new() -> Self {
        Self::new(MonitorConfig::default()).expect("it is in its range")
    }

    fn watch(&self, peer: u64) {
        self.watch(peer, detector(), NOW).expect("there is room");
    }

    fn heartbeat(&self, peer: u64, sequence: u64) -> Result<Beat, Ignored> {
        self.heartbeat(&peer, 1, sequence, NOW)
    }

    fn verdict(&self, peer: u64) -> Option<Verdict> {
        self.verdict(&peer)
    }
}

impl Shared for Locked {
    fn new() -> Self {
        Self::new(Monitor::new(MonitorConfig::default()).expect("it is in its range"))
    }

    fn watch(&self, peer: u64) {
        self.lock().watch(peer, detector(), NOW).expect("there is room");
    }

    fn heartbeat(&self, peer: u64, sequence: u64) -> Result<Beat, Ignored> {
        self.lock().heartbeat(&peer, 1, sequence, NOW)
    }

    fn verdict(&self, peer: u64) -> Option<Verdict> {
        self.lock().verdict(&peer)
    }
}

fn detector() -> FixedTimeout {
    FixedTimeout::new(Duration::from_secs(3)).expect("it is in its range")
}

fn monitors(criterion: &mut Criterion) {
    compare::<Sharded>(criterion, "monitor-shared");
    compare::<Locked>(criterion, "monitor-mutex");
}

fn compare<M: Shared>(criterion: &mut Criterion, name: &str) {
    let monitor = filled::<M>();
    for threads in [1, 2] {
        let mut beats = beats(0);
        beside_others(&monitor, threads, || {
            criterion.bench_function(&format!("heartbeat, threads: {threads}/{name}"), |bencher| {
                bencher.iter(|| {
                    let (peer, sequence) = beats.next()?;
                    Some(monitor.heartbeat(black_box(peer), sequence))
                });
            });
        });
        let mut peers = peers(0).cycle();
        beside_others(&monitor, threads, || {
            criterion.bench_function(&format!("verdict, threads: {threads}/{name}"), |bencher| {
                bencher.iter(|| monitor.verdict(black_box(peers.next()?)));
            });
        });
        assert!(peers.take(1000).all(|peer| monitor.verdict(peer) == Some(Verdict::Trust)));
    }
}

/// The verdicts of one peer, whose heartbeats do not come meanwhile.
fn handle(criterion: &mut Criterion) {
    let monitor = filled::<Sharded>();
    let handle = monitor.handle(&0).expect("it is watched");
    for threads in [1, 2] {
        beside_others(&monitor, threads, || {
            let name = format!("verdict, threads: {threads}/handle");
            criterion.bench_function(&name, |bencher| {
                bencher.iter(|| handle.verdict(black_box(NOW)));
            });
        });
    }
    assert_eq!(handle.verdict(NOW), Verdict::Trust);
}

fn filled<M: Shared>() -> M {
    let monitor = M::new();
    for peer in 0..PEERS {
        monitor.watch(peer);
        assert_eq!(monitor.heartbeat(peer, 1), Ok(Beat::First));
    }
    monitor
}

/// Measures while the other threads take in heartbeats, each of its own peers.
fn beside_others(monitor: &impl Shared, threads: u64, measure: impl FnOnce()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 1..threads {
            let done = &done;
            scope.spawn(move || {
                for (peer, sequence) in beats(thread) {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    assert!(monitor.heartbeat(peer, sequence).is_ok());
                }
            });
        }
        measure();
        done.store(true, Ordering::Relaxed);
    });
}

/// Returns heartbeats of peers of a thread, which never end.
fn beats(thread: u64) -> impl Iterator<Item = (u64, u64)> {
    peers(thread).cycle().zip(2..)
}

/// Returns peers of one of two threads, in an order that has nothing to do with where they are kept.
fn peers(thread: u64) -> impl Iterator<Item = u64> + Clone {
    let peers: Vec<u64> =
        random_keys(PEERS / 2).take(1 << 16).map(|key| 2 * key + thread).collect();
    peers.into_iter()
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = monitors, handle);
criterion_main!(benches);
