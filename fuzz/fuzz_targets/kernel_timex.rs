//! Any numbers from `adjtimex`: an error, or a bound and a rate that are no less than their parts
//! say.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use surmise_interval::source::{
    SourceError,
    kernel::{RawTimex, StatusFlags, Timex},
};

fuzz_target!(|bytes: &[u8]| {
    let raw = raw(bytes);
    let decoded = Timex::decode(&raw);
    assert_eq!(decoded.is_ok(), makes_sense(&raw), "{raw:?} {decoded:?}");
    match decoded {
        Ok(timex) => check(&raw, &timex),
        Err(error) => assert!(matches!(error, SourceError::Malformed { .. }), "{error}"),
    }
});

/// Takes one number after the other, with zeros for those that are missing.
fn raw(bytes: &[u8]) -> RawTimex {
    let mut words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        i64::from_le_bytes(word)
    });
    let mut word = || words.next().unwrap_or_default();
    let [state, status, tai] = [word(), word(), word()].map(|word| word as i32);
    let [maxerror, esterror, offset] = [word(), word(), word()];
    let [freq, constant, tolerance] = [word(), word(), word()];
    let [tick, tv_sec, tv_usec] = [word(), word(), word()];
    RawTimex {
        state,
        status,
        maxerror,
        esterror,
        offset,
        freq,
        constant,
        tolerance,
        tick,
        tv_sec,
        tv_usec,
        tai,
    }
}

fn is_nano(raw: &RawTimex) -> bool {
    raw.status & 0x2000 != 0
}

fn makes_sense(raw: &RawTimex) -> bool {
    let unsigned = [raw.maxerror, raw.esterror, raw.tick, raw.tv_sec];
    let parts = if is_nano(raw) { 1_000_000_000 } else { 1_000_000 };
    let nanos = i128::from(raw.tv_sec) * 1_000_000_000
        + i128::from(raw.tv_usec) * (1_000_000_000 / i128::from(parts));
    (0..=5).contains(&raw.state)
        && unsigned.into_iter().all(|number| number >= 0)
        && (0..parts).contains(&raw.tv_usec)
        && nanos <= u64::MAX.into()
}

fn check(raw: &RawTimex, timex: &Timex) {
    assert_eq!(timex.status.bits(), raw.status);
    assert_eq!(timex.status.contains(StatusFlags::NANO), is_nano(raw));
    assert!(!timex.to_string().is_empty());
    let micros = |micros: i64| Duration::from_micros(micros.unsigned_abs());
    assert_eq!(timex.max_error, micros(raw.maxerror));
    assert_eq!(timex.est_error, micros(raw.esterror));
    let unstated = raw.esterror == 0 || raw.esterror > raw.maxerror;
    assert_eq!(timex.is_unstated(), raw.maxerror % 500 == 0 && unstated);

    let unsynchronized = raw.status & 0x40 != 0 || [3, 5].contains(&raw.state);
    let offset = if is_nano(raw) { raw.offset } else { raw.offset.saturating_mul(1000) };
    match timex.bound() {
        Ok(bound) => {
            assert!(!unsynchronized && raw.maxerror < 16_000_000);
            let rounding = if is_nano(raw) { 500 } else { 501 };
            let sum = micros(raw.maxerror + rounding);
            assert_eq!(bound, sum + Duration::from_nanos(offset.unsigned_abs()));
        }
        Err(error) => {
            assert!(unsynchronized || raw.maxerror >= 16_000_000, "{error}");
        }
    }
    check_rate(raw, offset, timex.rate_correction());
}

/// Compares the rate with what frequency and tick add up to, exactly, in 2⁻¹⁶ ppb.
fn check_rate(raw: &RawTimex, offset: i64, rate: u64) {
    let tick = (i128::from(raw.tick) - 10_000) * 100_000;
    let steady = i128::from(raw.freq) * 1000 + (tick << 16);
    let least = steady.unsigned_abs().div_ceil(1 << 16);
    // More than that is not told apart.
    let rate = u128::from(rate);
    assert!(rate >= least.min(1 << 62), "{rate} {least}");
    let phase = if offset == 0 { 0 } else { u128::from(offset.unsigned_abs()).max(500_000) };
    assert!(rate <= least + phase + 2, "{rate} {least} {phase}");
    // No less than the kernel corrects in the next second.
    let shift = 2 + raw.constant.clamp(0, 10);
    assert!(rate >= u128::from(offset.unsigned_abs() >> shift));
    assert!(offset == 0 || rate >= 500_000);
}
