//! When retries end, and what the service's own wish does to them.

use core::time::Duration;

use surmise_time::Instant;
use surmise_timeout::{
    Ratio,
    backoff::{Backoff, BackoffConfig, Jitter, Retries},
};

/// 100 ms, 200 ms, 400 ms, and then always 500 ms.
fn plain(max_retries: u32) -> Retries {
    let backoff = Backoff::new(BackoffConfig {
        base: Duration::from_millis(100),
        multiplier: Ratio::from_percent(200),
        cap: Duration::from_millis(500),
        floor: Duration::ZERO,
        jitter: Jitter::None,
    });
    backoff.expect("it is valid").retries(max_retries)
}

const START: Instant = Instant::from_nanos(1_000_000_000);

fn millis(millis: u64) -> Option<Duration> {
    Some(Duration::from_millis(millis))
}

#[test]
fn there_are_as_many_as_are_allowed() {
    let mut retries = plain(2);
    assert_eq!(retries.next_delay(START, 0, None), millis(100));
    assert_eq!(retries.next_delay(START, 0, None), millis(200));
    assert_eq!(retries.next_delay(START, 0, None), None);
    assert_eq!(retries.next_delay(START, 0, None), None);
    assert_eq!(retries.made(), 2);
    assert_eq!(plain(0).next_delay(START, 0, None), None);
}

#[test]
fn a_delay_must_end_before_the_deadline() {
    let at = |nanos| plain(9).until(START + Duration::from_nanos(nanos));
    assert_eq!(at(100_000_001).next_delay(START, 0, None), millis(100));
    assert_eq!(at(100_000_000).next_delay(START, 0, None), None);
    assert_eq!(at(0).next_delay(START, 0, None), None);
    // A clock that is past the deadline already, and the end of time.
    assert_eq!(at(0).next_delay(START + Duration::from_secs(1), 0, None), None);
    assert_eq!(plain(9).until(Instant::MAX).next_delay(Instant::MAX, 0, None), None);
    assert_eq!(plain(9).next_delay(Instant::MAX, 0, None), millis(100));
}

#[test]
fn a_delay_that_is_too_long_changes_nothing() {
    let mut retries = plain(9).until(START + Duration::from_secs(1));
    let before = retries.clone();
    assert_eq!(retries.next_delay(START, 0, millis(1000)), None);
    assert_eq!(retries, before);
    assert_eq!(retries.next_delay(START, 0, None), millis(100));
}

#[test]
fn the_service_is_left_alone_for_as_long_as_it_asks_even_beyond_the_cap() {
    let mut retries = plain(9);
    assert_eq!(retries.next_delay(START, 0, millis(3)), millis(100));
    assert_eq!(retries.next_delay(START, 0, millis(60_000)), millis(60_000));
    assert_eq!(retries.next_delay(START, 0, None), millis(400));
    assert_eq!(retries.next_delay(START, 0, Some(Duration::MAX)), Some(Duration::MAX));
    let mut bounded = plain(9).until(Instant::MAX);
    assert_eq!(bounded.next_delay(START, 0, Some(Duration::MAX)), None);
}

/// Decorrelated delays follow from the one before, which is the one that was drawn.
#[test]
fn what_the_service_asks_for_does_not_make_later_delays_longer() {
    let config = BackoffConfig {
        base: Duration::from_millis(100),
        multiplier: Ratio::from_percent(300),
        cap: Duration::from_secs(20),
        floor: Duration::ZERO,
        jitter: Jitter::Decorrelated,
    };
    let backoff = Backoff::new(config).expect("it is valid");
    let half = 1 << 63;
    let (mut told, mut untold) = (backoff.retries(3), backoff.retries(3));
    assert_eq!(untold.next_delay(START, half, None), millis(200));
    assert_eq!(told.next_delay(START, half, millis(5000)), millis(5000));
    assert_eq!(told, untold);
    assert_eq!(told.next_delay(START, half, None), millis(350));
}
