use alloc::vec::Vec;

use super::{DecodeError, DecodeErrorKind, Reader, Wire, Writer, reader::within};
use crate::DottedVersionVectorSet;

/// The number of entries; of each its replica, its counter, the number of its values, and the values of
/// its last events, the oldest first.
impl<Id: Wire + Ord + Clone, V: Wire> Wire for DottedVersionVectorSet<Id, V> {
    fn write(&self, out: &mut Writer<'_>) {
        let entries = self.entries();
        out.varint(entries.len() as u64);
        for (replica, counter, values) in entries {
            replica.write(out);
            out.varint(counter);
            out.varint(values.len() as u64);
            for value in values {
                value.write(out);
            }
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = input.offset();
        let mut entries: Vec<(Id, u64, Vec<V>)> = Vec::new();
        let mut len = 0;
        for index in 0..input.entry_count(usize::MAX)? {
            let before = entries.last().map(|(replica, ..)| replica);
            let replica = read_replica(input, index, before)?;
            let counter = read_counter(input)?;
            let values = read_values(input, counter, len)?;
            len += values.len();
            entries.push((replica, counter, values));
        }
        // All that entries must be has been checked, unless the order of replicas contradicts itself.
        Self::try_from(entries).map_err(|_| {
            let expected = "replicas in ascending order";
            DecodeError::new(start, DecodeErrorKind::Invalid { expected })
        })
    }
}

/// Reads the replica of an entry, which comes after the one before it.
fn read_replica<Id: Wire + Ord>(
    input: &mut Reader<'_>,
    index: usize,
    before: Option<&Id>,
) -> Result<Id, DecodeError> {
    let offset = input.offset();
    let replica = Id::read(input)?;
    if before.is_none_or(|before| *before < replica) {
        Ok(replica)
    } else {
        Err(DecodeError::new(offset, DecodeErrorKind::NotAscending { index }))
    }
}

fn read_counter(input: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let offset = input.offset();
    match input.varint()? {
        0 => Err(DecodeError::new(offset, DecodeErrorKind::Zero)),
        counter => Ok(counter),
    }
}

/// Reads the values of a replica's last events, of which there are `events`. Other replicas have
/// `others` values.
fn read_values<V: Wire>(
    input: &mut Reader<'_>,
    events: u64,
    others: usize,
) -> Result<Vec<V>, DecodeError> {
    let offset = input.offset();
    let count = input.varint()?;
    if count > events {
        let kind = DecodeErrorKind::OutOfRange { found: count, max: events };
        return Err(DecodeError::new(offset, kind));
    }
    let max = input.limits().max_values;
    let Some(count) = within(count, max.saturating_sub(others)) else {
        let found = count.saturating_add(others as u64);
        return Err(DecodeError::new(offset, DecodeErrorKind::TooManyValues { found, max }));
    };
    // This reserves nothing by the count, as any value may be the one that fails.
    (0..count).map(|_| V::read(input)).collect()
}
