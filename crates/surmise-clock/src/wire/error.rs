use core::{error::Error, fmt};

/// Bytes that are not the form of a value, or exceed a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// Where what is wrong begins, in bytes from the input's beginning.
    pub offset: usize,
    /// What is wrong there.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    /// Creates an error, for implementations of [`Wire`](super::Wire).
    #[must_use]
    pub const fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self { offset, kind }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.kind)
    }
}

impl Error for DecodeError {}

/// What is wrong with bytes that do not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends within an item.
    Truncated {
        /// How many bytes the item lacks, at least.
        missing: usize,
    },
    /// The input goes on after the value.
    TrailingBytes {
        /// How many bytes are left.
        count: usize,
    },
    /// A varint takes more bytes than its value needs.
    NotMinimal {
        /// Its value.
        value: u64,
    },
    /// A varint exceeds 64 bits.
    IntegerTooLarge,
    /// A number exceeds its type, or another number that bounds it.
    OutOfRange {
        /// The number.
        found: u64,
        /// The greatest that is valid.
        max: u64,
    },
    /// A counter or a timestamp is zero, and none is.
    Zero,
    /// A clock has more entries than the limits allow or its type can hold.
    TooManyEntries {
        /// How many it has.
        found: u64,
        /// How many it may have.
        max: usize,
    },
    /// A set of siblings has more values than the limits allow.
    TooManyValues {
        /// How many it has in the entries up to this one.
        found: u64,
        /// How many it may have.
        max: usize,
    },
    /// A string is longer than the limits allow.
    StringTooLong {
        /// How many bytes it has.
        found: u64,
        /// How many it may have.
        max: usize,
    },
    /// A replica equals the one before it, or sorts before that.
    NotAscending {
        /// Which entry it begins, from 0.
        index: usize,
    },
    /// Text is not UTF-8 from here on.
    InvalidUtf8,
    /// A value is none of its type, for another reason.
    Invalid {
        /// What was expected.
        expected: &'static str,
    },
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { missing } => write!(f, "at least {missing} more bytes are needed"),
            Self::TrailingBytes { count } => write!(f, "{count} bytes follow the value"),
            Self::NotMinimal { value } => write!(f, "{value} takes more bytes than it needs"),
            Self::IntegerTooLarge => f.write_str("an integer exceeds 64 bits"),
            Self::OutOfRange { found, max } => write!(f, "{found} exceeds {max}"),
            Self::Zero => f.write_str("a counter or timestamp is zero"),
            Self::TooManyEntries { found, max } => {
                write!(f, "{found} entries, of which {max} are allowed")
            }
            Self::TooManyValues { found, max } => {
                write!(f, "{found} values, of which {max} are allowed")
            }
            Self::StringTooLong { found, max } => {
                write!(f, "a string of {found} bytes, of which {max} are allowed")
            }
            Self::NotAscending { index } => {
                write!(f, "the replica of entry {index} does not sort after the one before")
            }
            Self::InvalidUtf8 => f.write_str("text is not UTF-8"),
            Self::Invalid { expected } => write!(f, "expected {expected}"),
        }
    }
}

/// A buffer is shorter than what was to be written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BufferTooSmall {
    /// How many bytes are needed.
    pub needed: usize,
    /// How many the buffer has.
    pub available: usize,
}

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes do not fit a buffer of {}", self.needed, self.available)
    }
}

impl Error for BufferTooSmall {}
