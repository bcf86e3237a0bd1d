//! The forms of clocks and of the strings that name replicas.

use surmise_clock::{
    Dot, Stamped, Tombstone, VectorClock,
    wire::{DecodeError, DecodeErrorKind, DecodeLimits, decode, encoded_len, to_vec},
};

use super::{assert_form, assert_refused, form};

type Clock<Id> = VectorClock<Id, 2>;

#[test]
fn strings_are_their_length_and_their_bytes() {
    assert_form(&String::new(), &[0]);
    assert_form(&"é→x".to_owned(), &[6, 0xc3, 0xa9, 0xe2, 0x86, 0x92, b'x']);
    assert_form(&Box::<str>::from("node-7"), b"\x06node-7");
    assert_form(&vec![0_u8, 0xff], &[2, 0, 0xff]);
    assert_form(&Box::<[u8]>::from([7]), &[1, 7]);

    let long = vec![b'x'; 200];
    let bytes = [&[0xc8, 0x01], &*long].concat();
    assert_form(&long, &bytes);
    assert_form(&String::from_utf8(long).unwrap(), &bytes);
}

#[test]
fn strings_that_are_not_text_are_refused_where_they_are_not() {
    let invalid = DecodeErrorKind::InvalidUtf8;
    assert_refused::<String>(&[1, 0xff], 1, invalid);
    assert_refused::<Box<str>>(
        &[3, b'a', 0xc3, 0xa9, 0],
        4,
        DecodeErrorKind::TrailingBytes { count: 1 },
    );
    assert_refused::<Box<str>>(&[3, b'a', b'b', 0xc3], 3, invalid);
    // A surrogate, and an overlong zero.
    assert_refused::<String>(&[4, b'a', 0xed, 0xa0, 0x80], 2, invalid);
    assert_refused::<String>(&[2, 0xc0, 0x80], 1, invalid);
    assert_refused::<Dot<String>>(&[2, b'a', 0xff, 1], 2, invalid);
}

#[test]
fn strings_have_a_greatest_length() {
    let limits = DecodeLimits { max_string_bytes: 3, ..DecodeLimits::DEFAULT };
    assert_eq!(decode(b"\x03abc", &limits), Ok("abc".to_owned()));
    let refused = |found| DecodeError::new(0, DecodeErrorKind::StringTooLong { found, max: 3 });
    // The limit is what counts, and not that the bytes are not there.
    assert_eq!(decode::<String>(b"\x04abcd", &limits), Err(refused(4)));
    assert_eq!(decode::<Box<str>>(b"\x04", &limits), Err(refused(4)));
    assert_eq!(decode::<Vec<u8>>(&form(&u64::MAX), &limits), Err(refused(u64::MAX)));
    assert_eq!(decode::<Box<[u8]>>(b"\x04abcd", &limits), Err(refused(4)));
    assert_refused::<String>(
        &[0x81, 0x20],
        0,
        DecodeErrorKind::StringTooLong { found: 4097, max: 4096 },
    );
    assert_refused::<String>(&[0x80, 0x20], 2, DecodeErrorKind::Truncated { missing: 4096 });
}

#[test]
fn a_clock_is_its_entries_in_ascending_order() {
    let clock: Clock<u64> = [(300, u64::MAX), (2, 300), (1, 1)].into_iter().collect();
    let bytes = [
        &[3, 1, 1, 2, 0xac, 0x02, 0xac, 0x02][..],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    ]
    .concat();
    assert_form(&clock, &bytes);
    // How many entries are inline does not show.
    let heap = decode::<VectorClock<u64, 0>>(&bytes, &DecodeLimits::DEFAULT).unwrap();
    assert!(heap.iter().eq(clock.iter()));

    assert_form(&Clock::<u128>::default(), &[0]);
    let named: Clock<String> =
        [("b", 2), ("a", 1)].map(|(id, n)| (id.to_owned(), n)).into_iter().collect();
    assert_form(&named, &[2, 1, b'a', 1, 1, b'b', 2]);
    let fixed: Clock<[u8; 2]> = [([1, 0], 2), ([0, 9], 1)].into_iter().collect();
    assert_form(&fixed, &[2, 0, 9, 1, 1, 0, 2]);
}

