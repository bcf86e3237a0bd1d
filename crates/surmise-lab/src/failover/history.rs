//! What happened in a run, as those noted it to whom it happened.

use serde::{Deserialize, Serialize};
use surmise_clock::HybridTimestamp;
use surmise_fence::{FencingToken, Pass};

use super::{
    faults::Place,
    message::{Op, Party, Record},
};

/// All of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct History {
    /// In the order in which they were heard of, which is that of time for each that noted them.
    pub(super) entries: Vec<Entry>,
    /// What is in the store at the end, by place.
    pub(super) log: Vec<Option<Stored>>,
    /// Whether each writer was to show the token of its own lease.
    pub(super) fenced: bool,
}

impl History {
    /// Reads the log: up to where nothing is, and as far as anybody is known to have written.
    pub(super) fn read_log<E>(
        &self,
        mut read: impl FnMut(u64) -> Result<Option<surmise_store::Entry>, E>,
    ) -> Result<Vec<Option<Stored>>, E> {
        let written = self.entries.iter().filter_map(|happened| match happened.note {
            Note::Applied { slot, .. } | Note::Acknowledged { slot, .. } => Some(slot),
            _ => None,
        });
        let last = written.max();
        let mut log = Vec::new();
        for slot in 0.. {
            let stored = read(slot)?.and_then(|entry| Stored::of(&entry));
            if stored.is_none() && last.is_none_or(|last| slot > last) {
                break;
            }
            log.push(stored);
        }
        Ok(log)
    }
}

/// What is at a place of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Stored {
    /// As its writer has it.
    #[serde(flatten)]
    pub(super) record: Record,
    /// What the writer showed, as the store has it.
    pub(super) pass: Pass,
}

impl Stored {
    fn of(entry: &surmise_store::Entry) -> Option<Self> {
        let record = Record::from_bytes(entry.value.as_deref()?)?;
        Some(Self { record, pass: entry.pass })
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// By the clock that all processes of a machine have in common.
    pub(super) at_ns: u64,
    pub(super) who: Who,
    #[serde(flatten)]
    pub(super) note: Note,
}

/// To whom it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Who {
    Node(usize),
    Client,
    /// Done to a node by whoever directs the run.
    Director,
}

impl From<Party> for Who {
    fn from(party: Party) -> Self {
        match party {
            Party::Node(node) => Self::Node(node),
            Party::Client => Self::Client,
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Note {
    /// A process is there.
    Started {
        process: u32,
    },
    /// A node did nothing for so long, as its monitor sees it.
    Stalled {
        gap_ns: u64,
    },
    Suspected {
        peer: usize,
        silent_ns: u64,
        phi: f64,
    },
    Trusted {
        peer: usize,
        again: bool,
    },
    /// How much each peer is suspected now.
    Phi {
        levels: Vec<Level>,
    },
    /// A majority suspects a node.
    Convicted {
        subject: usize,
        suspecting: usize,
        nodes: usize,
    },
    /// The lease was asked for, and is another's.
    Held {
        by: String,
        remaining_ns: u64,
    },
    Granted {
        token: FencingToken,
        valid_ns: u64,
    },
    /// Nobody with a lesser token writes any more.
    FloorRaised {
        token: FencingToken,
    },
    /// The log was read, and requests are taken.
    Leads {
        token: FencingToken,
        records: u64,
    },
    /// A write was done, which was asked for at `sent_ns`.
    Applied {
        slot: u64,
        record: Record,
        sent_ns: u64,
    },
    /// A write was refused.
    Refused {
        slot: u64,
        op: Op,
        offered: FencingToken,
        highest: FencingToken,
    },
    /// A write was asked for again that had been done.
    Replayed {
        op: Op,
        slot: u64,
    },
    SteppedDown {
        token: FencingToken,
        why: Why,
    },
    /// Another leads in a term that is over, or in that of a third.
    Alarm {
        leader: usize,
        term: u64,
    },
    /// The clock of a peer, or of whoever wrote a request or a record, is ahead by more than the bound.
    ClockRefused {
        of: Option<usize>,
    },
    /// The client began a write, with a stamp that it sends along.
    Invoked {
        op: Op,
        amount: u32,
        stamp: HybridTimestamp,
    },
    /// It was acknowledged, after so many attempts.
    Acknowledged {
        op: Op,
        slot: u64,
        stamp: HybridTimestamp,
        replayed: bool,
        attempts: u32,
    },
    /// The client read a place that it knows to be written.
    Read {
        slot: u64,
        record: Option<Record>,
        asked_ns: u64,
        hedged: bool,
    },
    /// The client has no write under way, and begins no more.
    Drained,
    /// What was done to the nodes.
    Paused {
        node: usize,
    },
    Resumed {
        node: usize,
    },
    Killed {
        node: usize,
    },
    Restarted {
        node: usize,
    },
    Cut {
        sides: Vec<Vec<Place>>,
    },
    Healed,
    Skewed {
        node: usize,
        by_ns: i64,
    },
    /// What is to be known of the store.
    Store {
        note: String,
    },
    /// A process was to be stopped or killed, and was gone or stopped already; without a node, nobody led.
    Missed {
        fault: String,
        node: Option<usize>,
    },
}

/// How much one peer is suspected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Level {
    pub(super) peer: usize,
    pub(super) phi: f64,
}

/// Why a node does not lead any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Why {
    /// The store refused what it wrote.
    Refused,
    /// Its lease is over.
    Expired,
    /// It heard of one with a greater token.
    Superseded,
    /// It does not hear of a majority, so that it gave its lease back.
    CutOff,
    /// It cannot go on from what is in the store.
    Unusable,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failover::message::Writer;

    fn record() -> Record {
        let (op, writer) = (Op { session: 0, number: 0 }, Writer { node: 0, incarnation: 1 });
        Record { op, amount: 1, writer, token: FencingToken::first(1), stamp: HybridTimestamp::MIN }
    }

    /// Returns the log of which only these places are there, where this one is known to have been written.
    fn log(places: &[u64], written: Option<u64>) -> Vec<Option<Stored>> {
        let note = |slot| Note::Applied { slot, record: record(), sent_ns: 0 };
        let entry = |slot| Entry { at_ns: 0, who: Who::Node(0), note: note(slot) };
        let history =
            History { entries: written.map(entry).into_iter().collect(), ..History::default() };
        let read = |slot: u64| {
            let value = places.contains(&slot).then(|| record().to_bytes());
            let entry = surmise_store::Entry::new(value, Pass::from(FencingToken::first(1)));
            Ok::<_, ()>(Some(entry))
        };
        history.read_log(read).unwrap()
    }

    #[test]
    fn a_log_is_read_behind_its_holes() {
        let there = |places: &[u64], written| {
            log(places, written).iter().map(Option::is_some).collect::<Vec<_>>()
        };
        assert_eq!(there(&[0, 1], None), [true, true]);
        assert_eq!(there(&[0, 2], None), [true]);
        assert_eq!(there(&[0, 2], Some(2)), [true, false, true]);
        assert_eq!(there(&[0, 2, 3], Some(2)), [true, false, true, true]);
        assert_eq!(there(&[0], Some(2)), [true, false, false]);
    }

    #[test]
    fn what_was_shown_is_read_along() {
        let stored = Stored { record: record(), pass: Pass::from(FencingToken::first(1)) };
        assert_eq!(log(&[0], None), [Some(stored)]);
    }
}
