//! A compact binary form of clocks and stamps, of which each value has exactly one.
//!
//! [`encode`] and [`to_vec`] write it, [`decode`] reads it. The form is canonical: equal values have
//! equal bytes, and bytes that decode are the bytes that the value encodes to. So forms can be compared,
//! hashed and signed in place of the values. All else is refused with a [`DecodeError`] that says what is
//! wrong and where.
//!
//! Reading is safe for bytes from anyone: [`DecodeLimits`] bound what is accepted, it takes time and
//! memory in proportion to the bytes that are there, whatever they claim, and nothing is allocated by a
//! count that a peer only asserted.
//!
//! # Examples
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use surmise_clock::{
//!     VectorClock,
//!     wire::{DecodeLimits, decode, to_vec},
//! };
//!
//! let clock: VectorClock<u64> = [(1, 300), (2, 1)].into_iter().collect();
//! let bytes = to_vec(&clock);
//! assert_eq!(bytes, [2, 1, 0xac, 0x02, 2, 1]);
//! assert_eq!(decode(&bytes, &DecodeLimits::DEFAULT), Ok(clock));
//! # }
//! ```
//!
//! # The bytes
//!
//! A *varint* is an integer in LEB128: seven bits a byte, the lowest first, with the highest bit set in all
//! bytes but the last. It takes as few bytes as it can, ten at most. Counters, and numbers of things that
//! follow, are varints.
//!
//! | value | bytes |
//! |---|---|
//! | `u8` | itself |
//! | `u16`, `u32`, `u64`, `usize` | a varint |
//! | `u128` | 16 bytes, the highest first |
//! | `[u8; N]` | its `N` bytes |
//! | `String`, `Box<str>`, `Vec<u8>`, `Box<[u8]>` | the number of bytes; the bytes, in UTF-8 if text |
//! | [`Dot`](crate::Dot) | the replica; the counter |
//! | [`LamportTime`](crate::LamportTime) | 8 bytes, the highest first |
//! | [`LamportTimestamp`](crate::LamportTimestamp) | the time; the node |
//! | [`HybridTimestamp`](crate::HybridTimestamp) | 8 bytes, the highest first, not all of them 0 |
//! | `VectorClock`, [`BoundedVectorClock`](crate::BoundedVectorClock) | the number of entries; of each entry the replica and the counter. Replicas ascend strictly, and no counter is 0 |
//! | [`DenseVectorClock`](crate::DenseVectorClock) | its counters, and not how many there are |
//! | `DottedVersionVectorSet` | the number of entries; of each entry the replica, the counter, the number of values and the values, the oldest first. Replicas ascend strictly, no counter is 0, and none is less than the number of its values |
//! | `Tombstone` | the event that left it, a dot; the replica; the number of that one's events |
//! | `Stamped` | the sender; the clock; the message |
//!
//! The form of a type stays as it is in all versions of this crate that are compatible. It tells neither
//! its type nor its version: what carries it has to, if there is doubt.
//!
//! `Retirements` travel as their tombstones, one by one: whether they contradict each other is for `learn` to
//! say, which takes longer than reading them.
//!
//! Small numbers are short as varints, and numbers chosen at random are long: for a random 64-bit id take
//! `[u8; 8]`.
//!
//! # Other types
//!
//! Replicas, nodes and values can be of any type that implements [`Wire`], and so can a message that
//! holds a clock among other things:
//!
//! ```
//! use surmise_clock::{
//!     Dot,
//!     wire::{DecodeError, DecodeErrorKind, DecodeLimits, Reader, Wire, Writer, decode, encode},
//! };
//!
//! /// A node's number, from 1 to 1000.
//! #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
//! struct Node(u16);
//!
//! impl Wire for Node {
//!     fn write(&self, out: &mut Writer<'_>) {
//!         self.0.write(out);
//!     }
//!
//!     fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
//!         let offset = input.offset();
//!         match u16::read(input)? {
//!             number @ 1..=1000 => Ok(Self(number)),
//!             _ => {
//!                 let expected = "a node from 1 to 1000";
//!                 Err(DecodeError::new(offset, DecodeErrorKind::Invalid { expected }))
//!             }
//!         }
//!     }
//! }
//!
//! let dot = Dot { replica: Node(7), counter: 1 };
//! let mut buffer = [0; 16];
//! let len = encode(&dot, &mut buffer)?;
//! assert_eq!(buffer[..len], [7, 1]);
//! assert_eq!(decode(&buffer[..len], &DecodeLimits::DEFAULT), Ok(dot));
//!
//! let error = decode::<Dot<Node>>(&[0, 1], &DecodeLimits::DEFAULT).unwrap_err();
//! assert_eq!(error.to_string(), "at byte 0: expected a node from 1 to 1000");
//! # Ok::<(), surmise_clock::wire::BufferTooSmall>(())
//! ```

mod error;
mod events;
mod integers;
mod limits;
mod reader;
#[cfg(feature = "alloc")]
mod siblings;
mod stamps;
#[cfg(feature = "alloc")]
mod strings;
mod vector;
mod writer;

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};

pub use self::{
    error::{BufferTooSmall, DecodeError, DecodeErrorKind},
    limits::DecodeLimits,
    reader::Reader,
    writer::Writer,
};

/// A value with one binary form.
///
/// Implementing it for a type promises two things, on which the canonical form of all that holds such
/// values rests: [`read`](Self::read) gives back a value equal to that which [`write`](Self::write)
/// wrote, and it accepts nothing that `write` does not write. The [module](self) has an example.
pub trait Wire: Sized {
    /// Writes the form, the same bytes for equal values at any time.
    fn write(&self, out: &mut Writer<'_>);

    /// Reads the form of one value and leaves what comes after it.
    ///
    /// # Errors
    ///
    /// If what comes next is not the form of a value, or exceeds a limit. The reader then stands
    /// anywhere in the form.
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// Returns how many bytes the form of a value takes.
#[must_use]
pub fn encoded_len<T: Wire>(value: &T) -> usize {
    let mut out = Writer::new(&mut []);
    value.write(&mut out);
    out.needed()
}

/// Writes the form of a value to the beginning of a buffer, and returns how many bytes it takes.
///
/// # Errors
///
/// If the buffer is shorter than the form. The buffer then holds the form's beginning, or some of it.
pub fn encode<T: Wire>(value: &T, buffer: &mut [u8]) -> Result<usize, BufferTooSmall> {
    let mut out = Writer::new(buffer);
    value.write(&mut out);
    out.finish()
}

/// Returns the form of a value.
///
/// It may exceed the limits that whoever reads it sets: by default, a string of 4096 bytes is the longest.
#[cfg(feature = "alloc")]
#[must_use]
pub fn to_vec<T: Wire>(value: &T) -> Vec<u8> {
    let mut bytes = vec![0; encoded_len(value)];
    let mut out = Writer::new(&mut bytes);
    value.write(&mut out);
    debug_assert_eq!(out.finish(), Ok(bytes.len()), "a form is the same each time it is written");
    bytes
}

/// Returns the value whose form the bytes are, all of them.
///
/// # Errors
///
/// If the bytes are anything else than the form of a value, or exceed a limit.
pub fn decode<T: Wire>(bytes: &[u8], limits: &DecodeLimits) -> Result<T, DecodeError> {
    let mut input = Reader::new(bytes, limits);
    let value = T::read(&mut input)?;
    input.finish()?;
    Ok(value)
}
