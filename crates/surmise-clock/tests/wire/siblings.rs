//! The form of dotted version vector sets.

use surmise_clock::{
    DottedVersionVectorSet, VectorClock,
    wire::{DecodeError, DecodeErrorKind, DecodeLimits, decode},
};

use super::{assert_form, assert_refused, form};

type Set = DottedVersionVectorSet<u8, u16>;

fn set<const LEN: usize>(entries: [(u8, u64, &[u16]); LEN]) -> Set {
    let entries = entries.map(|(replica, counter, values)| (replica, counter, values.to_vec()));
    entries.to_vec().try_into().unwrap()
}

#[test]
fn a_set_is_its_entries_with_their_values_the_oldest_first() {
    assert_form(&Set::new(), &[0]);
    assert_form(&set([(7, 300, &[])]), &[1, 7, 0xac, 0x02, 0]);
    assert_form(&set([(7, 2, &[20, 300])]), &[1, 7, 2, 2, 20, 0xac, 0x02]);
    let last = set([(1, u64::MAX, &[5]), (2, 1, &[]), (9, 3, &[6, 7])]);
    let bytes = [
        &[3, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1, 5][..],
        &[2, 1, 0, 9, 3, 2, 6, 7],
    ]
    .concat();
    assert_form(&last, &bytes);
}

/// The sets of the paper's authors' implementation, which lists the newest value first.
#[test]
fn written_values_are_in_the_form() {
    let (nothing, mut set) = (VectorClock::new(), DottedVersionVectorSet::<[u8; 1], String>::new());
    set.put(&nothing, b"a", "v1".to_owned()).unwrap();
    let read = set.context().clone();
    assert_form(&set, b"\x01a\x01\x01\x02v1");
    set.put(&read, b"a", "v2".to_owned()).unwrap();
    assert_form(&set, b"\x01a\x02\x01\x02v2");
    set.put(&read, b"b", "v4".to_owned()).unwrap();
    assert_form(&set, b"\x02a\x02\x01\x02v2b\x01\x01\x02v4");
    set.put(&read, b"a", "v5".to_owned()).unwrap();
    assert_form(&set, b"\x02a\x03\x02\x02v2\x02v5b\x01\x01\x02v4");
    set.discard(&set.context().clone());
    assert_form(&set, b"\x02a\x03\x00b\x01\x00");
}

#[test]
fn entries_that_are_not_those_of_a_set_are_refused() {
    let not_ascending = |index| DecodeErrorKind::NotAscending { index };
    assert_refused::<Set>(&[2, 7, 1, 1, 9, 7, 1, 0], 5, not_ascending(1));
    assert_refused::<Set>(&[3, 1, 1, 0, 7, 1, 0, 6, 1, 0], 7, not_ascending(2));
    assert_refused::<Set>(&[2, 7, 1, 0, 8, 0, 0], 5, DecodeErrorKind::Zero);
    // More values than events, of which none has to be there to be told.
    assert_refused::<Set>(&[1, 7, 1, 2], 3, DecodeErrorKind::OutOfRange { found: 2, max: 1 });
    let found = u64::MAX;
    let bytes = [&[1, 7, 3], &form(&found)[..]].concat();
    assert_refused::<Set>(&bytes, 3, DecodeErrorKind::OutOfRange { found, max: 3 });
    assert_refused::<Set>(&[1, 7, 2, 1, 0x80, 0], 4, DecodeErrorKind::NotMinimal { value: 0 });
}

#[test]
fn entries_and_values_have_a_greatest_number() {
    let limits = DecodeLimits { max_entries: 3, max_values: 3, ..DecodeLimits::DEFAULT };
    let refused = |bytes: &[u8], offset, kind| {
        assert_eq!(decode::<Set>(bytes, &limits), Err(DecodeError::new(offset, kind)));
    };
    let most = set([(7, 9, &[1, 2]), (8, 1, &[3])]);
    assert_eq!(decode(&form(&most), &limits), Ok(most));
    let all = set([(7, 9, &[1, 2, 3]), (8, 1, &[])]);
    assert_eq!(decode(&form(&all), &limits), Ok(all));

    refused(&[4, 7], 0, DecodeErrorKind::TooManyEntries { found: 4, max: 3 });
    refused(&[1, 7, 4, 4], 3, DecodeErrorKind::TooManyValues { found: 4, max: 3 });
    let second = [2, 7, 9, 2, 1, 2, 8, 9, 2];
    refused(&second, 8, DecodeErrorKind::TooManyValues { found: 4, max: 3 });
    let third = [3, 7, 9, 2, 1, 2, 8, 9, 1, 3, 9, 9, 1];
    refused(&third, 12, DecodeErrorKind::TooManyValues { found: 4, max: 3 });
    let found = u64::MAX;
    let bytes = [&[2, 7, 9, 2, 1, 2, 8], &form(&found)[..], &form(&found)[..]].concat();
    refused(&bytes, 17, DecodeErrorKind::TooManyValues { found, max: 3 });
}

#[test]
fn values_without_bytes_are_counted() {
    let many = [&[1, 7], &form(&u64::MAX)[..], &form(&(u64::MAX - 1))[..]].concat();
    let kind = DecodeErrorKind::TooManyValues { found: u64::MAX - 1, max: 1024 };
    assert_refused::<DottedVersionVectorSet<u8, [u8; 0]>>(&many, 12, kind);
}
