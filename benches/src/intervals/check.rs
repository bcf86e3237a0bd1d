use core::time::Duration;

use surmise_interval::{ClockError, CommitWait, IntervalClock, IntervalClockConfig};
use surmise_time::Instant;

use super::{IntervalContender, Visitor, contender::sample, visit_all};
use crate::allocations;

/// Checks what the benches take for granted: what every clock tells, and that ours never allocate.
///
/// Counts wrongly while another thread allocates.
///
/// # Panics
///
/// If something is not as it should be.
pub fn check() {
    visit_all(&mut Check);
    #[cfg(target_os = "linux")]
    check_peer();
}

struct Check;

impl Visitor for Check {
    fn visit<C: IntervalContender>(&mut self, name: &'static str) {
        let mut clock = C::new(IntervalClockConfig::default());
        let at = Instant::from_nanos(1 << 50);
        let unknown = Err(ClockError::Unsynchronized { age: None });
        assert_eq!(clock.now(at), unknown, "{name}");
        let allocations = allocations(|| {
            clock.synchronize(sample(at));
            for now in (0..1000).map(|millis| at + Duration::from_millis(millis)) {
                let interval = sample(at).interval_at(now);
                assert_eq!(clock.now(now), Ok(interval), "{name}");
                let commit = CommitWait::new(interval.latest());
                check_wait(name, &clock.get(), commit, now);
            }
        });
        assert_eq!(allocations, 0, "{name} allocates");
    }
}

/// Checks that a wait is about as long as the interval, which is 2 ms, and over in the end.
fn check_wait(name: &str, clock: &IntervalClock, commit: CommitWait, now: Instant) {
    let wait = commit.remaining(clock, now).expect("the sample is relied on");
    assert!(wait.abs_diff(Duration::from_millis(2)) < Duration::from_micros(101), "{name}");
    let then = clock.now(now + wait).expect("the sample is relied on");
    assert!(commit.is_over(&then), "{name} waits {wait:?}");
}

#[cfg(target_os = "linux")]
fn check_peer() {
    use clock_bound_client::ClockStatus;

    let mut peer = super::ClockBound::new().expect("the peer takes the memory that is made for it");
    let told = peer.now();
    assert!(matches!(told.clock_status, ClockStatus::Synchronized | ClockStatus::FreeRunning));
    // A bound of 1 ms, and what 50 ppm come to.
    let width = Duration::from(told.latest - told.earliest);
    assert!(width >= Duration::from_millis(2) && width < Duration::from_millis(3), "{width:?}");
}
