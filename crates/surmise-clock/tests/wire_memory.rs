//! Decoding takes memory for the bytes that are there, and none for what they claim.

#![cfg(feature = "alloc")]
#![expect(clippy::unwrap_used, reason = "a form that fails here fails the test")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use surmise_clock::{
    DottedVersionVectorSet, VectorClock,
    wire::{DecodeError, DecodeErrorKind, DecodeLimits, Wire, decode, to_vec},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const NO_LIMITS: DecodeLimits =
    DecodeLimits { max_entries: usize::MAX, max_values: usize::MAX, max_string_bytes: usize::MAX };

/// Returns what decoding gives, and how many bytes it asked the allocator for.
fn allocated<T: Wire>(bytes: &[u8]) -> (Result<T, DecodeError>, usize) {
    let measure = || {
        let region = Region::new(ALLOCATOR);
        let result = decode(bytes, &NO_LIMITS);
        (result, region.change().bytes_allocated)
    };
    // The least of a few, as the thread that runs the tests may happen to allocate meanwhile.
    (0..5).map(|_| measure()).min_by_key(|&(_, allocated)| allocated).unwrap()
}

fn assert_costs_nothing<T: Wire>(bytes: &[u8], offset: usize, missing: usize) {
    let (result, allocated) = allocated::<T>(bytes);
    let truncated = DecodeError::new(offset, DecodeErrorKind::Truncated { missing });
    assert_eq!((result.err(), allocated), (Some(truncated), 0), "{bytes:02x?}");
}

fn assert_costs_at_most<T: Wire>(bytes: &[u8], factor: usize) {
    let (result, allocated) = allocated::<T>(bytes);
    result.unwrap();
    let most = factor * bytes.len();
    assert!(allocated <= most, "{allocated} bytes for {}", bytes.len());
}

/// One test, as tests that run beside each other would count each other's allocations.
#[test]
fn memory_is_paid_for() {
    // As many entries or bytes as there can be, and none that are there.
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let missing = usize::try_from(u64::MAX).unwrap_or(usize::MAX);
    assert_costs_nothing::<VectorClock<u64, 0>>(&most, 10, 1);
    assert_costs_nothing::<VectorClock<[u8; 32], 0>>(&most, 10, 32);
    assert_costs_nothing::<String>(&most, 10, missing);
    assert_costs_nothing::<Box<str>>(&most, 10, missing);
    assert_costs_nothing::<Vec<u8>>(&most, 10, missing);
    assert_costs_nothing::<Box<[u8]>>(&most, 10, missing);
    assert_costs_nothing::<VectorClock<String>>(&[&[1], &most[..]].concat(), 11, missing);
    assert_costs_nothing::<DottedVersionVectorSet<u64, u64>>(&most, 10, 1);
    let values = [&[1, 7], &most[..], &most[..]].concat();
    assert_costs_nothing::<DottedVersionVectorSet<u64, u64>>(&values, 22, 1);

    // An entry of two bytes takes 16 in memory, and what grows has up to twice the room that it needs.
    for len in [1_usize, 10, 100, 1000, 10_000] {
        let clock: VectorClock<usize, 0> = (0..len).map(|replica| (replica, 1)).collect();
        assert_costs_at_most::<VectorClock<usize, 0>>(&to_vec(&clock), 40);
        let named: VectorClock<String, 0> =
            (0..len).map(|replica| (replica.to_string(), 1)).collect();
        assert_costs_at_most::<VectorClock<String, 0>>(&to_vec(&named), 60);
        let siblings: DottedVersionVectorSet<usize, Vec<u8>> = (0..len)
            .map(|replica| (replica, 1, vec![vec![7]]))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        assert_costs_at_most::<DottedVersionVectorSet<usize, Vec<u8>>>(&to_vec(&siblings), 100);
        assert_costs_at_most::<Vec<u8>>(&to_vec(&vec![7; len]), 1);
    }
}
