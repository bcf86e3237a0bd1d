//! The faults, as they are given on the command line.

mod parse;

use core::{error::Error, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::message::Party;

pub(super) use self::parse::{kill, partition, pause, skew};

/// To whom something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Whoever leads then.
    Leader,
    Node(usize),
}

/// Who can be on a side of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Node(usize),
    Client,
    Store,
}

impl From<Party> for Place {
    fn from(party: Party) -> Self {
        match party {
            Party::Node(node) => Self::Node(node),
            Party::Client => Self::Client,
        }
    }
}

/// A process is stopped, and goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) target: Target,
    pub(super) at: Duration,
    pub(super) lasts: Duration,
}

/// A process is killed, and perhaps started again after a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) target: Target,
    pub(super) at: Duration,
    pub(super) back_after: Option<Duration>,
}

/// What is named on one side does not reach what is named on another. What is not named, reaches all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) sides: Vec<Vec<Place>>,
    pub(super) at: Duration,
    pub(super) lasts: Duration,
}

/// A node's wall clock is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Skew {
    pub(super) node: usize,
    pub(super) by_ns: i64,
    pub(super) at: Duration,
}

/// A text that is no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FaultError {
    /// What was given.
    pub(super) text: String,
    /// What is wrong with it.
    pub(super) why: &'static str,
    pub(super) grammar: Grammar,
}

/// How a kind of fault is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grammar {
    pub(super) form: &'static str,
    pub(super) example: &'static str,
}

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, why, grammar: Grammar { form, example } } = self;
        write!(f, "{text:?}: {why}; it must be {form}, as in `{example}`")
    }
}

impl Error for FaultError {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Client => f.write_str("client"),
            Self::Store => f.write_str("store"),
        }
    }
}

/// As it is given on the command line.
impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [at, lasts] = [self.at, self.lasts].map(humantime::format_duration);
        write!(f, "{}@{at}+{lasts}", describe(&self.sides))
    }
}

/// Returns whether one reaches another where these sides do not reach each other.
pub(super) fn reaches(sides: &[Vec<Place>], one: Place, other: Place) -> bool {
    let side = |place| sides.iter().position(|side| side.contains(&place));
    side(one).zip(side(other)).is_none_or(|(one, other)| one == other)
}

/// Returns the sides of a partition as they are given.
pub(super) fn describe(sides: &[Vec<Place>]) -> String {
    let side = |side: &Vec<Place>| {
        let names: Vec<_> = side.iter().map(ToString::to_string).collect();
        names.join(",")
    };
    sides.iter().map(side).collect::<Vec<_>>().join("|")
}
