//! The binary form, byte by byte: what is written, what is refused and why.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a form that fails here fails the test"
)]

#[cfg(feature = "alloc")]
#[path = "wire/clocks.rs"]
mod clocks;
#[cfg(feature = "alloc")]
#[path = "wire/exhaustive.rs"]
mod exhaustive;
#[path = "wire/laws.rs"]
mod laws;
#[cfg(feature = "alloc")]
#[path = "wire/siblings.rs"]
mod siblings;

use core::fmt::Debug;

use surmise_clock::{
    BoundedVectorClock, DenseVectorClock, Dot, HybridTimestamp, LamportTime, LamportTimestamp,
    wire::{
        BufferTooSmall, DecodeError, DecodeErrorKind, DecodeLimits, Reader, Wire, Writer, decode,
        encode, encoded_len,
    },
};

const LIMITS: DecodeLimits = DecodeLimits::DEFAULT;

/// Returns the form of a value.
fn form<T: Wire>(value: &T) -> Vec<u8> {
    let mut bytes = vec![0; encoded_len(value)];
    assert_eq!(encode(value, &mut bytes), Ok(bytes.len()));
    bytes
}

/// Checks that a value is written to buffers that are long enough, and to no others, and not beyond its
/// form.
fn assert_fits<T: Wire>(value: &T, bytes: &[u8]) {
    let needed = bytes.len();
    assert_eq!(encoded_len(value), needed);
    let mut buffer = vec![0xee; needed + 3];
    for available in 0..needed {
        let error = encode(value, &mut buffer[..available]).unwrap_err();
        assert_eq!((error.needed, error.available), (needed, available));
        assert!(buffer[available..].iter().all(|&byte| byte == 0xee));
    }
    assert_eq!(encode(value, &mut buffer), Ok(needed));
    assert_eq!(buffer, [bytes, &[0xee; 3]].concat());
}

/// Checks the form of a value, and that nothing shorter or longer is one.
fn assert_form<T: Wire + PartialEq + Debug>(value: &T, bytes: &[u8]) {
    assert_eq!(form(value), bytes, "{value:?}");
    assert_fits(value, bytes);
    assert_eq!(decode::<T>(bytes, &LIMITS).as_ref(), Ok(value));
    for len in 0..bytes.len() {
        let error = decode::<T>(&bytes[..len], &LIMITS).unwrap_err();
        let DecodeErrorKind::Truncated { missing } = error.kind else {
            panic!("{value:?} cut to {len} bytes: {error}");
        };
        assert!((1..=bytes.len() - len).contains(&missing), "{value:?} cut to {len}: {error}");
        assert!(error.offset <= len);
    }
    let longer = [bytes, &[0, 7]].concat();
    let trailing = DecodeError::new(bytes.len(), DecodeErrorKind::TrailingBytes { count: 2 });
    assert_eq!(decode::<T>(&longer, &LIMITS), Err(trailing));

    let mut input = Reader::new(&longer, &LIMITS);
    assert_eq!(T::read(&mut input).as_ref(), Ok(value));
    assert_eq!((input.offset(), input.rest()), (bytes.len(), &[0, 7][..]));
}

fn assert_refused<T: Wire + PartialEq + Debug>(bytes: &[u8], offset: usize, kind: DecodeErrorKind) {
    assert_eq!(decode::<T>(bytes, &LIMITS), Err(DecodeError::new(offset, kind)), "{bytes:02x?}");
}