#[test]
fn entries_that_do_not_ascend_are_refused() {
    for (bytes, offset, index) in [
        // The same replica twice, with equal counters and with others.
        (&[2, 7, 1, 7, 1][..], 3, 1),
        (&[2, 7, 1, 7, 2], 3, 1),
        (&[3, 1, 1, 7, 1, 6, 1], 5, 2),
        (&[3, 1, 1, 7, 1, 1, 1], 5, 2),
        (&[2, 0x80, 0x01, 1, 0x7f, 1], 4, 1),
    ] {
        assert_refused::<Clock<u64>>(bytes, offset, DecodeErrorKind::NotAscending { index });
    }
    let names = b"\x02\x02ab\x01\x01b\x01";
    assert_eq!(decode::<Clock<String>>(names, &DecodeLimits::DEFAULT).unwrap().len(), 2);
    let names = b"\x02\x01b\x01\x02ab\x01";
    assert_refused::<Clock<String>>(names, 4, DecodeErrorKind::NotAscending { index: 1 });
}

#[test]
fn entries_that_are_zero_are_refused() {
    assert_refused::<Clock<u64>>(&[1, 7, 0], 2, DecodeErrorKind::Zero);
    assert_refused::<Clock<u64>>(&[2, 7, 1, 0x80, 0x01, 0], 5, DecodeErrorKind::Zero);
    let zero = DecodeErrorKind::NotMinimal { value: 0 };
    assert_refused::<Clock<u64>>(&[1, 7, 0x80, 0], 2, zero);
    assert_refused::<Clock<u64>>(&[0x80, 0], 0, zero);
}

#[test]
fn entries_have_a_greatest_number() {
    let limits = DecodeLimits { max_entries: 2, ..DecodeLimits::DEFAULT };
    let clock = |len: u64| (0..len).map(|id| (id, 1)).collect::<Clock<u64>>();
    assert_eq!(decode(&form(&clock(2)), &limits), Ok(clock(2)));
    let refused = |found| DecodeError::new(0, DecodeErrorKind::TooManyEntries { found, max: 2 });
    assert_eq!(decode::<Clock<u64>>(&form(&clock(3)), &limits), Err(refused(3)));
    assert_eq!(decode::<Clock<u64>>(&form(&u64::MAX), &limits), Err(refused(u64::MAX)));

    let most = clock(1024);
    assert_eq!(decode(&form(&most), &DecodeLimits::default()), Ok(most));
    assert_refused::<Clock<u64>>(
        &form(&clock(1025)),
        0,
        DecodeErrorKind::TooManyEntries { found: 1025, max: 1024 },
    );
}

#[test]
fn a_tombstone_is_its_event_and_its_replica_and_the_last_of_that() {
    let by = Dot { replica: "b".to_owned(), counter: 4 };
    let tombstone = Tombstone { by, replica: "a".to_owned(), last: 300 };
    assert_form(&tombstone, b"\x01b\x04\x01a\xac\x02");
}

#[test]
fn a_stamped_message_is_its_sender_its_clock_and_itself() {
    let clock = [(7, 300), (9, 1)].into_iter().collect();
    let stamped = Stamped { sender: 9_u16, clock, message: "hi".to_owned() };
    assert_form(&stamped, &[9, 2, 7, 0xac, 0x02, 9, 1, 2, b'h', b'i']);
    assert_refused::<Stamped<u16, u8>>(&[9, 1, 7, 0], 3, DecodeErrorKind::Zero);
}

#[test]
fn a_vector_is_the_form_and_no_more() {
    for len in [0, 1, 2, 3, 200] {
        let clock: Clock<u64> = (0..len).map(|id| (id, id + 1)).collect();
        let bytes = to_vec(&clock);
        assert_eq!(bytes, form(&clock));
        assert_eq!((bytes.len(), bytes.capacity()), (encoded_len(&clock), encoded_len(&clock)));
    }
}
