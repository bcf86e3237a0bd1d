//! What the processes say to the one that started them, and hear from it, by lines of JSON.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{faults::Place, history::Note, setup::Setup};
use crate::stores::{Ask, Reply};

/// What a process hears.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToProcess {
    /// What it is to be. Comes first, and once.
    Begin(Box<Beginning>),
    /// Where all are, by place. When it comes first, the run begins.
    Addresses(Vec<SocketAddr>),
    /// What the store says.
    Reply { ask: u64, reply: Reply },
    /// Who does not reach whom from now on.
    Sides(Vec<Vec<Place>>),
    /// The wall clock is off by so much more.
    Skew { by_ns: i64 },
    /// The run is about to end.
    Drain,
}

/// What a process is to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Beginning {
    pub(super) setup: Setup,
    pub(super) role: Role,
    pub(super) network: Network,
    /// The server that it asks itself, if there is one; else the process that started it has the store. Not among its
    /// arguments, where everybody would see the password.
    pub(super) server: Option<String>,
    pub(super) resource: String,
    /// By which its datagrams are told from those of other runs.
    pub(super) run: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Role {
    Node { me: usize, incarnation: u64 },
    Client,
}

/// What the network does to datagrams, as on the command line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Network {
    pub(super) delay: Option<String>,
    pub(super) loss: Option<String>,
    pub(super) duplicate: Option<String>,
    pub(super) seed: u64,
}

/// What a process says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromProcess {
    /// It listens at this port.
    Ready {
        port: u16,
    },
    /// It asks the store that the other has.
    Ask {
        id: u64,
        ask: Ask,
    },
    Noted {
        at_ns: u64,
        note: Note,
    },
    /// It cannot go on, and ends.
    Failed(String),
}
