//! What the nodes and the client say to each other, one datagram each.

use serde::{Deserialize, Serialize};
use surmise_clock::HybridTimestamp;
use surmise_fence::FencingToken;
use surmise_quorum::Opinion;

/// Whoever sends and receives datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Party {
    Node(usize),
    Client,
}

impl Party {
    /// Returns its place in the list of addresses, in which the client stands behind `nodes` nodes.
    pub(super) const fn place(self, nodes: usize) -> usize {
        match self {
            Self::Node(node) => node,
            Self::Client => nodes,
        }
    }

    /// Returns who has a place in that list.
    pub(super) const fn at(place: usize, nodes: usize) -> Self {
        if place < nodes { Self::Node(place) } else { Self::Client }
    }
}

/// What a datagram says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Message {
    Heartbeat(Heartbeat),
    /// The client has something written.
    Write {
        op: Op,
        amount: u32,
        stamp: HybridTimestamp,
    },
    /// It is written, now or before.
    Written {
        op: Op,
        slot: u64,
        stamp: HybridTimestamp,
        replayed: bool,
    },
    /// The node does not lead.
    Redirect {
        op: Op,
        leader: Option<usize>,
    },
    /// The client reads a place of the log, of any node.
    Read {
        id: u64,
        slot: u64,
    },
    /// What is there.
    Value {
        id: u64,
        record: Option<Record>,
    },
}

/// What a node says to all others at each interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heartbeat {
    pub(super) incarnation: u64,
    /// It counts intervals, not datagrams: a sender that was stopped goes on where it should be.
    pub(super) sequence: u64,
    pub(super) stamp: HybridTimestamp,
    /// The token of its lease, if it leads.
    pub(super) leads: Option<FencingToken>,
    /// The latest votes that it knows, its own among them.
    pub(super) votes: Vec<Vote>,
}

/// What an observer thinks of all nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Vote {
    pub(super) observer: usize,
    pub(super) sequence: u64,
    pub(super) opinions: Vec<Opinion>,
}

/// A write of the client: its idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Op {
    pub(super) session: u32,
    /// Counted from 0. A session begins a write when the one before is acknowledged.
    pub(super) number: u32,
}

/// What is written at one place of the log: the effect of a write and its idempotency key, which so are there together
/// or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) op: Op,
    pub(super) amount: u32,
    /// Who wrote it, and by which lease: also where there is no fence, so that it can be seen what went wrong.
    pub(super) writer: Writer,
    pub(super) token: FencingToken,
    pub(super) stamp: HybridTimestamp,
}

/// One life of a node: whoever is started again knows nothing of what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Writer {
    pub(super) node: usize,
    pub(super) incarnation: u64,
}

impl Record {
    /// Returns the record that is in the store, if it is one.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        serde_json::to_vec(&self).expect("plain numbers")
    }
}

/// Returns the key of a place of the log.
pub(super) fn key(slot: u64) -> Vec<u8> {
    slot.to_be_bytes().to_vec()
}

impl core::fmt::Display for Writer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "node-{} (incarnation {})", self.node, self.incarnation)
    }
}

impl core::fmt::Display for Op {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}-{}", self.session, self.number)
    }
}
