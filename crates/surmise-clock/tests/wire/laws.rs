//! What holds for all values and all bytes: what is written is read, and what is read is what is written.

use core::fmt::Debug;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_clock::{
    BoundedVectorClock, DenseVectorClock, Dot, HybridTimestamp, LamportTime, LamportTimestamp,
    wire::{DecodeLimits, Reader, Wire, decode},
};
#[cfg(feature = "alloc")]
use surmise_clock::{DottedVersionVectorSet, Stamped, Tombstone, VectorClock};

use super::form;

const LIMITS: DecodeLimits = DecodeLimits::DEFAULT;

/// Reads a value from the beginning of any bytes, and checks that it is the value of what was read.
fn reads_only_what_is_written<T: Wire + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let mut input = Reader::new(bytes, &LIMITS);
    match T::read(&mut input) {
        Ok(value) => {
            let (read, rest) = bytes.split_at(input.offset());
            assert_eq!(input.rest(), rest);
            assert_eq!(form(&value), read, "{value:?}");
            assert_eq!(decode::<T>(bytes, &LIMITS).is_ok(), rest.is_empty());
            true
        }
        Err(error) => {
            assert_eq!(decode::<T>(bytes, &LIMITS), Err(error));
            assert!(error.offset <= bytes.len(), "{error}");
            false
        }
    }
}

/// Returns of how many types a value could be read.
pub(crate) fn all_types_read_only_what_is_written(bytes: &[u8]) -> usize {
    let read = [
        reads_only_what_is_written::<u8>(bytes),
        reads_only_what_is_written::<u16>(bytes),
        reads_only_what_is_written::<u32>(bytes),
        reads_only_what_is_written::<u64>(bytes),
        reads_only_what_is_written::<u128>(bytes),
        reads_only_what_is_written::<[u8; 3]>(bytes),
        reads_only_what_is_written::<Dot<u64>>(bytes),
        reads_only_what_is_written::<LamportTimestamp<u8>>(bytes),
        reads_only_what_is_written::<HybridTimestamp>(bytes),
        reads_only_what_is_written::<DenseVectorClock<3>>(bytes),
        reads_only_what_is_written::<BoundedVectorClock<u8, 2>>(bytes),
        reads_only_what_is_written::<BoundedVectorClock<u16, 8>>(bytes),
    ];
    read.into_iter().filter(|&read| read).count() + growing_types_read_only_what_is_written(bytes)
}

#[cfg(feature = "alloc")]
fn growing_types_read_only_what_is_written(bytes: &[u8]) -> usize {
    let read = [
        reads_only_what_is_written::<Vec<u8>>(bytes),
        reads_only_what_is_written::<String>(bytes),
        reads_only_what_is_written::<VectorClock<u8>>(bytes),
        reads_only_what_is_written::<VectorClock<u64, 1>>(bytes),
        reads_only_what_is_written::<VectorClock<String>>(bytes),
        reads_only_what_is_written::<Tombstone<u16>>(bytes),
        reads_only_what_is_written::<Stamped<u8, u16>>(bytes),
        reads_only_what_is_written::<DottedVersionVectorSet<u8, u8>>(bytes),
        reads_only_what_is_written::<DottedVersionVectorSet<u64, Vec<u8>>>(bytes),
    ];
    read.into_iter().filter(|&read| read).count()
}

#[cfg(not(feature = "alloc"))]
fn growing_types_read_only_what_is_written(_: &[u8]) -> usize {
    0
}

/// Small numbers for the most part, and bytes on which varints turn.
#[derive(Clone, Debug)]
struct Bytes(Vec<u8>);

impl Arbitrary for Bytes {
    fn arbitrary(g: &mut Gen) -> Self {
        let len = usize::arbitrary(g) % 24;
        let byte = |g: &mut Gen| match u8::arbitrary(g) % 8 {
            0..=4 => u8::arbitrary(g) % 5,
            5 => *g.choose(&[0x7f, 0x80, 0x81, 0xff]).unwrap(),
            _ => u8::arbitrary(g),
        };
        Self((0..len).map(|_| byte(g)).collect())
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        Box::new(self.0.shrink().map(Self))
    }
}

