//! What holds of every backoff and every sequence of retries, against a reference in integers of any length.

#![expect(
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what fails here fails the test"
)]

use core::time::Duration;
use std::collections::HashSet;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_time::Instant;
use surmise_timeout::{
    Ratio,
    backoff::{Backoff, BackoffConfig, Jitter},
};

use self::reference::{Femtos, duration, femtos};

#[path = "support/backoff.rs"]
mod reference;

/// A configuration that is valid, of any magnitude.
#[derive(Clone, Copy, Debug)]
struct Valid(BackoffConfig);

impl Arbitrary for Valid {
    fn arbitrary(g: &mut Gen) -> Self {
        let cap = magnitude(g).max(1);
        let base = (magnitude(g) % cap).max(1);
        let floor = if bool::arbitrary(g) { 0 } else { magnitude(g) % (cap + 1) };
        let growth = (magnitude(g) % u64::from(u32::MAX - 1_000_000)) as u32;
        let growth = *g.choose(&[0, 1, 100_000, 600_000, 1_000_000, 2_000_000, growth]).unwrap();
        let share = *g.choose(&[0, 1, 5_000, 200_000, 500_000, 1_000_000]).unwrap();
        let jitters = [
            Jitter::None,
            Jitter::Full,
            Jitter::Equal,
            Jitter::Decorrelated,
            Jitter::PlusMinus(Ratio::from_millionths(share)),
        ];
        Self(BackoffConfig {
            base: Duration::from_nanos(base),
            multiplier: Ratio::from_millionths(1_000_000 + growth),
            cap: Duration::from_nanos(cap),
            floor: Duration::from_nanos(floor),
            jitter: *g.choose(&jitters).unwrap(),
        })
    }
}

impl Valid {
    fn backoff(self) -> Backoff {
        Backoff::new(self.0).expect("it is valid")
    }
}

/// Returns a number of any count of bits below 64, each as often.
fn magnitude(g: &mut Gen) -> u64 {
    let bits = u32::arbitrary(g) % 63 + 1;
    u64::arbitrary(g) >> (64 - bits)
}

