//! Backoff by example: published vectors, where other crates go wrong, and what is refused.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "what fails here fails the test, and a part of 2⁶⁴ is cut off at its point"
)]

use core::time::Duration;

use surmise_time::Instant;
use surmise_timeout::{
    Ratio,
    backoff::{Backoff, BackoffConfig, BackoffError, Jitter},
};

/// The delays of one attempt.
struct Row {
    attempt: u32,
    random: u64,
    envelope: Duration,
    full: Duration,
    equal: Duration,
    decorrelated: Duration,
    grpc: Duration,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for line in include_str!("vectors/backoff.csv").lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        let [attempt, uniform, nanos @ ..] = fields.as_slice() else { panic!("{line}") };
        // The numbers have 53 bits, so that this is exact.
        let random = (uniform.parse::<f64>().unwrap() * 2.0_f64.powi(64)) as u64;
        let nanos: Vec<_> =
            nanos.iter().map(|field| Duration::from_nanos(field.parse().unwrap())).collect();
        let [envelope, full, equal, decorrelated, grpc] = nanos[..] else { panic!("{line}") };
        let attempt = attempt.parse().unwrap();
        rows.push(Row { attempt, random, envelope, full, equal, decorrelated, grpc });
    }
    assert_eq!(rows.len(), 20);
    rows
}

/// That of the vectors.
fn config(percent: u16, jitter: Jitter) -> BackoffConfig {
    BackoffConfig {
        base: Duration::from_millis(100),
        multiplier: Ratio::from_percent(percent),
        cap: Duration::from_secs(20),
        floor: Duration::ZERO,
        jitter,
    }
}

#[test]
fn delays_are_those_of_the_vectors_to_the_nanosecond() {
    let [none, full, equal] = [Jitter::None, Jitter::Full, Jitter::Equal]
        .map(|jitter| Backoff::new(config(200, jitter)).unwrap());
    // The vectors' 20 s are those of the envelope, to which ±20 % come.
    let grpc = BackoffConfig {
        cap: Duration::from_secs(24),
        ..config(160, Jitter::PlusMinus(Ratio::from_percent(20)))
    };
    let grpc = Backoff::new(grpc).unwrap();
    let mut decorrelated =
        Backoff::new(config(300, Jitter::Decorrelated)).unwrap().retries(u32::MAX);
    for row in rows() {
        let Row { attempt, random, .. } = row;
        assert_eq!(full.envelope(attempt), row.envelope, "{attempt}");
        assert_eq!(none.delay(attempt, random), row.envelope, "{attempt}");
        assert_eq!(full.delay(attempt, random), row.full, "{attempt}");
        assert_eq!(equal.delay(attempt, random), row.equal, "{attempt}");
        assert_eq!(grpc.delay(attempt, random), row.grpc, "{attempt}");
        let delay = decorrelated.next_delay(Instant::ORIGIN, random, None);
        assert_eq!(delay, Some(row.decorrelated), "{attempt}");
    }
}

#[test]
fn presets_are_what_they_cite() {
    assert_eq!(Backoff::new(BackoffConfig::grpc()), Ok(Backoff::grpc()));
    assert_eq!(Backoff::new(BackoffConfig::aws()), Ok(Backoff::aws()));
    let (grpc, aws) = (Backoff::grpc(), Backoff::aws());
    let millis = |backoff: &Backoff| {
        [0, 1, 2, 4, 5, 30].map(|attempt| backoff.envelope(attempt).as_micros())
    };
    assert_eq!(
        millis(&grpc),
        [1_000_000, 1_600_000, 2_560_000, 6_553_600, 10_485_760, 120_000_000]
    );
    assert_eq!(millis(&aws), [1_000_000, 2_000_000, 4_000_000, 16_000_000, 20_000_000, 20_000_000]);
    assert_eq!(grpc.delay(0, 0), Duration::from_millis(800));
    assert_eq!(grpc.delay(0, u64::MAX), Duration::from_nanos(1_199_999_999));
    assert_eq!(grpc.delay(30, 0), Duration::from_secs(96));
    assert_eq!(grpc.delay(30, u64::MAX), Duration::from_nanos(143_999_999_999));
    assert_eq!(aws.delay(0, 0), Duration::ZERO);
    assert_eq!(aws.delay(9, u64::MAX), Duration::from_nanos(19_999_999_999));
}

