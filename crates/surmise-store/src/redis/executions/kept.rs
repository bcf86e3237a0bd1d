//! A record as it is kept: its token, the number of the change that made it so, and when its times begin, as the server wrote
//! them; then the bytes of the record, whose times are counted from there, and which has no token of its own.

use surmise_fence::FencingToken;
use surmise_time::Instant;

use super::super::record::{number_from_bytes, time, token_from_digits};
use crate::{
    StoreError,
    idempotency_store::{Record, State},
};

/// What the bytes of a record have in the place of the token.
pub(super) const NO_TOKEN: FencingToken = FencingToken::first(0);

/// What is kept of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) head: Head,
    pub(super) record: Record,
}

/// What it begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// When its times begin.
    pub(super) begins: Instant,
    /// No two changes of a store have the same.
    bytes: [u8; HEAD],
}

impl Kept {
    /// Reads what a key has; nothing if there is none.
    pub(super) fn from_bytes(
        store: &str,
        key: &[u8],
        bytes: &[u8],
    ) -> Result<Option<Self>, StoreError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let corrupt = |what: &str| StoreError::Corrupt {
            store: store.to_owned(),
            problem: format!("the key {} has {what}", key.escape_ascii()),
        };
        let parts = bytes.split_first_chunk::<HEAD>();
        let (head, rest) = parts.ok_or_else(|| corrupt("no record of an execution"))?;
        let (token, begins) = numbers(head).ok_or_else(|| corrupt("no numbers of an execution"))?;
        let record = Record::from_bytes(rest).map_err(|error| corrupt(&error.to_string()))?;
        if record.token != NO_TOKEN {
            return Err(corrupt("a record of another store"));
        }
        let record = Record { token, ..moved(record, Instant::ORIGIN, begins) };
        Ok(Some(Self { head: Head { begins, bytes: *head }, record }))
    }
}

impl Head {
    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns a record with times that are counted from one of them.
pub(super) fn since(record: Record, begins: Instant) -> Record {
    moved(record, begins, Instant::ORIGIN)
}

/// Returns a time as the server counts, rounded up.
pub(super) const fn micros(time: Instant) -> u64 {
    time.as_nanos().div_ceil(1_000)
}

fn moved(mut record: Record, from: Instant, to: Instant) -> Record {
    let time = |time: Instant| to + (time - from);
    record.forgotten_at = time(record.forgotten_at);
    if let State::InFlight { lease_ends, .. } = &mut record.state {
        *lease_ends = time(*lease_ends);
    }
    record
}

fn numbers(head: &[u8; HEAD]) -> Option<(FencingToken, Instant)> {
    let (token, rest) = token_from_digits(head)?;
    let (_number, rest) = token_from_digits(rest)?;
    Some((token, time(number_from_bytes(rest)?)))
}

const HEAD: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    /// Returns what the server makes of a record.
    fn bytes(record: Record, begins: Instant) -> Vec<u8> {
        let token = record.token;
        let head = format!(
            "{:020}{:020}{:020}{:020}{:020}",
            token.epoch(),
            token.counter(),
            9,
            9,
            micros(begins)
        );
        let record = Record { token: NO_TOKEN, ..since(record, begins) };
        [head.as_bytes(), &record.to_bytes()].concat()
    }

    quickcheck! {
        /// Times that are not before they begin, nor at the end of all time.
        fn a_record_comes_back(record: Record, begins: u32) -> bool {
            let begins = time(u64::from(begins) << 20);
            let mut record = moved(record, Instant::ORIGIN, begins);
            record.forgotten_at = record.forgotten_at.min(Instant::from_nanos(u64::MAX / 2)).max(begins);
            if let State::InFlight { lease_ends, .. } = &mut record.state {
                *lease_ends = (*lease_ends).min(Instant::from_nanos(u64::MAX / 2)).max(begins);
            }
            let bytes = bytes(record.clone(), begins);
            let kept = Kept::from_bytes("it", b"key", &bytes).unwrap().unwrap();
            kept.record == record && kept.head.begins == begins && kept.head.as_bytes() == &bytes[..HEAD]
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let record = Record {
            fingerprint: surmise_idempotency::Fingerprint::NONE,
            token: FencingToken::first(7),
            forgotten_at: time(8),
            state: State::Released,
        };
        let good = bytes(record, time(1));
        assert_eq!(Kept::from_bytes("it", b"key", &[]).unwrap(), None);
        for (at, byte, told) in [
            (0, b'x', "no numbers"),
            (79, b'x', "no numbers"),
            (99, b'-', "no numbers"),
            (HEAD, 9, "version 9"),
            (HEAD + 33, 2, "another store"),
        ] {
            let mut bytes = good.clone();
            bytes[at] = byte;
            let error = Kept::from_bytes("it", b"k\0", &bytes).unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
            assert!(error.to_string().contains(told), "{error}");
            assert!(error.to_string().contains("k\\x00"), "{error}");
        }
        let error = Kept::from_bytes("it", b"key", &good[..HEAD - 1]).unwrap_err();
        assert!(error.to_string().contains("no record"), "{error}");
    }

    #[test]
    fn times_are_rounded_so_that_nothing_is_forgotten_early() {
        for (nanos, expected) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(micros(Instant::from_nanos(nanos)), expected);
        }
        assert_eq!(time(u64::MAX), Instant::MAX);
    }
}
