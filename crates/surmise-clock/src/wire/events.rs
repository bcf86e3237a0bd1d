use super::{DecodeError, Reader, Wire, Writer};
use crate::Dot;

/// The replica and the counter, which may be 0 here: such a dot stands for no event, and is a value like
/// others.
impl<Id: Wire> Wire for Dot<Id> {
    fn write(&self, out: &mut Writer<'_>) {
        self.replica.write(out);
        out.varint(self.counter);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { replica: Id::read(input)?, counter: input.varint()? })
    }
}
