use super::{DecodeError, DecodeErrorKind, Reader, Wire, Writer};

/// Itself: as a varint, half of its values would take two bytes.
impl Wire for u8 {
    fn write(&self, out: &mut Writer<'_>) {
        out.byte(*self);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.byte()
    }
}

macro_rules! varint {
    ($integer:ty) => {
        /// A varint.
        impl Wire for $integer {
            fn write(&self, out: &mut Writer<'_>) {
                out.varint(*self as u64);
            }

            fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let offset = input.offset();
                let found = input.varint()?;
                let kind = DecodeErrorKind::OutOfRange { found, max: Self::MAX as u64 };
                Self::try_from(found).map_err(|_| DecodeError::new(offset, kind))
            }
        }
    };
}

varint!(u16);
varint!(u32);
varint!(u64);
varint!(usize);

/// Sixteen bytes, the highest first: a number of this size is a hash or drawn at random, and would be
/// longer as a varint.
impl Wire for u128 {
    fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.to_be_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(Self::from_be_bytes)
    }
}

/// The bytes alone.
impl<const N: usize> Wire for [u8; N] {
    fn write(&self, out: &mut Writer<'_>) {
        out.bytes(self);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array()
    }
}
