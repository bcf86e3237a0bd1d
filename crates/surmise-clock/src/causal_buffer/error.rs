use core::{error::Error, fmt};

use super::Stamped;

/// A message that a causal buffer did not take, handed back, and why.
///
/// The buffer is as it was.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused<Id, M> {
    /// The message.
    pub stamped: Stamped<Id, M>,
    /// What is wrong with it, or with the buffer.
    pub reason: Refusal,
}

/// Why a causal buffer did not take a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The buffer is full. Deliver what can be delivered, and receive the message again; if nothing can,
    /// ask for what is [`missing`](super::CausalBuffer::missing) first.
    Full {
        /// The buffer's capacity.
        capacity: usize,
    },
    /// The message's clock has no event of its sender: the sender did not count it.
    NotStamped,
    /// The message's clock has events of this node that this node has not sent.
    ///
    /// Either the message is forged or broken, or this node has lost its state and needs a new id.
    NeverSent {
        /// How many events of this node the clock has.
        claimed: u64,
        /// How many messages this node has stamped.
        sent: u64,
    },
}

/// Without the message, so that any message can be handed back.
impl<Id: fmt::Debug, M> fmt::Debug for Refused<Id, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("reason", &self.reason)
            .field("sender", &self.stamped.sender)
            .field("clock", &self.stamped.clock)
            .finish_non_exhaustive()
    }
}

impl<Id: fmt::Debug, M> fmt::Display for Refused<Id, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message of replica {:?} was refused: {}", self.stamped.sender, self.reason)
    }
}

impl<Id: fmt::Debug, M> Error for Refused<Id, M> {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { capacity } => write!(f, "the buffer holds {capacity} messages already"),
            Self::NotStamped => write!(f, "its clock has no event of its sender"),
            Self::NeverSent { claimed, sent } => {
                write!(f, "its clock claims event {claimed} of this node, which has sent {sent}")
            }
        }
    }
}

impl Error for Refusal {}