/// Something that happens to bytes on their way.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip { at: usize, bits: u8 },
    Insert { at: usize, byte: u8 },
    Remove { at: usize },
    Repeat { at: usize, len: usize },
    Swap { a: usize, b: usize },
}

impl Arbitrary for Damage {
    fn arbitrary(g: &mut Gen) -> Self {
        let at = usize::arbitrary(g);
        match u8::arbitrary(g) % 5 {
            0 => Self::Flip { at, bits: 1 << (u8::arbitrary(g) % 8) },
            1 => Self::Insert { at, byte: u8::arbitrary(g) },
            2 => Self::Remove { at },
            3 => Self::Repeat { at, len: 1 + usize::arbitrary(g) % 4 },
            _ => Self::Swap { a: at, b: usize::arbitrary(g) },
        }
    }
}

impl Damage {
    fn apply(self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        let place = |at: usize| at % len;
        match self {
            Self::Flip { at, bits } => {
                let at = place(at);
                bytes[at] ^= bits;
            }
            Self::Insert { at, byte } => bytes.insert(place(at), byte),
            Self::Remove { at } => drop(bytes.remove(place(at))),
            Self::Repeat { at, len } => {
                let at = place(at);
                let end = bytes.len().min(at + len);
                let again = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, again));
            }
            Self::Swap { a, b } => bytes.swap(place(a), place(b)),
        }
    }
}

/// Checks that a value is read as it was written, and that its bytes are read as what they are whatever
/// happens to them.
fn holds<T: Wire + PartialEq + Debug>(value: &T, damages: &[Damage]) -> bool {
    let mut bytes = form(value);
    assert!(reads_only_what_is_written::<T>(&bytes));
    assert_eq!(decode::<T>(&bytes, &LIMITS).as_ref(), Ok(value));
    for damage in damages {
        damage.apply(&mut bytes);
        reads_only_what_is_written::<T>(&bytes);
    }
    true
}

