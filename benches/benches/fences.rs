//! Every operation of fences and fenced maps, ours and the peers'; and of those that threads share while another
//! thread does the same as often as it can.

mod criterion_meter;

use core::{
    hint::black_box,
    num::NonZeroUsize,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::thread;

use benches::{
    Family,
    fences::{
        check, ours,
        peers::{MutexHashMap, MutexNumber, UnflooredDashMap},
        random_keys,
    },
};
use criterion::{Criterion, criterion_group, criterion_main};
use surmise_fence::sync::{AtomicFence, FencedMap};

use self::criterion_meter::Benches;

fn fences(criterion: &mut Criterion) {
    check();
    Family::Fences.measure(&mut Benches(criterion)).expect("every fence can be made");
}

/// Two threads that admit writes of one holder.
fn beside_another(criterion: &mut Criterion) {
    let fence = AtomicFence::new();
    compare(criterion, "admit", "fence-atomic", 1, |_| fence.admit(ours().token).is_ok());
    let fence = MutexNumber::default();
    compare(criterion, "admit", "mutex-u128", 1, |_| fence.admit(ours().token));
    for keys in [1000, 1_000_000] {
        let what = format!("write of {keys}");
        let map = FencedMap::new(NonZeroUsize::MIN.saturating_add(keys));
        let write = |key| map.write(key, key, ours()).is_ok();
        compare(criterion, &what, "map-sharded", keys, write);
        let map = UnflooredDashMap::default();
        compare(criterion, &what, "dashmap", keys, |key| map.write(key, key, ours()));
        let map = MutexHashMap::default();
        compare(criterion, &what, "mutex-hashmap", keys, |key| map.write(key, key, ours()));
    }
}

fn compare(
    criterion: &mut Criterion,
    what: &str,
    name: &str,
    keys: usize,
    act: impl Fn(u64) -> bool + Sync,
) {
    let keys = keys as u64;
    assert!((0..keys).all(&act), "{name} refuses the holder");
    let drawn: Vec<u64> = random_keys(keys).take(1 << 16).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for &key in drawn.iter().rev().cycle() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                assert!(act(black_box(key)), "{name} refuses the holder");
            }
        });
        let mut drawn = drawn.iter().cycle();
        criterion.bench_function(&format!("{what}, beside another thread/{name}"), |bencher| {
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

criterion_group!(name = benches; config = config(); targets = fences, beside_another);
criterion_main!(benches);
