//! What the benches take for granted. One test: the allocations of others would be counted too.

use benches::{
    Made, Origin, allocations,
    detectors::{
        AccrualContender, Contender, Heartbeats, INTERVAL, Visitor, boxed, query_times, visit_all,
        warm,
    },
};
use surmise_detector::Verdict;

struct Check;

impl Visitor for Check {
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()> {
        let mut contender = make()?;
        let mut heartbeats = Heartbeats::new();
        let mut last = heartbeats.next().expect("heartbeats never end").at;
        let allocations = allocations(|| {
            last = warm(&mut contender, &mut heartbeats);
            query_times(last, 100).for_each(|now| _ = contender.verdict(now));
        });
        if C::ORIGIN == Origin::Ours {
            assert_eq!(allocations, 0, "{name} allocates after its construction");
        }
        assert_eq!(contender.verdict(last), Verdict::Trust, "{name}");
        assert_eq!(contender.verdict(last + INTERVAL / 2), Verdict::Trust, "{name}");
        assert_eq!(contender.verdict(last + 1000 * INTERVAL), Verdict::Suspect, "{name}");
        Ok(())
    }

    fn visit_level<C: AccrualContender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let mut contender = make()?;
        let last = warm(&mut contender, &mut Heartbeats::new());
        let allocations = allocations(|| {
            let mut level = f64::NEG_INFINITY;
            for now in query_times(last, 100) {
                let next = contender.suspicion_level(now);
                assert!(next >= level, "{name} falls from {level} to {next}");
                level = next;
            }
        });
        if C::ORIGIN == Origin::Ours {
            assert_eq!(allocations, 0, "{name} allocates for its level of suspicion");
        }
        Ok(())
    }
}

#[test]
fn contenders_tell_a_live_peer_from_a_dead_one_and_ours_never_allocate() {
    visit_all(&mut Check).expect("every configuration is in its range");
    // The count itself counts.
    assert_eq!(allocations(|| drop(core::hint::black_box(boxed::<u32>()))), 1);
}
