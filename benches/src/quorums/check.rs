use surmise_time::Instant;

use super::{BallotContender, BallotVisitor, ballot::FRESHNESS, visit_all};
use crate::{Made, allocations};

/// Checks what the benches take for granted: that a majority convicts and one vote less does not, that votes
/// that come late or expired do not count, and that nothing allocates.
///
/// Counts wrongly while another thread allocates.
///
/// # Panics
///
/// If something is not as it should be.
pub fn check() {
    visit_all(&mut Check).expect("every configuration is in its range");
}

struct Check;

impl BallotVisitor for Check {
    fn visit<C: BallotContender>(
        &mut self,
        name: &str,
        observers: u32,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let mut ballot = make()?;
        let now = Instant::ORIGIN;
        let majority = observers / 2 + 1;
        let allocations = allocations(|| {
            for observer in 0..majority {
                assert!(!ballot.is_convicted(now), "{name} convicts by {observer} votes");
                assert!(ballot.vote(observer, true, 2, now), "{name} takes a vote for an old one");
                assert!(!ballot.vote(observer, false, 1, now), "{name} takes an old vote");
            }
            assert!(ballot.is_convicted(now), "{name} does not convict");
            assert!(ballot.vote(0, false, 3, now), "{name} does not take another vote");
            assert!(!ballot.is_convicted(now), "{name} does not hear of it");
            assert!(ballot.vote(0, true, 4, now) && ballot.is_convicted(now), "{name}");
            assert!(!ballot.is_convicted(now + FRESHNESS), "{name} counts what has expired");
        });
        assert_eq!(allocations, 0, "{name} allocates");
        Ok(())
    }
}