/// backon adds the jitter after the cap: with a cap of 4 s it waits up to 8 s.
#[test]
fn backon_exceeds_its_cap_by_the_jitter_and_this_does_not() {
    for jitter in JITTERS {
        let cap = Duration::from_secs(4);
        let backoff = Backoff::new(BackoffConfig { cap, ..config(200, jitter) }).unwrap();
        for attempt in (0..64).chain([u32::MAX]) {
            for random in [0, 1, 1 << 63, u64::MAX - 1, u64::MAX] {
                assert!(backoff.delay(attempt, random) <= cap, "{jitter:?} {attempt} {random}");
            }
        }
    }
}

/// exponential-backoff panics when the jitter of 0.005, in whole percents, is an empty range.
#[test]
fn exponential_backoff_panics_at_half_a_percent_and_this_does_not() {
    let half_percent = Jitter::PlusMinus(Ratio::from_millionths(5_000));
    let backoff = Backoff::new(config(200, half_percent)).unwrap();
    assert_eq!(backoff.delay(0, 0), Duration::from_nanos(99_500_000));
    assert_eq!(backoff.delay(0, 1 << 63), Duration::from_millis(100));
    assert_eq!(backoff.delay(0, u64::MAX), Duration::from_nanos(100_499_999));
    let least = Jitter::PlusMinus(Ratio::from_millionths(1));
    let backoff = Backoff::new(config(200, least)).unwrap();
    assert_eq!(backoff.delay(0, 0), Duration::from_nanos(99_999_900));
}

/// tokio-retry takes the base for the multiplier as well: `from_millis(100)` waits 100 ms, 10 s and 1000 s.
#[test]
fn tokio_retry_multiplies_by_its_base_and_this_does_not() {
    let backoff = Backoff::new(config(200, Jitter::None)).unwrap();
    let millis = [0, 1, 2, 3].map(|attempt| backoff.delay(attempt, 0).as_millis());
    assert_eq!(millis, [100, 200, 400, 800]);
}

/// Where each jitter's range begins and ends, at 400 ms and at the cap of 20 s.
#[test]
fn a_floor_cuts_the_range_off_and_does_not_heap_delays_up() {
    let floor = Duration::from_millis(250);
    for (jitter, at_400_ms, at_cap) in [
        (Jitter::None, [400, 400], [20_000, 20_000]),
        (Jitter::Full, [250, 400], [250, 20_000]),
        (Jitter::Equal, [250, 400], [10_000, 20_000]),
        (Jitter::Decorrelated, [250, 800], [250, 20_000]),
        (Jitter::PlusMinus(Ratio::from_percent(60)), [250, 640], [5_000, 20_000]),
    ] {
        let backoff = Backoff::new(BackoffConfig { floor, ..config(200, jitter) }).unwrap();
        for (attempt, [low, high]) in [(2, at_400_ms), (60, at_cap)] {
            let (low, high) = (Duration::from_millis(low), Duration::from_millis(high));
            assert_eq!(backoff.delay(attempt, 0), low, "{jitter:?}");
            // Ranges are without their ends, but for none, and the cap of decorrelated jitter.
            let last = backoff.delay(attempt, u64::MAX);
            let heaped = low == high || jitter == Jitter::Decorrelated && attempt == 60;
            let nano = Duration::from_nanos(u64::from(!heaped));
            assert_eq!(last, high - nano, "{jitter:?}");
            if low < high && !heaped {
                assert_eq!(backoff.delay(attempt, 1 << 63), low + (high - low) / 2, "{jitter:?}");
            }
        }
        assert_eq!(backoff.delay(0, 0), floor.max(backoff.delay(0, 0)), "{jitter:?}");
    }
}

#[test]
fn a_floor_above_the_envelope_is_the_delay() {
    let floor = Duration::from_secs(1);
    for jitter in [Jitter::None, Jitter::Full, Jitter::Equal] {
        let backoff = Backoff::new(BackoffConfig { floor, ..config(200, jitter) }).unwrap();
        for random in [0, u64::MAX] {
            assert_eq!(backoff.delay(3, random), floor, "{jitter:?}");
        }
    }
    let all = BackoffConfig { floor: Duration::from_secs(20), ..config(200, Jitter::Full) };
    assert_eq!(Backoff::new(all).unwrap().delay(u32::MAX, 7), Duration::from_secs(20));
}

