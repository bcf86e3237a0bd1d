//! A record as its key has it.

use core::{num::NonZeroU64, time::Duration};

use surmise_fence::FencingToken;
use surmise_time::Instant;

use super::super::{native::seconds, wire::KeyValue};
use crate::idempotency_store::{Record, State};

/// A record that was found. Its times begin with its lease of etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) record: Record,
    /// For how many seconds its lease of etcd was granted.
    pub(super) ttl: u64,
    pub(super) lease: u64,
    pub(super) modified_at: u64,
}

/// Where the token of a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The transaction that writes the record is the claim: its revision is the token's counter.
    Claim,
    /// An earlier one was.
    Earlier,
}

const CLAIM: u8 = b'c';
const EARLIER: u8 = b'e';

impl Kept {
    pub(super) fn new(found: &KeyValue) -> Option<Self> {
        let (&[origin], rest) = found.value.split_first_chunk()?;
        let (&ttl, record) = rest.split_first_chunk()?;
        let mut record = Record::from_bytes(record).ok()?;
        match origin {
            CLAIM => {
                let counter = NonZeroU64::new(found.mod_revision)?;
                record.token = FencingToken::new(record.token.epoch(), counter);
            }
            EARLIER => {}
            _ => return None,
        }
        // Without a lease of etcd, it would have no time.
        let lease = NonZeroU64::new(found.lease)?.get();
        Some(Self { record, ttl: u64::from_be_bytes(ttl), lease, modified_at: found.mod_revision })
    }

    pub(super) const fn is_in_flight(&self) -> bool {
        matches!(self.record.state, State::InFlight { .. })
    }

    /// Returns whether the record is to be forgotten before its lease of etcd ends, which etcd made longer than was
    /// asked.
    pub(super) fn outlasts_its_record(&self) -> bool {
        Instant::ORIGIN + Duration::from_secs(self.ttl) > self.record.forgotten_at
    }
}

/// Returns the value of the key of a record.
pub(super) fn to_bytes(record: &Record, ttl: u64, origin: Origin) -> Vec<u8> {
    let origin = match origin {
        Origin::Claim => CLAIM,
        Origin::Earlier => EARLIER,
    };
    [&[origin], &ttl.to_be_bytes()[..], &record.to_bytes()].concat()
}

/// Returns a record whose times begin now, in the whole seconds that etcd counts in, and none of them shorter.
pub(super) fn beginning_at(mut record: Record, now: Instant) -> Record {
    let left = |end: Instant| Duration::from_secs(seconds(end - now));
    if let State::InFlight { lease_ends, .. } = &mut record.state {
        let lease = left(*lease_ends);
        // The retention begins where the lease ends.
        record.forgotten_at += lease - (*lease_ends - now);
        *lease_ends = Instant::ORIGIN + lease;
    }
    record.forgotten_at = Instant::ORIGIN + left(record.forgotten_at);
    record
}

#[cfg(test)]
mod tests {
    use quickcheck::{TestResult, quickcheck};
    use surmise_idempotency::Fingerprint;

    use super::*;

    fn found(value: Vec<u8>, mod_revision: u64) -> KeyValue {
        KeyValue { value, mod_revision, lease: 7, ..KeyValue::default() }
    }

    quickcheck! {
        fn a_record_comes_back_with_the_token_of_its_claim(record: Record, ttl: u64, at: NonZeroU64) -> bool {
            let read = |origin| Kept::new(&found(to_bytes(&record, ttl, origin), at.get())).unwrap();
            let token = FencingToken::new(record.token.epoch(), at);
            let expected = |token| Kept {
                record: Record { token, ..record.clone() },
                ttl,
                lease: 7,
                modified_at: at.get(),
            };
            read(Origin::Earlier) == expected(record.token) && read(Origin::Claim) == expected(token)
        }

        fn no_time_is_shorter_and_none_is_longer_by_seconds(record: Record, lease: u64, retention: u64, now: u64) -> TestResult {
            // No wider than the limits of stores are.
            let [lease, retention, now] = [lease, retention, now].map(|nanos| Duration::from_nanos(nanos >> 8));
            let now = Instant::ORIGIN + now;
            let mut record = Record { forgotten_at: now + lease + retention, ..record };
            if let State::InFlight { lease_ends, .. } = &mut record.state {
                *lease_ends = now + lease;
            }
            let begun = beginning_at(record, now);
            let second = Duration::from_secs(1);
            let is_whole = |time: Instant| (time - Instant::ORIGIN).subsec_nanos() == 0;
            let kept = match begun.state {
                State::InFlight { lease_ends, .. } => {
                    let granted = lease_ends - Instant::ORIGIN;
                    assert!(is_whole(lease_ends) && lease <= granted && granted < lease + second);
                    begun.forgotten_at - lease_ends
                }
                _ => begun.forgotten_at - Instant::ORIGIN - lease,
            };
            TestResult::from_bool(is_whole(begun.forgotten_at) && retention <= kept && kept < retention + second)
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        let record = Record {
            fingerprint: Fingerprint::NONE,
            token: FencingToken::first(1),
            forgotten_at: Instant::ORIGIN,
            state: State::Released,
        };
        let bytes = to_bytes(&record, 1, Origin::Earlier);
        assert!(Kept::new(&found(bytes.clone(), 1)).is_some());
        let mut unknown = bytes.clone();
        unknown[0] = b'x';
        for value in [vec![], b"foreign".to_vec(), bytes[..bytes.len() - 1].to_vec(), unknown] {
            assert_eq!(Kept::new(&found(value.clone(), 1)), None, "{value:?}");
        }
        assert_eq!(Kept::new(&KeyValue { lease: 0, ..found(bytes, 1) }), None);
    }
}
