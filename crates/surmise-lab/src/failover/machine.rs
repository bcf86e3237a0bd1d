//! What a node and the client have in common: they read no clock and send nothing, but are told the time and say what is to
//! be sent.

use serde::{Deserialize, Serialize};
use surmise_time::{Instant, WallTime};

use super::{
    history::Note,
    message::{Message, Party},
};
use crate::stores::{Ask, Reply};

/// Something that is told what happens, and says what to do.
pub(super) trait Machine {
    fn step(&mut self, input: Input, now: Now, out: &mut Actions);

    /// Returns when it is to be told the time, if nothing else happens before.
    fn deadline(&mut self) -> Instant;
}

/// The time, on the clock that only goes forward and on the one that may be wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) at: Instant,
    pub(super) wall: WallTime,
}

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// Time has passed.
    Tick,
    Datagram {
        from: Party,
        message: Message,
    },
    /// The store answers a question.
    Reply {
        ask: u64,
        reply: Reply,
    },
    /// The run is about to end: the client begins nothing more.
    Drain,
}

/// What is to be done, in this order.
#[derive(Debug, Default)]
pub(super) struct Actions(Vec<Action>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Action {
    Send { to: Party, message: Message },
    Ask { id: u64, ask: Ask },
    Note(Note),
}

impl Actions {
    pub(super) fn send(&mut self, to: Party, message: Message) {
        self.0.push(Action::Send { to, message });
    }

    pub(super) fn ask(&mut self, id: u64, ask: Ask) {
        self.0.push(Action::Ask { id, ask });
    }

    pub(super) fn note(&mut self, note: Note) {
        self.0.push(Action::Note(note));
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Action> {
        self.0.drain(..)
    }
}
