//! What the values of the keys are made of: numbers as 20 digits, which text is compared by, and what follows.

use core::num::NonZeroU64;

use surmise_fence::{FencingToken, Pass};
use surmise_time::Instant;

use crate::Entry;

/// What follows a pass.
const FLOOR: u8 = b'f';
const REMOVED: u8 = b'r';
const WRITTEN: u8 = b'w';
/// What follows the numbers of a lease.
const LEASE: u8 = b'l';

/// Who holds a lease, as its record has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) token: FencingToken,
    pub(super) nonce: u64,
    pub(super) name: String,
}

impl Holder {
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (token, rest) = token_from_digits(bytes)?;
        let (nonce, rest) = number(rest)?;
        let (_ends, rest) = number(rest)?;
        let (&LEASE, name) = rest.split_first()? else { return None };
        Some(Self { token, nonce, name: str::from_utf8(name).ok()?.to_owned() })
    }
}

pub(super) fn digits(number: u64) -> String {
    format!("{number:020}")
}

pub(super) fn token_digits(token: FencingToken) -> String {
    format!("{:020}{:020}", token.epoch(), token.counter())
}

pub(super) fn pass_digits(pass: Pass) -> String {
    format!("{}{:020}{:020}", token_digits(pass.token), pass.nonce, pass.sequence)
}

/// Returns the time of the server that says so many microseconds.
pub(super) const fn time(micros: u64) -> Instant {
    Instant::from_nanos(micros.saturating_mul(1_000))
}

/// Reads a number, and nothing else.
pub(super) fn number_from_bytes(bytes: &[u8]) -> Option<u64> {
    number(bytes).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
}

pub(super) fn floor_to_bytes(floor: Pass) -> Vec<u8> {
    [pass_digits(floor.with_sequence(0)).as_bytes(), &[FLOOR]].concat()
}

pub(super) fn floor_from_bytes(bytes: &[u8]) -> Option<Pass> {
    match pass(bytes)? {
        (pass, [FLOOR]) => Some(pass),
        _ => None,
    }
}

pub(super) fn entry_to_bytes(value: Option<&[u8]>, pass: Pass) -> Vec<u8> {
    let (kind, value) = value.map_or((REMOVED, &[][..]), |value| (WRITTEN, value));
    [pass_digits(pass).as_bytes(), &[kind], value].concat()
}

pub(super) fn entry_from_bytes(bytes: &[u8]) -> Option<Entry> {
    match pass(bytes)? {
        (pass, [REMOVED]) => Some(Entry::new(None, pass)),
        (pass, [WRITTEN, value @ ..]) => Some(Entry::new(Some(value.to_vec()), pass)),
        _ => None,
    }
}

/// Reads the pass of a value, of which only the beginning is there.
pub(super) fn entry_pass_from_bytes(bytes: &[u8]) -> Option<Pass> {
    match pass(bytes)? {
        (pass, [REMOVED | WRITTEN, ..]) => Some(pass),
        _ => None,
    }
}

fn pass(bytes: &[u8]) -> Option<(Pass, &[u8])> {
    let (token, rest) = token_from_digits(bytes)?;
    let (nonce, rest) = number(rest)?;
    let (sequence, rest) = number(rest)?;
    Some((Pass { token, nonce, sequence }, rest))
}

/// Reads a token, and returns it and what follows.
pub(super) fn token_from_digits(bytes: &[u8]) -> Option<(FencingToken, &[u8])> {
    let (epoch, rest) = number(bytes)?;
    let (counter, rest) = number(rest)?;
    Some((FencingToken::new(epoch, NonZeroU64::new(counter)?), rest))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<20>()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_nothing_else_is() {
        let pass = Pass::from(FencingToken::MAX).with_nonce(7).with_sequence(u64::MAX);
        for value in [None, Some(&b""[..]), Some(b"value")] {
            let bytes = entry_to_bytes(value, pass);
            let entry = Entry::new(value.map(<[u8]>::to_vec), pass);
            assert_eq!(entry_from_bytes(&bytes), Some(entry));
            assert_eq!(entry_pass_from_bytes(&bytes[..81]), Some(pass));
            assert_eq!(floor_from_bytes(&bytes), None);
        }
        assert_eq!(floor_from_bytes(&floor_to_bytes(pass)), Some(pass.with_sequence(0)));
        assert_eq!(entry_pass_from_bytes(&floor_to_bytes(pass)), None);
        let record = format!("{}{}{}lme", token_digits(pass.token), digits(7), digits(9));
        let holder = Holder { token: pass.token, nonce: 7, name: "me".to_owned() };
        assert_eq!(Holder::from_bytes(record.as_bytes()), Some(holder));
        assert_eq!(number_from_bytes(digits(u64::MAX).as_bytes()), Some(u64::MAX));
        let zero = format!("{}f", "0".repeat(80));
        let huge = format!("{}w", "9".repeat(80));
        let sign = format!("{}w", "+0000000000000000001".repeat(4));
        for foreign in ["", "foreign", &zero, &huge, &sign, "99999999999999999999"] {
            assert_eq!(entry_from_bytes(foreign.as_bytes()), None, "{foreign:?}");
            assert_eq!(floor_from_bytes(foreign.as_bytes()), None, "{foreign:?}");
            assert_eq!(number_from_bytes(foreign.as_bytes()), None, "{foreign:?}");
            assert_eq!(Holder::from_bytes(foreign.as_bytes()), None, "{foreign:?}");
        }
    }
}
