use super::{DecodeError, Reader, Wire, Writer};
use crate::Dot;
#[cfg(feature = "alloc")]
use crate::{Stamped, Tombstone, VectorClock};

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

/// The event that left it, the replica, and the number of its events.
#[cfg(feature = "alloc")]
impl<Id: Wire> Wire for Tombstone<Id> {
    fn write(&self, out: &mut Writer<'_>) {
        self.by.write(out);
        self.replica.write(out);
        out.varint(self.last);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { by: Dot::read(input)?, replica: Id::read(input)?, last: input.varint()? })
    }
}

/// The sender, the clock and the message.
#[cfg(feature = "alloc")]
impl<Id: Wire + Ord, M: Wire> Wire for Stamped<Id, M> {
    fn write(&self, out: &mut Writer<'_>) {
        self.sender.write(out);
        self.clock.write(out);
        self.message.write(out);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sender: Id::read(input)?,
            clock: VectorClock::read(input)?,
            message: M::read(input)?,
        })
    }
}
