//! A record as the bytes under its key.

use core::{error::Error, fmt};

use surmise_fence::{FencingToken, ZeroToken};
use surmise_idempotency::Fingerprint;
use surmise_time::Instant;

use super::{Record, State};

/// The first byte. The next one says the state.
const VERSION: u8 = 1;
const IN_FLIGHT: u8 = 1;
const SAVED: u8 = 2;
const COMPLETED: u8 = 3;
const RELEASED: u8 = 4;
/// In flight, and saved, after an execution that was given up.
const RECOVERING: u8 = 5;
const RECOVERING_SAVED: u8 = 6;

impl Record {
    /// Returns the record as bytes; numbers are big-endian.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.state.tag()];
        bytes.extend_from_slice(&self.fingerprint.to_bytes());
        bytes.extend_from_slice(&self.token.to_bytes());
        bytes.extend_from_slice(&self.forgotten_at.as_nanos().to_be_bytes());
        match &self.state {
            State::InFlight { nonce, lease_ends, checkpoint, .. } => {
                bytes.extend_from_slice(&nonce.to_be_bytes());
                bytes.extend_from_slice(&lease_ends.as_nanos().to_be_bytes());
                bytes.extend_from_slice(checkpoint.as_deref().unwrap_or_default());
            }
            State::Completed { result } => bytes.extend_from_slice(result),
            State::Released => {}
        }
        bytes
    }

    /// Returns the record that [`to_bytes`](Self::to_bytes) made these of.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedRecord> {
        let mut bytes = bytes;
        let [version, tag] = take(&mut bytes)?;
        if version != VERSION {
            return Err(MalformedRecord::Version { version });
        }
        let fingerprint = Fingerprint::from_bytes(take(&mut bytes)?);
        let token = FencingToken::from_bytes(take(&mut bytes)?)?;
        let forgotten_at = time(&mut bytes)?;
        let state = match tag {
            IN_FLIGHT | SAVED | RECOVERING | RECOVERING_SAVED => State::InFlight {
                nonce: u64::from_be_bytes(take(&mut bytes)?),
                lease_ends: time(&mut bytes)?,
                recovers: matches!(tag, RECOVERING | RECOVERING_SAVED),
                checkpoint: matches!(tag, SAVED | RECOVERING_SAVED)
                    .then(|| core::mem::take(&mut bytes).to_vec()),
            },
            COMPLETED => State::Completed { result: core::mem::take(&mut bytes).to_vec() },
            RELEASED => State::Released,
            tag => return Err(MalformedRecord::State { tag }),
        };
        if bytes.is_empty() {
            Ok(Self { fingerprint, token, forgotten_at, state })
        } else {
            Err(MalformedRecord::TrailingBytes { count: bytes.len() })
        }
    }
}

impl State {
    const fn tag(&self) -> u8 {
        match self {
            Self::InFlight { recovers: false, checkpoint: None, .. } => IN_FLIGHT,
            Self::InFlight { recovers: false, checkpoint: Some(_), .. } => SAVED,
            Self::InFlight { recovers: true, checkpoint: None, .. } => RECOVERING,
            Self::InFlight { recovers: true, checkpoint: Some(_), .. } => RECOVERING_SAVED,
            Self::Completed { .. } => COMPLETED,
            Self::Released => RELEASED,
        }
    }
}

fn time(bytes: &mut &[u8]) -> Result<Instant, MalformedRecord> {
    Ok(Instant::from_nanos(u64::from_be_bytes(take(bytes)?)))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], MalformedRecord> {
    let (taken, rest) = bytes
        .split_first_chunk()
        .ok_or_else(|| MalformedRecord::Truncated { missing: N - bytes.len() })?;
    *bytes = rest;
    Ok(*taken)
}

/// Bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MalformedRecord {
    Version { version: u8 },
    State { tag: u8 },
    Token(ZeroToken),
    Truncated { missing: usize },
    TrailingBytes { count: usize },
}

impl From<ZeroToken> for MalformedRecord {
    fn from(zero: ZeroToken) -> Self {
        Self::Token(zero)
    }
}

impl fmt::Display for MalformedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { version } => {
                write!(f, "a record of version {version}, where {VERSION} is expected")
            }
            Self::State { tag } => write!(f, "a record with the unknown state {tag}"),
            Self::Token(zero) => zero.fmt(f),
            Self::Truncated { missing } => write!(f, "a record that lacks {missing} bytes or more"),
            Self::TrailingBytes { count } => write!(f, "{count} bytes after a record"),
        }
    }
}

impl Error for MalformedRecord {}

#[cfg(test)]
mod tests {
    use core::num::NonZeroU64;

    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;

    impl Arbitrary for Record {
        fn arbitrary(g: &mut Gen) -> Self {
            let time = |g: &mut Gen| Instant::from_nanos(u64::arbitrary(g));
            let state = match u8::arbitrary(g) % 3 {
                0 => State::InFlight {
                    nonce: u64::arbitrary(g),
                    lease_ends: time(g),
                    recovers: bool::arbitrary(g),
                    checkpoint: Option::arbitrary(g),
                },
                1 => State::Completed { result: Vec::arbitrary(g) },
                _ => State::Released,
            };
            Self {
                fingerprint: Fingerprint::from_bytes(u128::arbitrary(g).to_le_bytes()),
                token: FencingToken::new(u64::arbitrary(g), NonZeroU64::arbitrary(g)),
                forgotten_at: time(g),
                state,
            }
        }
    }

    quickcheck! {
        fn a_record_comes_back(record: Record) -> bool {
            Record::from_bytes(&record.to_bytes()) == Ok(record)
        }

        fn bytes_are_a_record_s_or_none(record: Record, at: usize, byte: u8) -> bool {
            let mut bytes = record.to_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            Record::from_bytes(&bytes).is_err() || Record::from_bytes(&bytes).unwrap().to_bytes() == bytes
        }

        fn a_part_of_a_record_is_none_or_has_less_at_its_end(record: Record, length: usize) -> bool {
            let bytes = record.to_bytes();
            let part = &bytes[..length % bytes.len()];
            Record::from_bytes(part).map_or(true, |less| less.to_bytes() == part)
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let record = Record {
            fingerprint: Fingerprint::NONE,
            token: FencingToken::first(1),
            forgotten_at: Instant::ORIGIN,
            state: State::Released,
        };
        let mutated = |mutate: fn(&mut Vec<u8>)| {
            let mut bytes = record.to_bytes();
            mutate(&mut bytes);
            Record::from_bytes(&bytes).unwrap_err()
        };
        assert_eq!(mutated(|bytes| bytes[0] = 2), MalformedRecord::Version { version: 2 });
        assert_eq!(mutated(|bytes| bytes[1] = 9), MalformedRecord::State { tag: 9 });
        assert!(matches!(mutated(|bytes| bytes[33] = 0), MalformedRecord::Token(_)));
        assert_eq!(mutated(|bytes| bytes.truncate(41)), MalformedRecord::Truncated { missing: 1 });
        assert_eq!(mutated(|bytes| bytes.push(0)), MalformedRecord::TrailingBytes { count: 1 });
    }
}
