use surmise_fence::FencingToken;

use super::{
    FenceContender, FenceVisitor, MapContender, MapVisitor, leases,
    map::{filled, ours, stale},
    visit_fences, visit_maps,
};
use crate::{Origin, allocations};

/// Checks what the benches take for granted: what everything admits, writes and grants, and that our maps do not
/// allocate for a key that is there.
///
/// Counts wrongly while another thread allocates.
///
/// # Panics
///
/// If something is not as it should be.
pub fn check() {
    visit_fences(&mut Check);
    visit_maps(&mut Check, KEYS);
    leases::check();
}

const KEYS: usize = 1000;

struct Check;

impl FenceVisitor for Check {
    fn visit<C: FenceContender>(&mut self, name: &'static str, make: impl Fn() -> C) {
        let mut fence = make();
        let [old, new] = [1, 2].map(FencingToken::first);
        let admitted = [old, old, new, old, new].map(|token| fence.admit(token));
        assert_eq!(admitted, [true, true, true, false, true], "{name}");
    }
}

impl MapVisitor for Check {
    fn visit<C: MapContender>(&mut self, name: &'static str, make: impl Fn() -> C) {
        let mut map = filled(make(), KEYS as u64);
        let allocations = allocations(|| {
            for key in 0..KEYS as u64 {
                assert!(map.write(key, key + 1, ours()), "{name} refuses the holder");
                assert!(!map.write(key, 0, stale()), "{name} lets a stale holder write");
            }
        });
        if C::ORIGIN == Origin::Ours {
            assert_eq!(allocations, 0, "{name} allocates");
        }
        for key in 0..KEYS as u64 {
            assert_eq!(map.get(key), Some(key + 1), "{name}");
        }
    }
}
