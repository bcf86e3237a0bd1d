//! Any bytes as the wire form of each value: they are refused, or the only form of a value, and reading
//! takes no more memory than they pay for.

#![no_main]

use core::fmt::Debug;
use std::alloc::System;

use libfuzzer_sys::fuzz_target;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use surmise_clock::{
    BoundedVectorClock, DenseVectorClock, Dot, DottedVersionVectorSet, HybridTimestamp,
    LamportTime, LamportTimestamp, Stamped, Tombstone, VectorClock,
    wire::{DecodeError, DecodeErrorKind, DecodeLimits, Wire, decode, encode, encoded_len, to_vec},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fuzz_target!(|bytes: &[u8]| {
    read::<u16>(bytes);
    read::<u64>(bytes);
    read::<String>(bytes);
    read::<Dot<u32>>(bytes);
    read::<Tombstone<u64>>(bytes);
    read::<LamportTime>(bytes);
    read::<LamportTimestamp<u128>>(bytes);
    read::<HybridTimestamp>(bytes);
    read::<DenseVectorClock<3>>(bytes);
    if let Some(clock) = read::<VectorClock<u64>>(bytes) {
        check_entries(clock.iter());
    }
    if let Some(clock) = read::<VectorClock<String, 2>>(bytes) {
        check_entries(clock.iter());
    }
    if let Some(clock) = read::<BoundedVectorClock<u8, 3>>(bytes) {
        check_entries(clock.iter());
    }
    if let Some(set) = read::<DottedVersionVectorSet<u8, Vec<u8>>>(bytes) {
        check_entries(set.context().iter());
    }
    if let Some(set) = read::<DottedVersionVectorSet<Box<str>, [u8; 0]>>(bytes) {
        check_entries(set.context().iter());
        assert!(set.len() <= DecodeLimits::DEFAULT.max_values);
    }
    if let Some(Stamped { clock, .. }) = read::<Stamped<u8, Box<[u8]>>>(bytes) {
        check_entries(clock.iter());
    }
});

fn read<T: Debug + PartialEq + Wire>(bytes: &[u8]) -> Option<T> {
    let region = Region::new(ALLOCATOR);
    let decoded = decode::<T>(bytes, &DecodeLimits::DEFAULT);
    let allocated = region.change().bytes_allocated;
    assert!(allocated <= ALLOWANCE + RATE * bytes.len(), "{allocated} bytes for {}", bytes.len());
    match &decoded {
        Ok(value) => check_form(value, bytes),
        Err(error) => assert!(error.offset <= bytes.len(), "{error}"),
    }
    check_limits(bytes, &decoded);
    decoded.ok()
}

/// Checks that narrower limits change nothing, unless what they limit exceeds them.
fn check_limits<T: Debug + PartialEq + Wire>(bytes: &[u8], decoded: &Result<T, DecodeError>) {
    match (decode::<T>(bytes, &NARROW), decoded) {
        (Err(DecodeError { kind: DecodeErrorKind::TooManyEntries { found, max }, .. }), _) => {
            assert!(max <= NARROW.max_entries && found > max as u64);
        }
        (Err(DecodeError { kind: DecodeErrorKind::TooManyValues { found, max }, .. }), _) => {
            assert!(max == NARROW.max_values && found > max as u64);
        }
        (Err(DecodeError { kind: DecodeErrorKind::StringTooLong { found, max }, .. }), _) => {
            assert!(max == NARROW.max_string_bytes && found > max as u64);
        }
        (narrow, decoded) => assert_eq!(narrow, *decoded, "a limit that was kept to"),
    }
}

fn check_entries<'a, Id: Debug + Ord + 'a>(entries: impl Iterator<Item = (&'a Id, u64)>) {
    let entries: Vec<_> = entries.collect();
    assert!(entries.is_sorted_by(|(earlier, _), (later, _)| earlier < later), "{entries:?}");
    assert!(entries.iter().all(|&(_, counter)| counter > 0), "{entries:?}");
}

/// Checks that a value has these bytes and no others.
fn check_form<T: Debug + PartialEq + Wire>(value: &T, bytes: &[u8]) {
    assert_eq!(to_vec(value), bytes);
    assert_eq!(encoded_len(value), bytes.len());
    let mut longer = [bytes, &[0]].concat();
    let trailing = DecodeError::new(bytes.len(), DecodeErrorKind::TrailingBytes { count: 1 });
    assert_eq!(decode::<T>(&longer, &DecodeLimits::DEFAULT), Err(trailing));
    longer.fill(0);
    assert_eq!(encode(value, &mut longer), Ok(bytes.len()));
    assert_eq!(longer.strip_prefix(bytes), Some(&[0][..]));
    let Some(shorter) = bytes.len().checked_sub(1) else { return };
    let refused = encode(value, &mut longer[..shorter]);
    let (needed, available) = (bytes.len(), shorter);
    assert!(
        matches!(refused, Err(error) if error.needed == needed && error.available == available)
    );
    // Whoever waits for the rest of a form can tell that there must be one.
    for length in [shorter, bytes.len() / 2] {
        let cut = decode::<T>(&bytes[..length], &DecodeLimits::DEFAULT).map_err(|error| error.kind);
        assert!(matches!(cut, Err(DecodeErrorKind::Truncated { missing: 1.. })), "{cut:?}");
    }
}

const NARROW: DecodeLimits = DecodeLimits { max_entries: 2, max_values: 3, max_string_bytes: 4 };

/// What every value may allocate, and how much more for each byte.
const ALLOWANCE: usize = 1024;
const RATE: usize = 64;
