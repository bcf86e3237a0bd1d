use super::{DecodeError, DecodeErrorKind, Reader, Wire, Writer};
#[cfg(feature = "alloc")]
use crate::VectorClock;
use crate::{BoundedVectorClock, DenseVectorClock, vector::AppendError};

/// The number of entries; of each its replica and counter.
#[cfg(feature = "alloc")]
impl<Id: Wire + Ord, const N: usize> Wire for VectorClock<Id, N> {
    fn write(&self, out: &mut Writer<'_>) {
        write_entries(self.replicas(), self.counters(), out);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut clock = Self::default();
        read_entries(input, usize::MAX, |replica, counter| clock.append(replica, counter))?;
        Ok(clock)
    }
}

/// As a `VectorClock`. One of more than `N` entries is refused.
impl<Id: Wire + Ord, const N: usize> Wire for BoundedVectorClock<Id, N> {
    fn write(&self, out: &mut Writer<'_>) {
        write_entries(self.replicas(), self.counters(), out);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut clock = Self::default();
        read_entries(input, N, |replica, counter| clock.append(replica, counter))?;
        Ok(clock)
    }
}

/// All counters, and not how many there are.
impl<const N: usize> Wire for DenseVectorClock<N> {
    fn write(&self, out: &mut Writer<'_>) {
        for &counter in self.counters() {
            out.varint(counter);
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut counters = [0; N];
        for counter in &mut counters {
            *counter = input.varint()?;
        }
        Ok(Self::from(counters))
    }
}

fn write_entries<Id: Wire>(replicas: &[Id], counters: &[u64], out: &mut Writer<'_>) {
    out.varint(replicas.len() as u64);
    for (replica, &counter) in replicas.iter().zip(counters) {
        replica.write(out);
        out.varint(counter);
    }
}

/// Reads at most `capacity` entries, and appends them to a clock.
fn read_entries<Id: Wire>(
    input: &mut Reader<'_>,
    capacity: usize,
    mut append: impl FnMut(Id, u64) -> Result<(), AppendError>,
) -> Result<(), DecodeError> {
    for index in 0..input.entry_count(capacity)? {
        let replica_offset = input.offset();
        let replica = Id::read(input)?;
        let counter_offset = input.offset();
        let counter = input.varint()?;
        append(replica, counter).map_err(|error| match error {
            AppendError::NotAscending => {
                DecodeError::new(replica_offset, DecodeErrorKind::NotAscending { index })
            }
            AppendError::Zero => DecodeError::new(counter_offset, DecodeErrorKind::Zero),
            AppendError::Full(full) => {
                let (found, max) = (full.needed as u64, full.capacity);
                DecodeError::new(replica_offset, DecodeErrorKind::TooManyEntries { found, max })
            }
        })?;
    }
    Ok(())
}
