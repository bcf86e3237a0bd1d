use alloc::{boxed::Box, string::String, vec::Vec};

use super::{DecodeError, DecodeErrorKind, Reader, Wire, Writer};

/// The number of bytes, and the bytes.
impl Wire for Vec<u8> {
    fn write(&self, out: &mut Writer<'_>) {
        out.length_prefixed(self);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.length_prefixed().map(Self::from)
    }
}

/// The number of bytes, and the bytes.
impl Wire for Box<[u8]> {
    fn write(&self, out: &mut Writer<'_>) {
        out.length_prefixed(self);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.length_prefixed().map(Self::from)
    }
}

/// The number of bytes, and the bytes in UTF-8.
impl Wire for String {
    fn write(&self, out: &mut Writer<'_>) {
        out.length_prefixed(self.as_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        text(input).map(Self::from)
    }
}

/// The number of bytes, and the bytes in UTF-8.
impl Wire for Box<str> {
    fn write(&self, out: &mut Writer<'_>) {
        out.length_prefixed(self.as_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        text(input).map(Self::from)
    }
}

fn text<'a>(input: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    let bytes = input.length_prefixed()?;
    let start = input.offset() - bytes.len();
    core::str::from_utf8(bytes).map_err(|error| {
        DecodeError::new(start + error.valid_up_to(), DecodeErrorKind::InvalidUtf8)
    })
}