/// Numbers as varints: LEB128 as in the DWARF standard (version 5, section 7.6), whose examples are among
/// these.
const VARINTS: [(u64, &[u8]); 12] = [
    (0, &[0x00]),
    (2, &[0x02]),
    (0x7f, &[0x7f]),
    (0x80, &[0x80, 0x01]),
    (0x81, &[0x81, 0x01]),
    (12_857, &[0xb9, 0x64]),
    (0x3fff, &[0xff, 0x7f]),
    (0x4000, &[0x80, 0x80, 0x01]),
    (0x0102_0304_0506_0708, &[0x88, 0x8e, 0x98, 0xa8, 0xc0, 0xe0, 0x80, 0x81, 0x01]),
    ((1 << 63) - 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
    (1 << 63, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
    (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
];

#[test]
fn integers_are_varints_of_the_least_length() {
    for (value, bytes) in VARINTS {
        assert_form(&value, bytes);
        if let Ok(value) = usize::try_from(value) {
            assert_form(&value, bytes);
        }
        if let Ok(value) = u32::try_from(value) {
            assert_form(&value, bytes);
        }
        if let Ok(value) = u16::try_from(value) {
            assert_form(&value, bytes);
        }
    }
    assert_form(&u16::MAX, &[0xff, 0xff, 0x03]);
    assert_form(&u32::MAX, &[0xff, 0xff, 0xff, 0xff, 0x0f]);
}

#[test]
fn small_and_large_integers_are_their_bytes() {
    for value in [0, 1, 0x7f, 0x80, u8::MAX] {
        assert_form(&value, &[value]);
    }
    let value = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10_u128;
    assert_form(&value, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    assert_form(&[3, 1, 2], &[3, 1, 2]);
    assert_form(&[0_u8; 0], &[]);
}

#[test]
fn integers_that_are_too_long_or_too_large_are_refused() {
    assert_refused::<u64>(&[0x80, 0x00], 0, DecodeErrorKind::NotMinimal { value: 0 });
    assert_refused::<u64>(&[0xff, 0x00], 0, DecodeErrorKind::NotMinimal { value: 0x7f });
    assert_refused::<u16>(&[0x81, 0x80, 0x00], 0, DecodeErrorKind::NotMinimal { value: 1 });

    let tenth = |byte| [[0xff; 9].as_slice(), &[byte, 1]].concat();
    let value = (1 << 63) - 1;
    assert_refused::<u64>(&tenth(0)[..10], 0, DecodeErrorKind::NotMinimal { value });
    for byte in [0x02, 0x7f, 0x80, 0x81, 0xff] {
        assert_refused::<u64>(&tenth(byte), 0, DecodeErrorKind::IntegerTooLarge);
        assert_refused::<u32>(&tenth(byte)[..10], 0, DecodeErrorKind::IntegerTooLarge);
    }

    let (found, max) = (1 << 16, u64::from(u16::MAX));
    assert_refused::<u16>(&[0x80, 0x80, 0x04], 0, DecodeErrorKind::OutOfRange { found, max });
    let (found, max) = (1 << 32, u64::from(u32::MAX));
    let bytes = [0x80, 0x80, 0x80, 0x80, 0x10];
    assert_refused::<u32>(&bytes, 0, DecodeErrorKind::OutOfRange { found, max });
}

#[test]
fn dots_are_a_replica_and_a_counter() {
    assert_form(&Dot { replica: 9_u8, counter: 300 }, &[9, 0xac, 0x02]);
    assert_form(&Dot { replica: 300_u64, counter: u64::MAX }, &{
        [0xac, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
    });
    assert_form(&Dot { replica: [1, 2], counter: 0 }, &[1, 2, 0]);
    assert_refused::<Dot<u64>>(&[3, 0x80, 0], 1, DecodeErrorKind::NotMinimal { value: 0 });
}

#[test]
fn stamps_are_their_bytes_the_highest_first() {
    let time = LamportTime::new(0x0102_0304_0506_0708);
    assert_form(&time, &[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_form(&LamportTimestamp { time, node: 9_u8 }, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_form(&LamportTime::new(0), &[0; 8]);
    assert_form(&LamportTime::MAX, &[0xff; 8]);

    let stamp = HybridTimestamp::from_nanos(0x0102_0304_0506_0708).unwrap();
    assert_form(&stamp, &[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_form(&HybridTimestamp::MIN, &[0, 0, 0, 0, 0, 0, 0, 1]);
    assert_form(&HybridTimestamp::MAX, &[0xff; 8]);
    assert_refused::<HybridTimestamp>(&[0; 8], 0, DecodeErrorKind::Zero);
    let nodes = LamportTimestamp { time, node: stamp };
    assert_refused::<LamportTimestamp<HybridTimestamp>>(
        &[form(&nodes.time), vec![0; 8]].concat(),
        8,
        DecodeErrorKind::Zero,
    );
}

#[test]
fn a_bounded_clock_is_its_entries_and_has_no_more_than_fit() {
    type Clock = BoundedVectorClock<u64, 2>;
    let clock = Clock::try_from_iter([(300, 2), (7, u64::MAX)]).unwrap();
    let bytes = [&[2, 7], VARINTS[11].1, &[0xac, 0x02, 2]].concat();
    assert_form(&clock, &bytes);
    assert_form(&Clock::new(), &[0]);
    assert_form(&BoundedVectorClock::<u64, 0>::new(), &[0]);

    assert_refused::<Clock>(&[2, 7, 1, 7, 2], 3, DecodeErrorKind::NotAscending { index: 1 });
    assert_refused::<Clock>(&[2, 7, 1, 6, 1], 3, DecodeErrorKind::NotAscending { index: 1 });
    assert_refused::<Clock>(&[1, 7, 0], 2, DecodeErrorKind::Zero);
    let too_many = |found, max| DecodeErrorKind::TooManyEntries { found, max };
    assert_refused::<Clock>(&[3, 7, 1, 8, 1, 9, 1], 0, too_many(3, 2));
    assert_refused::<Clock>(VARINTS[11].1, 0, too_many(u64::MAX, 2));
    assert_refused::<BoundedVectorClock<u64, 0>>(&[1, 7, 1], 0, too_many(1, 0));

    let limits = DecodeLimits { max_entries: 1, ..LIMITS };
    let refused = DecodeError::new(0, too_many(2, 1));
    assert_eq!(decode::<Clock>(&bytes, &limits), Err(refused));
}

#[test]
fn a_dense_clock_is_its_counters() {
    assert_form(&DenseVectorClock::from([1, 0, 300]), &[1, 0, 0xac, 0x02]);
    assert_form(&DenseVectorClock::from([u64::MAX]), VARINTS[11].1);
    assert_form(&DenseVectorClock::<0>::new(), &[]);
    let kind = DecodeErrorKind::NotMinimal { value: 0 };
    assert_refused::<DenseVectorClock<2>>(&[7, 0x80, 0], 1, kind);
}

#[test]
fn truncation_says_how_much_is_missing() {
    let missing = |missing| DecodeErrorKind::Truncated { missing };
    assert_refused::<u128>(&[0; 10], 0, missing(6));
    assert_refused::<Dot<[u8; 4]>>(&[0; 4], 4, missing(1));
    assert_refused::<Dot<u64>>(&[7, 0xff, 0xff], 1, missing(1));
}

#[test]
fn a_failed_read_leaves_the_reader_where_it_was() {
    let mut input = Reader::new(&[1, 4, 0x80, 0x00], &LIMITS);
    assert_eq!(input.byte(), Ok(1));
    let here = |kind| DecodeError::new(1, kind);
    let truncated = |missing| here(DecodeErrorKind::Truncated { missing });
    assert_eq!(input.array::<5>(), Err(truncated(2)));
    assert_eq!(input.bytes(usize::MAX), Err(truncated(usize::MAX - 3)));
    assert_eq!(input.length_prefixed().unwrap_err().offset, 2);
    assert_eq!(input.clone().finish(), Err(here(DecodeErrorKind::TrailingBytes { count: 3 })));
    assert_eq!((input.offset(), input.rest()), (1, &[4, 0x80, 0x00][..]));

    assert_eq!(input.varint(), Ok(4));
    assert_eq!(input.varint().unwrap_err().offset, 2);
    assert_eq!(input.bytes(2), Ok(&[0x80, 0x00][..]));
    assert_eq!(input.limits(), &LIMITS);
    assert_eq!(input.byte(), Err(DecodeError::new(4, DecodeErrorKind::Truncated { missing: 1 })));
    assert_eq!(input.finish(), Ok(()));
}

#[test]
fn a_writer_writes_nothing_after_what_did_not_fit() {
    let mut buffer = [0xee; 3];
    let mut out = Writer::new(&mut buffer);
    out.byte(1);
    out.bytes(&[2, 2, 2]);
    out.byte(3);
    assert_eq!(out.needed(), 5);
    let error = out.finish().unwrap_err();
    assert_eq!((error.needed, error.available), (5, 3));
    assert_eq!(error.to_string(), "5 bytes do not fit a buffer of 3");
    assert_eq!(buffer, [1, 0xee, 0xee]);
}

#[test]
fn errors_say_where_and_what() {
    let message = |kind| DecodeError::new(3, kind).to_string();
    for (kind, expected) in [
        (DecodeErrorKind::Truncated { missing: 2 }, "at least 2 more bytes are needed"),
        (DecodeErrorKind::TrailingBytes { count: 2 }, "2 bytes follow the value"),
        (DecodeErrorKind::NotMinimal { value: 2 }, "2 takes more bytes than it needs"),
        (DecodeErrorKind::IntegerTooLarge, "an integer exceeds 64 bits"),
        (DecodeErrorKind::OutOfRange { found: 2, max: 1 }, "2 exceeds 1"),
        (DecodeErrorKind::Zero, "a counter or timestamp is zero"),
        (DecodeErrorKind::TooManyEntries { found: 2, max: 1 }, "2 entries, of which 1 are allowed"),
        (DecodeErrorKind::TooManyValues { found: 2, max: 1 }, "2 values, of which 1 are allowed"),
        (
            DecodeErrorKind::StringTooLong { found: 2, max: 1 },
            "a string of 2 bytes, of which 1 are allowed",
        ),
        (
            DecodeErrorKind::NotAscending { index: 2 },
            "the replica of entry 2 does not sort after the one before",
        ),
        (DecodeErrorKind::InvalidUtf8, "text is not UTF-8"),
        (DecodeErrorKind::Invalid { expected: "a node" }, "expected a node"),
    ] {
        assert_eq!(message(kind), format!("at byte 3: {expected}"));
    }
}

#[test]
fn errors_are_small_and_shareable() {
    fn error<E: core::error::Error + Send + Sync + Copy + Eq + 'static>() {}
    error::<DecodeError>();
    error::<BufferTooSmall>();
    assert!(size_of::<DecodeError>() <= 32);
}
