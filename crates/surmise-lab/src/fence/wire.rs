//! What the processes say to each other.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use surmise_fence::FencingToken;

use super::ledger::{Deposit, Ledger};
use crate::stores::{Ask, Reply};

/// What a holder says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromHolder {
    /// It has done its step.
    Did { at_ns: u64, what: What },
    /// It could not, and ends.
    Failed(String),
    /// It asks the store that the other process has.
    Ask(Ask),
}

/// What a holder hears.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToHolder {
    /// What it is to be. Comes first, and once.
    Begin(Setup),
    /// What to do next.
    Step(Step),
    /// What the store says.
    Reply(Reply),
}

/// What a holder is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) name: String,
    /// As on the command line; not among a process's arguments, where everybody sees the password.
    pub(super) store: String,
    pub(super) resource: String,
    pub(super) lease: Duration,
    pub(super) fenced: bool,
}

/// What a holder does before it waits for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    /// Asks for the lease.
    Acquire,
    /// Raises the floor to its token.
    Raise,
    /// Reads the ledger, adds to it, and looks at its lease for the last time before it writes.
    Prepare { amount: u32 },
    /// Writes what it prepared, with the token that it looked up then.
    Write,
    /// Looks at its lease.
    Look,
    /// Gives the lease back.
    Release,
}

/// What happened, as it stands in the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum What {
    /// A process is there, and reaches the store.
    Ready { process: u32 },
    /// The lease was asked for, and is another's.
    Held { by: String, token: FencingToken, remaining_ns: u64 },
    /// The lease was asked for, and is nobody's yet.
    Delayed { remaining_ns: u64 },
    /// The lease was granted.
    Granted { token: FencingToken, valid_for_ns: u64 },
    /// It was granted to another, whose it was not before.
    TakenOver { token: FencingToken, valid_for_ns: u64 },
    /// The floor is as high as the token.
    FloorRaised { token: FencingToken },
    /// Something was read and computed, and the lease is still valid.
    Prepared { read: Ledger, value: Ledger, remaining_ns: u64 },
    /// The store says that it was written.
    Acknowledged { value: Ledger, deposit: Deposit, shown: FencingToken },
    /// The store says that it was not.
    Refused { value: Ledger, offered: FencingToken, highest: FencingToken },
    /// The process was stopped.
    Paused { process: u32 },
    /// A process's lease is over, as its own clock would tell.
    LeaseOver { token: FencingToken },
    /// It goes on.
    Resumed { process: u32, paused_ns: u64 },
    /// It looked at its lease, which is valid for so long.
    Looked { remaining_ns: u64 },
    /// The lease was given back.
    Released,
    /// Something that was not to be shown.
    Unclear { why: String },
}
