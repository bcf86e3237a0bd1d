use core::time::Duration;

use surmise_time::WallTime;

use crate::source::SourceError;

/// What is left to read of a segment, in the machine's own byte order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    left: &'a [u8],
    length: usize,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes, length: bytes.len() }
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], SourceError> {
        let Some((field, left)) = self.left.split_first_chunk() else {
            // Lossless: no platform has addresses of more than 64 bits.
            return Err(SourceError::Malformed { what: "length", value: self.length as u64 });
        };
        self.left = left;
        Ok(*field)
    }

    pub(super) fn u16(&mut self) -> Result<u16, SourceError> {
        self.take().map(u16::from_ne_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, SourceError> {
        self.take().map(u32::from_ne_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, SourceError> {
        self.take().map(u64::from_ne_bytes)
    }

    /// Reads a byte that is 0 or 1.
    pub(super) fn bool(&mut self, what: &'static str) -> Result<bool, SourceError> {
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [value] => Err(SourceError::Malformed { what, value: value.into() }),
        }
    }

    /// Reads a number of nanoseconds that has a sign, but no use for it.
    pub(super) fn nanos(&mut self, what: &'static str) -> Result<Duration, SourceError> {
        let value = self.u64()?;
        // What is above is negative.
        if i64::try_from(value).is_err() {
            return Err(SourceError::Malformed { what, value });
        }
        Ok(Duration::from_nanos(value))
    }

    /// Reads a `timespec`, both numbers of which have a sign, but no use for it.
    pub(super) fn timespec(&mut self, what: &'static str) -> Result<Duration, SourceError> {
        let (seconds, value) = (self.u64()?, self.u64()?);
        if i64::try_from(seconds).is_err() {
            return Err(SourceError::Malformed { what, value: seconds });
        }
        match u32::try_from(value) {
            Ok(nanos) if nanos < 1_000_000_000 => Ok(Duration::new(seconds, nanos)),
            _ => Err(SourceError::Malformed { what, value }),
        }
    }

    /// Reads a `timespec` since the Unix epoch.
    pub(super) fn wall_time(&mut self, what: &'static str) -> Result<WallTime, SourceError> {
        let since_epoch = self.timespec(what)?;
        let time = WallTime::UNIX_EPOCH.checked_add(since_epoch);
        time.ok_or(SourceError::Malformed { what, value: since_epoch.as_secs() })
    }
}
