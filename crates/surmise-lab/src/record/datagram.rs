use core::{error::Error, fmt};

/// What a heartbeat recorder sends: 32 bytes, all numbers big-endian.
///
/// | bytes  | content                                                                  |
/// |--------|--------------------------------------------------------------------------|
/// | 0..4   | `SRMS`                                                                   |
/// | 4      | version, 1                                                               |
/// | 5      | kind: 0 a heartbeat, 1 the end                                           |
/// | 6..8   | zero                                                                     |
/// | 8..16  | session: a random number that the sender drew when it started            |
/// | 16..24 | sequence of the heartbeat, from 0; for the end, how many there were      |
/// | 24..32 | when it was sent, in nanoseconds on the sender's monotonic clock         |
///
/// # Examples
///
/// ```
/// use surmise_lab::record::{Datagram, DatagramKind};
///
/// let beat = Datagram::new(DatagramKind::Heartbeat, 77, 12, 1_200_000_000);
/// assert_eq!(Datagram::decode(&beat.encode())?, beat);
/// # Ok::<(), surmise_lab::record::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Datagram {
    /// A heartbeat, or the end.
    pub kind: DatagramKind,
    /// Which run of a sender it belongs to.
    pub session: u64,
    /// The count of heartbeats sent before this datagram.
    pub sequence: u64,
    /// When it was sent, in nanoseconds on the sender's clock.
    pub sent: u64,
}

/// What a [`Datagram`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatagramKind {
    /// The sender is alive.
    Heartbeat,
    /// The sender has sent its last heartbeat.
    End,
}

impl Datagram {
    /// The number of bytes of every datagram.
    pub const LENGTH: usize = 32;

    const MAGIC: u32 = u32::from_be_bytes(*b"SRMS");
    const VERSION: u8 = 1;

    /// Creates a datagram.
    #[must_use]
    pub const fn new(kind: DatagramKind, session: u64, sequence: u64, sent: u64) -> Self {
        Self { kind, session, sequence, sent }
    }

    /// Returns the bytes to send.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let kind = match self.kind {
            DatagramKind::Heartbeat => 0,
            DatagramKind::End => 1,
        };
        let [m0, m1, m2, m3] = Self::MAGIC.to_be_bytes();
        let head = u64::from_be_bytes([m0, m1, m2, m3, Self::VERSION, kind, 0, 0]);
        let mut bytes = [0; Self::LENGTH];
        let words = [head, self.session, self.sequence, self.sent];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// Reads the bytes of a datagram.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the bytes are not exactly what [`encode`](Self::encode) makes: a port that
    /// anyone can send to receives anything.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let exact: &[u8; Self::LENGTH] =
            bytes.try_into().map_err(|_length| DecodeError::Length { found: bytes.len() })?;
        let mut words = exact
            .chunks_exact(8)
            .map(|chunk| chunk.iter().fold(0, |word: u64, &byte| word << 8 | u64::from(byte)));
        let mut next = || words.next().unwrap_or_default();
        let [m0, m1, m2, m3, version, kind, zeros @ ..] = next().to_be_bytes();
        let magic = u32::from_be_bytes([m0, m1, m2, m3]);
        if magic != Self::MAGIC {
            return Err(DecodeError::Magic { found: magic });
        }
        if version != Self::VERSION {
            return Err(DecodeError::Version { found: version });
        }
        let kind = match (kind, zeros) {
            (0, [0, 0]) => DatagramKind::Heartbeat,
            (1, [0, 0]) => DatagramKind::End,
            (kind, [high, low]) => {
                return Err(DecodeError::Kind { found: [kind, high, low] });
            }
        };
        Ok(Self { kind, session: next(), sequence: next(), sent: next() })
    }
}

/// Bytes that no recorder has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// There are more or fewer bytes than [`Datagram::LENGTH`].
    Length {
        /// How many there are.
        found: usize,
    },
    /// The first four bytes are not `SRMS`.
    Magic {
        /// The bytes, big-endian.
        found: u32,
    },
    /// The version is not 1.
    Version {
        /// The version.
        found: u8,
    },
    /// The kind is unknown, or the bytes after it are not zero.
    Kind {
        /// The kind and the two bytes after it.
        found: [u8; 3],
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "the datagram has {found} bytes, but must have {}", Datagram::LENGTH)
            }
            Self::Magic { found } => {
                write!(f, "the datagram begins with {found:#010x}, but must with 0x53524d53")
            }
            Self::Version { found } => {
                write!(f, "the datagram's version is {found}, but must be {}", Datagram::VERSION)
            }
            Self::Kind { found } => {
                write!(f, "the datagram's kind is {found:?}, but must be [0, 0, 0] or [1, 0, 0]")
            }
        }
    }
}

impl Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Datagram = Datagram::new(DatagramKind::Heartbeat, 0x0102, 3, 0x0405);

    #[test]
    fn the_bytes_are_those_of_the_table() {
        let expected = b"SRMS\x01\0\0\0\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\x04\x05";
        assert_eq!(&BEAT.encode(), expected);
    }

    #[test]
    fn foreign_bytes_are_refused() {
        let with = |index: usize, byte| {
            let mut bytes = BEAT.encode();
            bytes[index] = byte;
            Datagram::decode(&bytes)
        };
        assert_eq!(Datagram::decode(b""), Err(DecodeError::Length { found: 0 }));
        assert_eq!(Datagram::decode(&[0; 33]), Err(DecodeError::Length { found: 33 }));
        assert_eq!(with(3, b'T'), Err(DecodeError::Magic { found: 0x5352_4d54 }));
        assert_eq!(with(4, 2), Err(DecodeError::Version { found: 2 }));
        assert_eq!(with(5, 2), Err(DecodeError::Kind { found: [2, 0, 0] }));
        assert_eq!(with(7, 1), Err(DecodeError::Kind { found: [0, 0, 1] }));
    }

    quickcheck::quickcheck! {
        fn what_is_encoded_decodes(end: bool, session: u64, sequence: u64, sent: u64) -> bool {
            let kind = if end { DatagramKind::End } else { DatagramKind::Heartbeat };
            let datagram = Datagram::new(kind, session, sequence, sent);
            Datagram::decode(&datagram.encode()) == Ok(datagram)
        }

        fn only_what_encodes_back_decodes(bytes: Vec<u8>, flip: (usize, u8)) -> bool {
            let mut near = BEAT.encode();
            near[flip.0 % Datagram::LENGTH] ^= flip.1;
            let is_canonical = |bytes: &[u8]| {
                Datagram::decode(bytes).map_or(true, |datagram| datagram.encode() == bytes)
            };
            is_canonical(&bytes) && is_canonical(&near)
        }
    }
}
