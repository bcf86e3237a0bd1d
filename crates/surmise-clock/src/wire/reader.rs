use super::{DecodeError, DecodeErrorKind, DecodeLimits};

/// Reads from the beginning of some bytes to their end.
///
/// A method that fails leaves the reader where it was.
///
/// # Examples
///
/// Reading what a larger message holds, one thing after another:
///
/// ```
/// use surmise_clock::{
///     Dot,
///     wire::{DecodeLimits, Reader, Wire},
/// };
///
/// let message = [4, 0xac, 0x02, b'h', b'i'];
/// let mut input = Reader::new(&message, &DecodeLimits::DEFAULT);
/// assert_eq!(Dot::<u64>::read(&mut input)?, Dot { replica: 4, counter: 300 });
/// assert_eq!(input.rest(), b"hi");
/// # Ok::<(), surmise_clock::wire::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    limits: DecodeLimits,
}

impl<'a> Reader<'a> {
    /// Creates a reader of bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8], limits: &DecodeLimits) -> Self {
        Self { rest: bytes, offset: 0, limits: *limits }
    }

    /// Reads one byte.
    ///
    /// # Errors
    ///
    /// If no byte is left.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// Reads an array of bytes.
    ///
    /// # Errors
    ///
    /// If fewer bytes are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.first_chunk() {
            Some(array) => {
                self.skip(N);
                Ok(*array)
            }
            None => Err(self.truncated(N)),
        }
    }

    /// Reads `len` bytes.
    ///
    /// # Errors
    ///
    /// If fewer bytes are left.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.get(..len) {
            Some(bytes) => {
                self.skip(len);
                Ok(bytes)
            }
            None => Err(self.truncated(len)),
        }
    }

    /// Reads an integer of 1 to 10 bytes, see [`Writer::varint`](super::Writer::varint).
    ///
    /// # Errors
    ///
    /// If it is truncated, exceeds 64 bits, or takes more bytes than it needs.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for (at, &byte) in self.rest.iter().enumerate() {
            // Nine bytes hold 63 bits, which leaves one for the tenth and the last.
            if at == 9 && byte > 1 {
                return Err(self.error(DecodeErrorKind::IntegerTooLarge));
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte > 0x7f {
                continue;
            }
            if byte == 0 && at > 0 {
                return Err(self.error(DecodeErrorKind::NotMinimal { value }));
            }
            self.skip(at + 1);
            return Ok(value);
        }
        Err(self.truncated(self.rest.len() + 1))
    }

    /// Reads a number of bytes and those bytes, at most [`DecodeLimits::max_string_bytes`] of them.
    ///
    /// # Errors
    ///
    /// If the number is not valid or exceeds the limit, or if fewer bytes are left.
    pub fn length_prefixed(&mut self) -> Result<&'a [u8], DecodeError> {
        let mut ahead = self.clone();
        let max = self.limits.max_string_bytes;
        let found = ahead.varint()?;
        let len = within(found, max)
            .ok_or_else(|| self.error(DecodeErrorKind::StringTooLong { found, max }))?;
        let bytes = ahead.bytes(len)?;
        *self = ahead;
        Ok(bytes)
    }

    /// Returns how many bytes have been read.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the bytes that have not been read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the limits that apply.
    #[must_use]
    pub const fn limits(&self) -> &DecodeLimits {
        &self.limits
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// If bytes are left.
    pub const fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(self.error(DecodeErrorKind::TrailingBytes { count })),
        }
    }

    /// Reads a number of entries that the limits allow and that are at most `capacity`.
    pub(super) fn entry_count(&mut self, capacity: usize) -> Result<usize, DecodeError> {
        let max = self.limits.max_entries.min(capacity);
        let offset = self.offset;
        let found = self.varint()?;
        within(found, max)
            .ok_or_else(|| DecodeError::new(offset, DecodeErrorKind::TooManyEntries { found, max }))
    }

    fn skip(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
        self.offset += len;
    }

    /// Returns the error of an item that begins here and takes `needed` bytes, more than are left.
    const fn truncated(&self, needed: usize) -> DecodeError {
        let missing = needed.saturating_sub(self.rest.len());
        self.error(DecodeErrorKind::Truncated { missing })
    }

    const fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(self.offset, kind)
    }
}

/// Returns a number if it is at most `max`.
pub(super) fn within(found: u64, max: usize) -> Option<usize> {
    usize::try_from(found).ok().filter(|&found| found <= max)
}
