//! When a lease is renewed.

use core::time::Duration;

use quickcheck::quickcheck;
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

/// The store takes longer for a reply than renewals are apart. It would be sent one for each of its replies.
#[test]
fn a_late_reply_is_not_followed_by_a_renewal_at_once() {
    let mut guard = guard();
    let mut schedule = RenewSchedule::new(&guard, seconds(1)).unwrap();
    for second in 3..8 {
        assert_eq!(schedule.poll(at(second)), Renewal::Send);
    }
    // The reply to what was sent at 3: a third of what it gives is over at 6.
    guard.renewed(grant(seconds(9)), at(3)).unwrap();
    schedule.renewed(&guard);
    assert_eq!(schedule.poll(at(7) + seconds(1) / 2), Renewal::Wait { until: at(8) });
    assert_eq!(schedule.poll(at(8)), Renewal::Send);
}

quickcheck! {
    /// However long replies take, and whatever they give.
    fn renewals_are_a_spacing_apart(spacing: u8, steps: Vec<(u8, u8, Option<u8>)>) -> bool {
        let spacing = seconds(u64::from(spacing % 8) + 1);
        let mut guard = guard();
        let mut schedule = RenewSchedule::new(&guard, spacing).unwrap();
        let mut now = at(0);
        let mut sent = Vec::new();
        for (pause, which, valid_for) in steps {
            now += seconds((pause % 4).into());
            if schedule.poll(now) == Renewal::Send {
                sent.push(now);
            }
            let request = sent.get(usize::from(which % 8)).copied();
            if let Some((request, valid_for)) = request.zip(valid_for) {
                guard.renewed(grant(seconds((valid_for % 32).into())), request).unwrap();
                schedule.renewed(&guard);
            }
        }
        sent.windows(2).all(|pair| pair[1] >= pair[0] + spacing)
    }
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
fn for_a_lease_that_is_lost_nothing_is_sent_any_more() {
    let mut guard = guard();
    let mut schedule = RenewSchedule::new(&guard, seconds(1)).unwrap();
    assert_eq!(schedule.poll(at(3)), Renewal::Send);
    schedule.lost();
    for _ in 0..2 {
        assert_eq!((schedule.poll(at(4)), schedule.deadline()), (Renewal::Expired, None));
        // Nor if the reply to what was sent before comes now.
        guard.renewed(grant(seconds(9)), at(3)).unwrap();
        schedule.renewed(&guard);
    }
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
