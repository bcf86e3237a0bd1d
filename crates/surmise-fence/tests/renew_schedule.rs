//! When a lease is renewed.

use core::time::Duration;

use surmise_fence::{DriftAllowance, FencingToken, Grant, LeaseGuard, RenewSchedule, Renewal};
use surmise_time::Instant;

const NANOSECOND: Duration = Duration::from_nanos(1);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn at(second: u64) -> Instant {
    Instant::ORIGIN + seconds(second)
}

fn grant(valid_for: Duration) -> Grant {
    Grant { token: FencingToken::first(1), valid_for }
}

/// A lease of nine seconds from 0.
fn guard() -> LeaseGuard {
    LeaseGuard::new(grant(seconds(9)), at(0), DriftAllowance::from_ppm(0))
}

#[test]
fn a_lease_is_renewed_at_a_third_and_retried_until_it_is_over() {
    let mut schedule = RenewSchedule::new(&guard(), seconds(4)).unwrap();
    assert_eq!(schedule.deadline(), Some(at(3)));
    assert_eq!(schedule.poll(at(3) - NANOSECOND), Renewal::Wait { until: at(3) });
    assert_eq!(schedule.poll(at(3)), Renewal::Send);
    // The request hangs. Asking again changes nothing.
    for _ in 0..2 {
        assert_eq!(schedule.poll(at(3)), Renewal::Wait { until: at(7) });
        assert_eq!(schedule.deadline(), Some(at(7)));
    }
    assert_eq!(schedule.poll(at(7)), Renewal::Send);
    assert_eq!(schedule.deadline(), Some(at(9)), "the lease is over before the next is due");
    assert_eq!(schedule.poll(at(9) - NANOSECOND), Renewal::Wait { until: at(9) });
    assert_eq!(schedule.poll(at(9)), Renewal::Expired);
    assert_eq!(schedule.deadline(), None);
    assert_eq!(schedule.poll(at(9)), Renewal::Expired);
}

#[test]
fn spacings_count_from_when_it_was_said_to_send() {
    let mut schedule = RenewSchedule::new(&guard(), seconds(2)).unwrap();
    assert_eq!(schedule.poll(at(4)), Renewal::Send);
    assert_eq!(schedule.deadline(), Some(at(6)));
}

#[test]
fn after_a_renewal_the_next_is_due_at_a_third_of_what_it_gave() {
    let mut guard = guard();
    let mut schedule = RenewSchedule::new(&guard, seconds(1)).unwrap();
    assert_eq!(schedule.poll(at(3)), Renewal::Send);
    assert_eq!(schedule.poll(at(4)), Renewal::Send);
    // The reply to the request of 3 comes at 5; that to the one of 4 follows.
    for (sent, due) in [(3, 6), (4, 7)] {
        guard.renewed(grant(seconds(9)), at(sent)).unwrap();
        schedule.renewed(&guard);
        assert_eq!(schedule.deadline(), Some(at(due)));
    }
    let before = schedule;
    guard.renewed(grant(seconds(9)), at(2)).unwrap();
    schedule.renewed(&guard);
    assert_eq!(schedule, before, "a late reply gives nothing");
}

/// Otherwise each late reply would be followed by a renewal at once.
#[test]
fn a_guard_that_was_not_renewed_changes_nothing() {
    let guard = guard();
    let mut schedule = RenewSchedule::new(&guard, seconds(1)).unwrap();
    assert_eq!(schedule.poll(at(3)), Renewal::Send);
    schedule.renewed(&guard);
    assert_eq!(schedule.deadline(), Some(at(4)));
}

#[test]
fn a_lease_that_was_over_and_is_valid_again_is_renewed_again() {
    let mut guard = guard();
    let mut schedule = RenewSchedule::new(&guard, seconds(1)).unwrap();
    assert_eq!(schedule.poll(at(8)), Renewal::Send);
    assert_eq!(schedule.poll(at(10)), Renewal::Expired);
    guard.renewed(grant(seconds(9)), at(8)).unwrap();
    schedule.renewed(&guard);
    assert_eq!(schedule.deadline(), Some(at(11)));
    assert_eq!(schedule.poll(at(10)), Renewal::Wait { until: at(11) });
}

#[test]
fn a_holder_that_was_paused_past_the_end_sends_nothing() {
    let mut schedule = RenewSchedule::new(&guard(), seconds(1)).unwrap();
    assert_eq!(schedule.poll(at(60)), Renewal::Expired);
    // And does not believe that time went back.
    assert_eq!((schedule.poll(at(5)), schedule.deadline()), (Renewal::Expired, None));
}

#[test]
fn time_that_steps_back_sends_nothing_early() {
    let mut schedule = RenewSchedule::new(&guard(), seconds(1)).unwrap();
    assert_eq!(schedule.poll(at(3)), Renewal::Send);
    assert_eq!(schedule.poll(at(0)), Renewal::Wait { until: at(4) });
}

#[test]
fn renewals_are_some_time_apart() {
    assert!(RenewSchedule::new(&guard(), Duration::ZERO).is_err());
    let mut schedule = RenewSchedule::new(&guard(), Duration::MAX).unwrap();
    assert_eq!(schedule.poll(at(3)), Renewal::Send);
    assert_eq!(schedule.deadline(), Some(at(9)));
}
