use super::BufferTooSmall;

/// Writes to a buffer what fits it, and counts what is needed.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    /// How many bytes were to be written, more than the buffer has once something did not fit it.
    needed: usize,
}

impl<'a> Writer<'a> {
    /// Creates a writer to the beginning of a buffer.
    #[must_use]
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, needed: 0 }
    }

    /// Writes one byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes(&[byte]);
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let end = self.needed.saturating_add(bytes.len());
        if let Some(room) = self.buffer.get_mut(self.needed..end) {
            room.copy_from_slice(bytes);
        }
        self.needed = end;
    }

    /// Writes an integer of 1 to 10 bytes, one for each 7 bits of it.
    pub fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.byte(0x80 | (value & 0x7f) as u8);
            value >>= 7;
        }
        self.byte((value & 0x7f) as u8);
    }

    /// Writes a number of bytes and those bytes.
    pub fn length_prefixed(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.bytes(bytes);
    }

    /// Returns how many bytes have been written, those included that did not fit.
    #[must_use]
    pub const fn needed(&self) -> usize {
        self.needed
    }

    /// Returns how many bytes have been written.
    ///
    /// # Errors
    ///
    /// If they did not all fit the buffer.
    pub const fn finish(self) -> Result<usize, BufferTooSmall> {
        let (needed, available) = (self.needed, self.buffer.len());
        if needed > available { Err(BufferTooSmall { needed, available }) } else { Ok(needed) }
    }
}
