//! Any bytes in ClockBound's shared memory: an error, or what its protocol says, and never less of
//! a bound.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use surmise_interval::source::clock_bound::{Basis, Reading, Segment, Status};
use surmise_time::WallTime;

fuzz_target!(|bytes: &[u8]| {
    let decoded = Segment::decode(bytes);
    assert_eq!(decoded.is_ok(), is_segment(bytes), "{decoded:?}");
    match decoded {
        Ok(segment) => {
            check_fields(&segment, bytes);
            AGES.iter().for_each(|&age| check_interval(&segment, age));
        }
        Err(error) => assert!(error.to_string().len() < 100, "{error}"),
    }
});

/// How long ago the segment may be from, in nanoseconds, or in ticks of the counter.
const AGES: [u64; 7] = [0, 1, 1_000, 999_999_999, 5_000_000_000, 999_999_999_999, u64::MAX];

/// Reads the table of the protocol in the plainest way.
fn is_segment(bytes: &[u8]) -> bool {
    let at = |offset: usize, length| number(bytes, offset, length);
    let (Some(0x414d_5a4e), Some(0x4342_0200)) = (at(0, 4), at(4, 4)) else { return false };
    let (Some(size), Some(version), Some(generation)) = (at(8, 4), at(12, 2), at(14, 2)) else {
        return false;
    };
    let (needed, times, support) = match version {
        2 => (80, 16, 72),
        0x0303..=0x03ff => (104, 24, 96),
        _ => return false,
    };
    if generation == 0 || generation % 2 == 1 || size < needed || (bytes.len() as u64) < needed {
        return false;
    }
    let word = |offset| at(offset, 8).unwrap_or(u64::MAX);
    // What there is of times since the Unix epoch ends in 2554.
    let last = if version == 2 { i64::MAX.unsigned_abs() } else { u64::MAX / 1_000_000_000 };
    let times = [times, times + 16].into_iter().all(|offset| {
        let (seconds, nanos) = (word(offset), word(offset + 8));
        let fits = version == 2
            || u128::from(seconds) * 1_000_000_000 + u128::from(nanos) <= u128::from(u64::MAX);
        seconds <= last && nanos < 1_000_000_000 && fits
    });
    let status = at(support - 4, 4).unwrap_or(u64::MAX);
    let (bound, drift) = (word(support - 24), at(support - 8, 4).unwrap_or(u64::MAX));
    let sound = match version {
        2 => true,
        _ => {
            let (period, shift) = (word(56), bytes[97]);
            shift < 64 && bytes[98] < 64 && (period > 0 || status == 0 || status == 3)
        }
    };
    let drift = drift + if version == 2 || !sound { 0 } else { period_error(bytes) };
    let limits = bound <= i64::MAX.unsigned_abs() && drift <= 100_000_000;
    times && sound && limits && status < 4 && bytes[support] < 2
}

/// The error of the period in version 3, in parts per billion, rounded up.
fn period_error(bytes: &[u8]) -> u64 {
    let error = u128::from(number(bytes, 64, 8).unwrap_or_default()) * 1_000_000_000;
    let one = 1_u128 << (64 + bytes[98]);
    (error / one + u128::from(error % one > 0)) as u64
}

/// Reads a number in the byte order of the machine.
fn number(bytes: &[u8], offset: usize, length: usize) -> Option<u64> {
    let mut wide = [0; 8];
    let start = if cfg!(target_endian = "little") { 0 } else { 8 - length };
    wide[start..start + length].copy_from_slice(bytes.get(offset..offset + length)?);
    Some(u64::from_ne_bytes(wide))
}

fn check_fields(segment: &Segment, bytes: &[u8]) {
    let word = |offset, length| number(bytes, offset, length);
    let (bound, drift) = match segment.basis {
        Basis::SystemClock { as_of, .. } => {
            assert_eq!(Some(as_of.as_secs()), word(16, 8));
            (48, 64)
        }
        Basis::Counter { counter, .. } => {
            assert_eq!(Some(counter), word(16, 8));
            (72, 88)
        }
    };
    assert_eq!(Some(segment.generation.into()), word(14, 2));
    assert_eq!(Some(segment.bound), word(bound, 8).map(Duration::from_nanos));
    assert!(Some(segment.drift.as_ppb().into()) >= word(drift, 4));
    assert_eq!(segment.disruption_marker.is_some(), bytes[drift + 8] == 1);
    assert!(segment.disruption_marker.is_none_or(|marker| Some(marker) == word(bound + 8, 8)));
}

/// Checks that the interval is at least as wide as the bound, and wider the later it is.
fn check_interval(segment: &Segment, age: u64) {
    let wall = WallTime::from_nanos(u64::MAX / 2);
    let reading = |age: u64| match segment.basis {
        Basis::SystemClock { as_of, .. } => {
            let monotonic = as_of.saturating_add(Duration::from_nanos(age));
            Reading { wall, monotonic, counter: None }
        }
        Basis::Counter { counter, .. } => {
            let counter = Some(counter.saturating_add(age));
            Reading { wall, monotonic: Duration::ZERO, counter }
        }
    };
    let Ok(interval) = segment.interval_at(&reading(age)) else { return };
    assert!(matches!(segment.status, Status::Synchronized | Status::FreeRunning));
    // Where the type ends, so does the interval: half of it may be cut off.
    let bound = segment.bound.min(Duration::from_nanos(wall.as_nanos() / 2));
    assert!(interval.uncertainty() >= bound / 2, "{segment:?} {interval:?}");
    let cut = interval.earliest().as_nanos() == 0 || interval.latest() == WallTime::MAX;
    if !cut {
        assert!(interval.uncertainty() >= segment.bound, "{segment:?} {interval:?}");
        if let Ok(sooner) = segment.interval_at(&reading(age / 2)) {
            assert!(interval.uncertainty() >= sooner.uncertainty(), "{segment:?} {age}");
        }
    }
}