#[test]
fn durations_beyond_64_bits_of_nanoseconds_are_taken_for_the_most() {
    let most = Duration::from_nanos(u64::MAX);
    for jitter in JITTERS {
        let (base, cap) = (Duration::from_nanos(1), Duration::MAX);
        let config = BackoffConfig { base, cap, ..config(300, jitter) };
        let backoff = Backoff::new(config).unwrap();
        for attempt in [41, 1000, u32::MAX] {
            let delay = backoff.delay(attempt, u64::MAX);
            assert!(delay <= most && delay > most / 100 * 99, "{jitter:?} {delay:?}");
        }
        let config = BackoffConfig { base: Duration::MAX, ..config };
        let backoff = Backoff::new(config).unwrap();
        let half = match jitter {
            Jitter::None | Jitter::Decorrelated => most,
            Jitter::Full => most / 2,
            Jitter::Equal => most / 4 * 3,
            _ => backoff.envelope(0),
        };
        assert!(backoff.delay(0, 1 << 63).abs_diff(half).as_nanos() < 5, "{jitter:?}");
        let huge = BackoffConfig { base: Duration::MAX, floor: Duration::MAX, ..config };
        let huge = Backoff::new(BackoffConfig { multiplier: HUGE, ..huge }).unwrap();
        assert_eq!(huge.delay(u32::MAX, u64::MAX), most, "{jitter:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let valid = config(200, Jitter::Full);
    let (nano, cap) = (Duration::from_nanos(1), valid.cap);
    let (multiplier, share) = (Ratio::from_millionths(999_999), Ratio::from_millionths(1_000_001));
    let low = valid.base - nano;
    for (config, error, message) in [
        (
            BackoffConfig { base: Duration::ZERO, ..valid },
            BackoffError::ZeroBase,
            "the base is zero",
        ),
        (
            BackoffConfig { cap: low, ..valid },
            BackoffError::CapBelowBase { cap: low, base: valid.base },
            "the cap of 99.999999ms is below the base of 100ms",
        ),
        (
            BackoffConfig { floor: cap + nano, ..valid },
            BackoffError::FloorAboveCap { floor: cap + nano, cap },
            "the floor of 20.000000001s is above the cap of 20s",
        ),
        (
            BackoffConfig { multiplier, ..valid },
            BackoffError::MultiplierBelowOne { multiplier },
            "the multiplier of 0.999999 is below 1",
        ),
        (
            BackoffConfig { jitter: Jitter::PlusMinus(share), ..valid },
            BackoffError::JitterAboveWhole { share },
            "delays cannot vary by 1.000001 of themselves, which is more than 1",
        ),
    ] {
        assert_eq!(Backoff::new(config), Err(error));
        assert_eq!(error.to_string(), message);
    }
    let edge = BackoffConfig {
        base: nano,
        cap: nano,
        floor: nano,
        multiplier: Ratio::ONE,
        jitter: Jitter::PlusMinus(Ratio::ONE),
    };
    assert_eq!(Backoff::new(edge).unwrap().delay(u32::MAX, u64::MAX), nano);
}

#[cfg(feature = "serde")]
#[test]
fn configurations_are_read_as_they_are_written_and_name_no_other_fields() {
    let config = BackoffConfig::grpc();
    let json = serde_json::to_value(config).unwrap();
    assert_eq!(json["jitter"], serde_json::json!({ "plus_minus": 200_000 }));
    assert_eq!(serde_json::from_value::<BackoffConfig>(json.clone()).unwrap(), config);
    let mut other = json;
    other["jitters"] = 1.into();
    assert!(serde_json::from_value::<BackoffConfig>(other).is_err());
}

const JITTERS: [Jitter; 6] = [
    Jitter::None,
    Jitter::Full,
    Jitter::Equal,
    Jitter::Decorrelated,
    Jitter::PlusMinus(Ratio::from_percent(20)),
    Jitter::PlusMinus(Ratio::ONE),
];

const HUGE: Ratio = Ratio::from_millionths(u32::MAX);
