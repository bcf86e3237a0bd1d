use super::{Contender, KEYS, Visitor, filled, visit};
use crate::{Made, Origin, allocations};

/// Checks what the benches take for granted: that a result is replayed and a new request executed, and that ours do
/// not allocate.
///
/// Counts wrongly while another thread allocates.
///
/// # Errors
///
/// If a configuration is refused.
///
/// # Panics
///
/// If something is not as it should be.
pub fn check() -> Made<()> {
    visit(&mut Check)
}

struct Check;

impl Visitor for Check {
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()> {
        if !C::REPLAYS {
            assert_eq!(make()?.execute(7), 7, "{name}");
            return Ok(());
        }
        let mut cache = filled(make()?);
        let last = KEYS + u64::from(C::BATCH);
        let allocations = allocations(|| {
            for key in KEYS..last {
                assert_eq!(cache.execute(key), key, "{name}");
                // The others may forget whatever they like.
                if C::ORIGIN == Origin::Ours {
                    assert_eq!(cache.replay(key - KEYS + 1), Some(key - KEYS + 1), "{name}");
                    assert_eq!(cache.replay(key), Some(key), "{name}");
                }
            }
        });
        if C::ORIGIN == Origin::Ours {
            assert_eq!(allocations, 0, "{name} allocates");
        }
        Ok(())
    }
}
