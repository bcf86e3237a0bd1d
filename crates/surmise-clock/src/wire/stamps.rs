use super::{DecodeError, DecodeErrorKind, Reader, Wire, Writer};
use crate::{HybridTimestamp, LamportTime, LamportTimestamp};

/// Eight bytes, the highest first, which sort as the times do.
impl Wire for LamportTime {
    fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.get().to_be_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(u64::from_be_bytes).map(Self::new)
    }
}

/// The time and the node. The bytes sort as the timestamps do if those of nodes sort as the nodes do.
impl<Node: Wire> Wire for LamportTimestamp<Node> {
    fn write(&self, out: &mut Writer<'_>) {
        self.time.write(out);
        self.node.write(out);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { time: LamportTime::read(input)?, node: Node::read(input)? })
    }
}

/// Eight bytes, the highest first, which sort as the timestamps do.
impl Wire for HybridTimestamp {
    fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.to_be_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = input.offset();
        let bytes = input.array()?;
        Self::from_be_bytes(bytes).ok_or_else(|| DecodeError::new(offset, DecodeErrorKind::Zero))
    }
}