quickcheck! {
    fn any_bytes_are_the_form_of_what_they_are_read_as(bytes: Bytes) -> bool {
        all_types_read_only_what_is_written(&bytes.0);
        true
    }

    fn integers_hold(small: u8, medium: (u16, u32), long: u64, id: u128, damages: Vec<Damage>) -> bool {
        holds(&small, &damages)
            && holds(&medium.0, &damages)
            && holds(&medium.1, &damages)
            && holds(&long, &damages)
            && holds(&id, &damages)
    }

    fn dots_hold(replica: u64, counter: u64, damages: Vec<Damage>) -> bool {
        holds(&Dot { replica, counter }, &damages)
            && holds(&Dot { replica: replica.to_be_bytes(), counter }, &damages)
    }

    fn stamps_hold(time: u64, node: u16, damages: Vec<Damage>) -> bool {
        let time = LamportTime::new(time);
        holds(&time, &damages)
            && holds(&LamportTimestamp { time, node }, &damages)
            && HybridTimestamp::from_nanos(time.get()).is_none_or(|stamp| holds(&stamp, &damages))
    }

    fn stamps_sort_as_their_bytes(a: (u64, u128), b: (u64, u128)) -> bool {
        let lamport = |(time, node)| LamportTimestamp { time: LamportTime::new(time), node };
        let hybrid = |(nanos, _)| HybridTimestamp::from_nanos(nanos);
        assert_eq!(lamport(a).cmp(&lamport(b)), form(&lamport(a)).cmp(&form(&lamport(b))));
        match (hybrid(a), hybrid(b)) {
            (Some(a), Some(b)) => a.cmp(&b) == form(&a).cmp(&form(&b)),
            _ => true,
        }
    }

    fn clocks_of_few_hold(entries: Vec<(u64, u64)>, damages: Vec<Damage>) -> bool {
        let few = entries.iter().copied().take(4);
        let bounded = BoundedVectorClock::<u64, 4>::try_from_iter(few).unwrap();
        let near = BoundedVectorClock::<u16, 300>::try_from_iter(near(&entries)).unwrap();
        let mut dense = DenseVectorClock::<5>::new();
        for (replica, counter) in entries {
            dense.record(&Dot { replica: (replica % 5) as usize, counter }).unwrap();
        }
        holds(&bounded, &damages) && holds(&near, &damages) && holds(&dense, &damages)
    }

    #[cfg(feature = "alloc")]
    fn strings_hold(text: String, bytes: Vec<u8>, damages: Vec<Damage>) -> bool {
        holds(&text.clone().into_boxed_str(), &damages)
            && holds(&text, &damages)
            && holds(&bytes.clone().into_boxed_slice(), &damages)
            && holds(&bytes, &damages)
    }

    #[cfg(feature = "alloc")]
    fn vector_clocks_hold(entries: Vec<(u64, u64)>, damages: Vec<Damage>) -> bool {
        let bounded = BoundedVectorClock::<u16, 300>::try_from_iter(near(&entries)).unwrap();
        let clock = near(&entries).collect::<VectorClock<u16, 2>>();
        assert_eq!(form(&bounded), form(&clock));
        holds(&clock, &damages)
            && holds(&entries.iter().copied().collect::<VectorClock<u64>>(), &damages)
            && holds(&named(&entries).collect::<VectorClock<String>>(), &damages)
    }

    #[cfg(feature = "alloc")]
    fn tombstones_hold(by: (u64, u64), replica: u64, last: u64, damages: Vec<Damage>) -> bool {
        let by = Dot { replica: by.0, counter: by.1 };
        holds(&Tombstone { by, replica, last }, &damages)
    }

    #[cfg(feature = "alloc")]
    fn stamped_messages_hold(entries: Vec<(u64, u64)>, message: String, damages: Vec<Damage>) -> bool {
        let clock = near(&entries).collect();
        holds(&Stamped { sender: 7, clock, message }, &damages)
    }

    #[cfg(feature = "alloc")]
    fn siblings_hold(entries: Vec<(u8, u64, Vec<u16>)>, damages: Vec<Damage>) -> bool {
        holds(&siblings(entries.clone()), &damages)
            && holds(&siblings(entries.into_iter().map(texts).collect()), &damages)
    }
}

/// The same counters for replicas of which many are next to each other.
fn near(entries: &[(u64, u64)]) -> impl Iterator<Item = (u16, u64)> {
    entries.iter().map(|&(replica, counter)| ((replica % 300) as u16, counter))
}

#[cfg(feature = "alloc")]
fn named(entries: &[(u64, u64)]) -> impl Iterator<Item = (String, u64)> {
    entries.iter().map(|&(replica, counter)| ((replica % 2000).to_string(), counter))
}

/// A set of those entries that it can have.
#[cfg(feature = "alloc")]
fn siblings<V>(mut entries: Vec<(u8, u64, Vec<V>)>) -> DottedVersionVectorSet<u8, V> {
    entries.retain(|&(_, counter, _)| counter > 0);
    entries.sort_by_key(|&(replica, ..)| replica);
    entries.dedup_by_key(|&mut (replica, ..)| replica);
    for (_, counter, values) in &mut entries {
        values.truncate(usize::try_from(*counter).unwrap_or(usize::MAX).min(8));
    }
    entries.try_into().unwrap()
}

#[cfg(feature = "alloc")]
fn texts((replica, counter, values): (u8, u64, Vec<u16>)) -> (u8, u64, Vec<String>) {
    (replica, counter, values.into_iter().map(|value| value.to_string()).collect())
}
