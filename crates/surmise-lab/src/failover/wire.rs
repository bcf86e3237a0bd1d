//! What the processes say to the one that started them, and hear from it, by lines of JSON.

use core::{fmt, net::SocketAddr};

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::{
    faults::Place,
    history::Note,
    seed::{Purpose, of_run},
    setup::Setup,
};
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
    /// Who does not reach whom when it begins.
    pub(super) sides: Vec<Vec<Place>>,
    /// By how much its wall clock is off when it begins.
    pub(super) skew_ns: i64,
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

impl Network {
    /// Draws what the network does from a seed: half of the networks are calm.
    pub(super) fn draw(seed: u64) -> Self {
        let mut rng = of_run(seed, Purpose::Network);
        let mut draw = |text: &str| rng.random_bool(0.5).then(|| text.to_owned());
        let is_calm = draw("").is_some();
        let [delay, loss, duplicate] = ["exponential:3ms", "0.03", "0.1"].map(draw);
        if is_calm {
            return Self { seed, ..Self::default() };
        }
        Self { delay, loss, duplicate, seed }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delay, loss, duplicate, .. } = self;
        let named = [("delay", delay), ("loss", loss), ("duplicates", duplicate)];
        for (name, value) in named {
            if let Some(value) = value {
                write!(f, " Datagrams: {name} {value}.")?;
            }
        }
        Ok(())
    }
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
