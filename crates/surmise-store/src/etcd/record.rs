//! What the values of the keys are made of.

use surmise_fence::Pass;

use crate::Entry;

/// Who holds a lease, as the key of the lease has it. When that key was created is the counter of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) epoch: u64,
    pub(super) nonce: u64,
    /// In seconds, that of etcd's lease.
    pub(super) ttl: u64,
    pub(super) name: String,
}

impl Holder {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.epoch, self.nonce, self.ttl].map(u64::to_be_bytes);
        [numbers.as_flattened(), self.name.as_bytes()].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (epoch, rest) = number(bytes)?;
        let (nonce, rest) = number(rest)?;
        let (ttl, rest) = number(rest)?;
        Some(Self { epoch, nonce, ttl, name: str::from_utf8(rest).ok()?.to_owned() })
    }
}

pub(super) fn epoch_from_bytes(bytes: &[u8]) -> Option<u64> {
    number(bytes).filter(|(_, rest)| rest.is_empty()).map(|(epoch, _)| epoch)
}

/// What follows a pass, so that whatever is kept is greater than its pass alone, byte by byte.
const FLOOR: u8 = b'f';
const REMOVED: u8 = b'r';
const WRITTEN: u8 = b'w';

pub(super) fn floor_to_bytes(floor: Pass) -> Vec<u8> {
    [&floor.with_sequence(0).to_bytes()[..], &[FLOOR]].concat()
}

pub(super) fn floor_from_bytes(bytes: &[u8]) -> Option<Pass> {
    match pass(bytes)? {
        (pass, [FLOOR]) => Some(pass),
        _ => None,
    }
}

pub(super) fn entry_to_bytes(value: Option<&[u8]>, pass: Pass) -> Vec<u8> {
    let (kind, value) = value.map_or((REMOVED, &[][..]), |value| (WRITTEN, value));
    [&pass.to_bytes()[..], &[kind], value].concat()
}

pub(super) fn entry_from_bytes(bytes: &[u8]) -> Option<Entry> {
    match pass(bytes)? {
        (pass, [REMOVED]) => Some(Entry::new(None, pass)),
        (pass, [WRITTEN, value @ ..]) => Some(Entry::new(Some(value.to_vec()), pass)),
        _ => None,
    }
}

fn pass(bytes: &[u8]) -> Option<(Pass, &[u8])> {
    let (pass, rest) = bytes.split_first_chunk()?;
    Some((Pass::from_bytes(*pass).ok()?, rest))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use surmise_fence::FencingToken;

    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_nothing_else_is() {
        let pass = Pass::from(FencingToken::first(3)).with_nonce(7).with_sequence(9);
        for value in [None, Some(&b""[..]), Some(b"value")] {
            let bytes = entry_to_bytes(value, pass);
            let entry = Entry::new(value.map(<[u8]>::to_vec), pass);
            assert_eq!(entry_from_bytes(&bytes), Some(entry));
            assert_eq!(floor_from_bytes(&bytes), None);
        }
        assert_eq!(floor_from_bytes(&floor_to_bytes(pass)), Some(pass.with_sequence(0)));
        let holder = Holder { epoch: 1, nonce: 2, ttl: 3, name: "me".into() };
        assert_eq!(Holder::from_bytes(&holder.to_bytes()), Some(holder));
        for foreign in [&b""[..], b"foreign", &[0; 33], &[0xff; 64]] {
            assert_eq!(entry_from_bytes(foreign), None, "{foreign:?}");
            assert_eq!(floor_from_bytes(foreign), None, "{foreign:?}");
            assert_eq!(epoch_from_bytes(foreign), None, "{foreign:?}");
        }
        assert_eq!(Holder::from_bytes(b"foreign"), None);
        assert_eq!(Holder::from_bytes(&[0xff; 25]), None);
    }
}
