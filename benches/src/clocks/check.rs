use core::{cmp::Ordering, time::Duration};

use super::{
    hybrid::{self, HybridContender, physical_times},
    vector::{self, COMPARISONS, News, Overlap, Sample, VectorContender, samples},
};
use crate::{Origin, allocations};

/// Checks what the benches take for granted: what every clock returns, and that ours do not allocate
/// where they need not.
///
/// Counts wrongly while another thread allocates.
///
/// # Panics
///
/// If something is not as it should be.
pub fn check() {
    hybrid::visit_all(&mut Check);
    vector::visit_all(&mut Check);
}

struct Check;

impl hybrid::Visitor for Check {
    fn visit<C: HybridContender>(&mut self, name: &'static str, make: impl Fn() -> C) {
        let mut clock = make();
        let allocations = allocations(|| check_stamps(name, &mut clock));
        if C::ORIGIN == Origin::Ours {
            assert_eq!(allocations, 0, "{name} allocates");
        }
    }
}

/// Checks that stamps ascend, and are after each stamp that was taken in.
fn check_stamps<C: HybridContender>(name: &str, clock: &mut C) {
    let mut times = physical_times(10).take(1000).peekable();
    let Some(&start) = times.peek() else { return };
    let older = C::remote(start - Duration::from_millis(1));
    let mut last = clock.tick(C::physical(start));
    for at in times {
        let physical = C::physical(at);
        let newer = |ahead| C::remote(at + Duration::from_millis(ahead));
        let mut tick_after = |clock: &mut C, remote: C::Stamp| {
            let stamp = clock.tick(physical);
            assert!(stamp > last, "{name} gives {stamp:?} after {last:?}");
            assert!(stamp > remote, "{name} gives {stamp:?} after it took in {remote:?}");
            last = stamp;
        };
        tick_after(clock, older);
        clock.observe(older, physical);
        tick_after(clock, older);
        clock.observe(newer(5), physical);
        tick_after(clock, newer(5));
        clock.witness(newer(6), physical);
        tick_after(clock, newer(6));
    }
}

impl vector::Visitor for Check {
    fn visit<C: VectorContender>(&mut self, name: &'static str) {
        for len in [8, 64] {
            for (_, order) in COMPARISONS {
                for news in [News::OneEvent, News::HalfTheReplicas] {
                    for sample in samples(len, Overlap::Full, news, order) {
                        check_pair::<C>(name, &sample, order, 0);
                    }
                }
            }
            for overlap in [Overlap::Half, Overlap::None] {
                for sample in samples(len, overlap, News::OneEvent, None) {
                    check_pair::<C>(name, &sample, None, usize::MAX);
                }
            }
        }
    }
}

/// Checks the order of two clocks, what they come to together, and one event more.
fn check_pair<C: VectorContender>(
    name: &str,
    sample: &Sample,
    order: Option<Ordering>,
    max_allocations: usize,
) {
    let Sample { first, second } = sample;
    let mut clock = C::from_entries(first);
    let other: &'static C = Box::leak(Box::new(C::from_entries(second)));
    let lent = C::lend(other);
    let replica = first.first().map_or(0, |&(replica, _)| replica);
    let allocations = allocations(|| {
        let told: Option<Ordering> = clock.causal_order(other).into();
        assert_eq!(told, order, "{name}: {sample:?}");
        clock.merge(lent);
        clock.increment(&replica);
    });
    if C::ORIGIN == Origin::Ours {
        assert!(allocations <= max_allocations, "{name} allocates {allocations} times");
    }
    for &(id, _) in first.iter().chain(second) {
        let of = |entries: &[(u64, u64)]| {
            entries.iter().find(|entry| entry.0 == id).map_or(0, |&(_, counter)| counter)
        };
        let expected = of(first).max(of(second)) + u64::from(id == replica);
        assert_eq!(clock.get(id), expected, "{name}: {id} in {sample:?}");
    }
}