quickcheck! {
    fn delays_lie_between_the_floor_and_the_cap(valid: Valid, attempt: u32, random: u64) -> bool {
        let (backoff, BackoffConfig { floor, cap, .. }) = (valid.backoff(), valid.0);
        for attempt in [attempt % 64, attempt, 1 << 31, u32::MAX] {
            for random in [0, random, u64::MAX] {
                let delay = backoff.delay(attempt, random);
                assert!(floor <= delay && delay <= cap, "{delay:?} of {backoff:?}");
            }
        }
        true
    }

    fn delays_are_those_of_the_definition(valid: Valid, attempt: u8, random: u64) -> bool {
        let (backoff, attempt) = (valid.backoff(), attempt.into());
        let envelope = reference::envelope(&valid.0, attempt);
        assert_eq!(backoff.envelope(attempt), duration(envelope), "{backoff:?} {attempt}");
        for random in [0, random, u64::MAX] {
            let delay = duration(reference::delay(&valid.0, envelope, random));
            assert_eq!(backoff.delay(attempt, random), delay, "{backoff:?} {attempt} {random}");
        }
        true
    }

    fn the_envelope_never_falls(valid: Valid, attempts: Vec<u32>) -> bool {
        let backoff = valid.backoff();
        let mut attempts: Vec<_> = attempts.into_iter().flat_map(|at| [at % 64, at]).collect();
        attempts.extend([0, 1, u32::MAX - 1, u32::MAX]);
        attempts.sort_unstable();
        attempts.is_sorted_by_key(|&attempt| backoff.envelope(attempt))
    }

    fn a_greater_random_number_is_no_shorter_a_delay(
        valid: Valid,
        attempt: u32,
        randoms: (u64, u64)
    ) -> bool {
        let (backoff, (a, b)) = (valid.backoff(), randoms);
        backoff.delay(attempt % 100, a.min(b)) <= backoff.delay(attempt % 100, a.max(b))
    }

    fn once_grown_delays_still_vary(valid: Valid) -> bool {
        let config = BackoffConfig {
            multiplier: valid.0.multiplier.max(Ratio::from_percent(110)),
            cap: valid.0.cap.max(Duration::from_micros(100)),
            base: (valid.0.base / 2).max(Duration::from_nanos(1)),
            floor: valid.0.floor / 2,
            ..valid.0
        };
        // Decorrelated delays vary below the cap only, in the first part of the range.
        let part = match config.jitter {
            Jitter::None | Jitter::PlusMinus(Ratio::ZERO) => return true,
            Jitter::Decorrelated => u64::MAX / config.multiplier.as_millionths() as u64 * 400_000,
            Jitter::PlusMinus(share) if share < Ratio::from_percent(1) => return true,
            _ => u64::MAX,
        };
        let backoff = Backoff::new(config).expect("it is valid");
        let delays: HashSet<_> =
            (0..100).map(|step| backoff.delay(u32::MAX, part / 100 * step)).collect();
        assert_eq!(delays.len(), 100, "{backoff:?}");
        true
    }

    fn retries_are_those_of_the_definition(
        valid: Valid,
        max_retries: u8,
        steps: Vec<(u64, Option<u64>, u8)>,
        deadline: Option<u64>
    ) -> bool {
        let mut retries = valid.backoff().retries(max_retries.into());
        if let Some(deadline) = deadline {
            retries = retries.until(Instant::from_nanos(deadline));
        }
        let (mut now, mut made, mut previous) = (0_u64, 0, None);
        for (random, asked, passed) in steps {
            let asked = asked.map(Duration::from_nanos);
            let next = retries.next_delay(Instant::from_nanos(now), random, asked);
            let around = around(&valid.0, made, previous);
            let drawn = reference::delay(&valid.0, around, random);
            let delay = duration(drawn).max(asked.unwrap_or_default());
            let end = u128::from(now) + delay.as_nanos();
            let late = deadline.is_some_and(|deadline| end >= deadline.into());
            if made >= max_retries.into() || late {
                assert_eq!(next, None);
            } else {
                assert_eq!(next, Some(delay));
                (made, previous) = (made + 1, Some(drawn));
                now = u64::try_from(end).unwrap_or(u64::MAX);
            }
            now = now.saturating_add(passed.into());
        }
        retries.made() == made
    }
}

/// Returns the envelope, or for decorrelated jitter the delay before.
fn around(config: &BackoffConfig, attempt: u32, previous: Option<Femtos>) -> Femtos {
    match config.jitter {
        Jitter::Decorrelated => previous.unwrap_or(femtos(config.base)),
        _ => reference::envelope(config, attempt),
    }
}

/// A loop over the attempts would take minutes.
#[test]
fn the_slowest_growth_reaches_the_cap() {
    let config = BackoffConfig {
        base: Duration::from_nanos(1),
        multiplier: Ratio::from_millionths(1_000_001),
        cap: Duration::MAX,
        floor: Duration::ZERO,
        jitter: Jitter::None,
    };
    let backoff = Backoff::new(config).unwrap();
    // 1.000001ⁿ, rounded down, to 120 digits; the last is the first beyond 64 bits.
    for (attempt, nanos) in [
        (21_723_276, 2_718_279_929),
        (40_000_000, 235_380_559_181_898_389),
        (44_361_441, 18_446_730_486_908_858_694),
        (44_361_442, u64::MAX),
        (u32::MAX, u64::MAX),
    ] {
        assert_eq!(backoff.envelope(attempt), Duration::from_nanos(nanos), "{attempt}");
    }
}

#[test]
fn a_quarter_of_the_random_numbers_choose_a_quarter_of_the_range() {
    let backoff = Backoff::aws();
    for quarter in 0..4 {
        let delay = backoff.delay(10, quarter << 62);
        assert_eq!(delay, Duration::from_secs(5 * quarter));
    }
}
