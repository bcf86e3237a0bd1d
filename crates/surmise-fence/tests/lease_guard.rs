//! What the holder of a lease knows of it.

use core::time::Duration;

use quickcheck::quickcheck;
use surmise_fence::{DriftAllowance, FencingToken, Grant, LeaseGuard};
use surmise_time::Instant;

const NANOSECOND: Duration = Duration::from_nanos(1);

fn token() -> FencingToken {
    FencingToken::first(1)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn at(second: u64) -> Instant {
    Instant::ORIGIN + seconds(second)
}

fn grant(valid_for: Duration) -> Grant {
    Grant { token: token(), valid_for }
}

/// The request took four of the ten seconds, and the grantor may have counted since it began.
#[test]
fn the_validity_counts_from_before_the_request_and_not_from_the_response() {
    let (sent, received) = (at(100), at(104));
    let guard = LeaseGuard::new(grant(seconds(10)), sent, DriftAllowance::from_ppm(0));
    assert_eq!(guard.remaining(received), seconds(6));
    assert_eq!(guard.token(at(110) - NANOSECOND), Ok(token()));
    let expired = guard.token(at(111)).unwrap_err();
    assert_eq!((expired.token, expired.by), (token(), seconds(1)));
}

#[test]
fn the_last_nanosecond_is_the_last() {
    let guard = LeaseGuard::new(grant(seconds(10)), at(0), DriftAllowance::from_ppm(1_000));
    let end = at(0) + Duration::from_millis(9_990);
    assert_eq!((guard.expires_at(), guard.sent()), (end, at(0)));
    assert!(!guard.is_expired(end - NANOSECOND) && guard.is_expired(end));
    assert_eq!(guard.remaining(end - NANOSECOND), NANOSECOND);
    assert_eq!(guard.remaining(end), Duration::ZERO);
    assert_eq!(guard.token(end).unwrap_err().by, Duration::ZERO);
    assert_eq!(guard.token_unchecked(), token());
}

#[test]
fn a_renewal_that_hangs_extends_nothing_and_a_late_reply_only_from_when_it_was_sent() {
    let mut guard = LeaseGuard::new(grant(seconds(9)), at(0), DriftAllowance::from_ppm(0));
    // Sent at 3, without a reply so far.
    assert!(guard.is_expired(at(9)));
    // The reply is there at 10.
    guard.renewed(grant(seconds(9)), at(3)).unwrap();
    assert_eq!((guard.expires_at(), guard.remaining(at(10))), (at(12), seconds(2)));
    assert_eq!(guard.token(at(10)), Ok(token()));
}

#[test]
fn a_renewal_is_shortened_by_the_drift_as_well() {
    let mut guard = LeaseGuard::new(grant(seconds(10)), at(0), DriftAllowance::from_ppm(1_000));
    guard.renewed(grant(seconds(10)), at(3)).unwrap();
    assert_eq!(guard.expires_at(), at(3) + Duration::from_millis(9_990));
}

#[test]
fn no_reply_makes_the_validity_shorter() {
    let mut guard = LeaseGuard::new(grant(seconds(9)), at(0), DriftAllowance::from_ppm(0));
    guard.renewed(grant(seconds(9)), at(6)).unwrap();
    let renewed = guard;
    guard.renewed(grant(seconds(9)), at(3)).unwrap();
    guard.renewed(grant(seconds(1)), at(7)).unwrap();
    assert_eq!(guard, renewed);
    assert_eq!((guard.sent(), guard.expires_at()), (at(6), at(15)));
}

#[test]
fn another_token_is_another_lease() {
    let mut guard = LeaseGuard::new(grant(seconds(9)), at(0), DriftAllowance::default());
    let before = guard;
    for other in [token().next().unwrap(), FencingToken::first(0)] {
        let grant = Grant { token: other, valid_for: seconds(90) };
        let error = guard.renewed(grant, at(1)).unwrap_err();
        assert_eq!((error.offered, error.held), (other, token()));
        assert_eq!(guard, before);
    }
}

#[test]
fn what_remains_is_never_more_than_was_granted_even_if_time_steps_back() {
    let mut guard = LeaseGuard::new(grant(seconds(9)), at(50), DriftAllowance::from_ppm(0));
    assert_eq!(guard.remaining(at(0)), seconds(9));
    guard.renewed(grant(seconds(9)), at(53)).unwrap();
    for now in [0, 52, 53] {
        assert_eq!(guard.remaining(at(now)), seconds(9));
        assert!(!guard.is_expired(at(now)));
    }

    let never = LeaseGuard::new(grant(Duration::ZERO), at(50), DriftAllowance::from_ppm(0));
    assert!(never.is_expired(at(0)) && never.token(at(0)).is_err());
}

/// Of two renewals under way, the second can be told so before the reply to the first comes.
#[test]
fn a_lease_that_is_lost_is_over_for_good() {
    let mut guard = LeaseGuard::new(grant(seconds(9)), at(50), DriftAllowance::from_ppm(0));
    assert!(!guard.is_lost());
    guard.lost();
    for _ in 0..2 {
        assert!(guard.is_lost());
        assert_eq!((guard.sent(), guard.expires_at()), (at(50), at(50)));
        for now in [0, 50, 51] {
            assert!(guard.is_expired(at(now)) && guard.token(at(now)).is_err());
            assert_eq!(guard.remaining(at(now)), Duration::ZERO);
        }
        assert_eq!(guard.token_unchecked(), token());
        guard.renewed(grant(seconds(9)), at(51)).unwrap();
    }
}

#[test]
fn the_end_of_time_is_an_end() {
    let guard = LeaseGuard::new(grant(Duration::MAX), at(1), DriftAllowance::from_ppm(0));
    assert!(!guard.is_expired(Instant::MAX - NANOSECOND) && guard.is_expired(Instant::MAX));
}

quickcheck! {
    /// However far apart the clocks' rates are within the allowance, the lease is over for its holder before it is
    /// for its grantor, who began to count it after the request was sent.
    fn a_lease_is_over_for_its_holder_first(valid_for: u64, ppm: u32, faster: u32, delay: u32) -> bool {
        let (valid_for, ppm) = (valid_for >> 16, ppm % 1_000_000);
        let drift = DriftAllowance::from_ppm(ppm);
        let guard = LeaseGuard::new(grant(Duration::from_nanos(valid_for)), at(0), drift);
        // By the grantor's clock, when it is over by the holder's.
        let rate = 1_000_000 + u128::from(faster % (ppm + 1));
        let over = u128::from(guard.expires_at().as_nanos()) * rate / 1_000_000;
        over <= u128::from(delay) + u128::from(valid_for)
    }
}
