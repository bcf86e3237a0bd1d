//! The processes of a run, nodes and client, as the one that started them sees them.

use core::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use crossbeam::channel::Sender;

use super::{
    faults::{Place, reaches},
    message::Party,
    wire::{FromProcess, ToProcess},
};
use crate::{
    processes::{self, Process, RunError, StoreHost},
    stores::{Ask, Reply},
};

/// A process that takes part in a run.
#[derive(Debug)]
pub(super) struct Member {
    /// How often a process was started before it, and itself.
    pub(super) incarnation: u64,
    /// Where it listens, once it said so.
    pub(super) address: Option<SocketAddr>,
    pub(super) process: Process,
}

/// What was heard of a process.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) party: Party,
    pub(super) incarnation: u64,
    pub(super) what: processes::Heard<FromProcess>,
}

/// The store, as far as it is reached.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) store: StoreHost,
    /// Who does not reach whom.
    sides: RwLock<Vec<Vec<Place>>>,
}

impl Host {
    pub(super) const fn new(store: StoreHost) -> Self {
        Self { store, sides: RwLock::new(Vec::new()) }
    }

    pub(super) fn cut(&self, sides: &[Vec<Place>]) {
        let mut cut = self.sides.write().unwrap_or_else(PoisonError::into_inner);
        sides.clone_into(&mut cut);
    }

    pub(super) fn sides(&self) -> Vec<Vec<Place>> {
        self.sides.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the store do what a process asks for, if it reaches the store: one that was stopped when it was cut off may not
    /// know of that yet.
    fn answer(&self, party: Party, ask: Ask) -> Option<Reply> {
        reaches(&self.sides(), party.into(), Place::Store).then(|| self.store.answer(ask))
    }
}

impl Member {
    /// Starts a process, whose questions to the store are answered by the thread that listens to it.
    pub(super) fn start(
        party: Party,
        incarnation: u64,
        host: &Arc<Host>,
        heard: Sender<Heard>,
    ) -> Result<Self, RunError> {
        let host = Arc::clone(host);
        let process = Process::start(COMMAND, name(party), move |what, voice| match what {
            processes::Heard::Said(FromProcess::Ask { id, ask }) => {
                if let Some(reply) = host.answer(party, ask) {
                    // Plain numbers and names, which can be told.
                    let _ = voice.tell(&ToProcess::Reply { ask: id, reply });
                }
            }
            // Nobody listens any more once the run has ended.
            what => _ = heard.send(Heard { party, incarnation, what }),
        })?;
        Ok(Self { incarnation, address: None, process })
    }

    pub(super) fn set_port(&mut self, port: u16) {
        self.address = Some((Ipv4Addr::LOCALHOST, port).into());
    }
}

/// Returns what a process is called.
pub(super) fn name(party: Party) -> String {
    match party {
        Party::Node(node) => format!("node-{node}"),
        Party::Client => "client".to_owned(),
    }
}

/// The hidden command of a process.
const COMMAND: &str = "process-of-failover";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_does_not_answer_across_a_partition() {
        let store = StoreHost::open(&"memory".parse().unwrap(), "test").unwrap();
        let host = Host::new(store);
        let answers = |node| host.answer(Party::Node(node), Ask::Floor).is_some();
        assert!(answers(0) && answers(1) && answers(2));
        host.cut(&[vec![Place::Node(0)], vec![Place::Node(1), Place::Store]]);
        assert_eq!(host.sides().len(), 2);
        assert!(!answers(0) && answers(1) && answers(2));
        host.cut(&[]);
        assert!(answers(0));
    }
}
