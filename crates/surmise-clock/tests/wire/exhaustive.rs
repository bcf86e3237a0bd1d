//! All short strings of the bytes that matter, read by the crate and by a second decoder that shares no
//! code with it: it reads any number however it is written, keeps entries in a map, and accepts a string
//! if writing the map gives the same string.

#![expect(clippy::std_instead_of_alloc, reason = "tests have both")]

use std::collections::BTreeMap;

use surmise_clock::{
    BoundedVectorClock, DottedVersionVectorSet, VectorClock,
    wire::{DecodeLimits, decode},
};

use super::laws::all_types_read_only_what_is_written;

/// Small numbers, a varint's last byte at its limits, and its first bytes.
const ALPHABET: [u8; 7] = [0, 1, 2, 3, 0x7f, 0x80, 0x81];

#[test]
fn all_short_strings_are_the_form_of_what_they_are_read_as() {
    let mut read = 0;
    all_strings(&ALPHABET, 5, &mut |bytes| read += all_types_read_only_what_is_written(bytes));
    assert!(read > 50_000, "{read}");
}

#[test]
fn all_short_strings_that_are_clocks_are_read() {
    let (mut clocks, mut all) = (0, 0);
    all_strings(&ALPHABET, 6, &mut |bytes| {
        all += 1;
        let expected = naive_clock(bytes);
        let clock = decode::<VectorClock<u64, 2>>(bytes, &DecodeLimits::DEFAULT).ok();
        let entries = clock.map(|clock| clock.iter().map(|(&id, n)| (id, n)).collect());
        assert_eq!(entries, expected, "{bytes:02x?}");
        let bounded = decode::<BoundedVectorClock<u64, 1>>(bytes, &DecodeLimits::DEFAULT).ok();
        let entries = bounded.map(|clock| clock.iter().map(|(&id, n)| (id, n)).collect());
        assert_eq!(entries, expected.clone().filter(|entries| entries.len() <= 1));
        clocks += usize::from(expected.is_some());
    });
    assert_eq!((clocks, all), (CLOCKS, 137_257));
}

/// One has no entries.
///
/// Of the numbers that can be spelt, 5 take one byte, and 8, 16 and 32 take two, three and four; a counter
/// is one of 4 in one byte. That makes 844 single entries of five bytes or fewer. Of two entries in four
/// bytes there are 10 · 16; in five, 5 · 8 · 16 with a longer second replica, and 10 · 8 · 4 for each
/// counter that is longer.
const CLOCKS: usize = 1 + 844 + 160 + 640 + 2 * 320;

fn naive_clock(mut bytes: &[u8]) -> Option<BTreeMap<u64, u64>> {
    let form = bytes;
    let mut entries = BTreeMap::new();
    for _ in 0..naive_number(&mut bytes)? {
        let replica = naive_number(&mut bytes)?;
        entries.insert(replica, naive_number(&mut bytes)?);
    }
    entries.retain(|_, counter| *counter > 0);
    let mut written = naive_form(entries.len() as u64);
    for (&replica, &counter) in &entries {
        written.extend(naive_form(replica));
        written.extend(naive_form(counter));
    }
    (written == form).then_some(entries)
}

#[test]
fn all_short_strings_that_are_siblings_are_read() {
    let mut sets = 0;
    all_strings(&ALPHABET, 6, &mut |bytes| {
        let expected = naive_siblings(bytes);
        let set = decode::<DottedVersionVectorSet<u64, u64>>(bytes, &DecodeLimits::DEFAULT).ok();
        let entries = set.map(|set| {
            set.entries().map(|(&id, counter, values)| (id, (counter, values.to_vec()))).collect()
        });
        assert_eq!(entries, expected, "{bytes:02x?}");
        sets += usize::from(expected.is_some());
    });
    assert!(sets > 1000, "{sets}");
}

fn naive_siblings(mut bytes: &[u8]) -> Option<BTreeMap<u64, (u64, Vec<u64>)>> {
    let form = bytes;
    let mut entries = BTreeMap::new();
    for _ in 0..naive_number(&mut bytes)? {
        let replica = naive_number(&mut bytes)?;
        let counter = naive_number(&mut bytes)?;
        let len = naive_number(&mut bytes)?;
        let values = (0..len).map(|_| naive_number(&mut bytes)).collect::<Option<Vec<_>>>()?;
        entries.insert(replica, (counter, values));
    }
    entries.retain(|_, (counter, values)| *counter > 0 && values.len() as u64 <= *counter);
    let mut written = naive_form(entries.len() as u64);
    for (&replica, (counter, values)) in &entries {
        for number in [replica, *counter, values.len() as u64].iter().chain(values) {
            written.extend(naive_form(*number));
        }
    }
    (written == form).then_some(entries)
}

fn naive_number(bytes: &mut &[u8]) -> Option<u64> {
    let len = 1 + bytes.iter().position(|&byte| byte < 128)?;
    let (digits, rest) = bytes.split_at(len);
    *bytes = rest;
    digits.iter().rev().try_fold(0_u64, |number, &digit| {
        number.checked_mul(128)?.checked_add(u64::from(digit % 128))
    })
}

fn naive_form(number: u64) -> Vec<u8> {
    match u8::try_from(number) {
        Ok(byte) if byte < 128 => vec![byte],
        _ => {
            let low = u8::try_from(number % 128).unwrap();
            [vec![128 + low], naive_form(number / 128)].concat()
        }
    }
}

/// Calls `visit` for all strings of at most `len` bytes out of `alphabet`.
fn all_strings(alphabet: &[u8], len: usize, visit: &mut impl FnMut(&[u8])) {
    fn extend(string: &mut Vec<u8>, alphabet: &[u8], len: usize, visit: &mut impl FnMut(&[u8])) {
        visit(string);
        if len > 0 {
            for &byte in alphabet {
                string.push(byte);
                extend(string, alphabet, len - 1, visit);
                string.pop();
            }
        }
    }
    extend(&mut Vec::new(), alphabet, len, visit);
}
