//! The processes of a run, as the one that started them sees them.

use core::net::{Ipv4Addr, SocketAddr};
use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{ChildStdin, ChildStdout},
    sync::{Arc, PoisonError, RwLock},
    thread::{self, JoinHandle},
};

use crossbeam::channel::{self, Sender};

use super::{
    error::FailoverError,
    faults::{Place, reaches},
    message::Party,
    wire::{FromProcess, ToProcess},
};
use crate::{
    processes::{ChildProcess, pipe},
    stores::{Ask, Opened, Reply, answer},
};

/// A process. When this is dropped, it is killed, also if it is stopped, and all that it said was heard and answered.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) party: Party,
    /// How often a process was started in this place.
    pub(super) incarnation: u64,
    pub(super) address: Option<SocketAddr>,
    child: ChildProcess,
    pub(super) is_stopped: bool,
    /// What it is told, by a thread that may have to wait for one that is stopped.
    told: Sender<Vec<u8>>,
    listener: Option<JoinHandle<()>>,
}

/// What was heard of a process.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) party: Party,
    pub(super) incarnation: u64,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Said(FromProcess),
    /// It ended, or says what nobody understands.
    Ended(Option<io::Error>),
}

/// The store, and what the processes call what they have there.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) opened: Opened,
    pub(super) resource: String,
    /// Who does not reach whom.
    sides: RwLock<Vec<Vec<Place>>>,
}

impl Host {
    pub(super) const fn new(opened: Opened, resource: String) -> Self {
        Self { opened, resource, sides: RwLock::new(Vec::new()) }
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
        reaches(&self.sides(), party.into(), Place::Store).then(|| {
            self.opened.runtime().block_on(answer(self.opened.store(), &self.resource, ask))
        })
    }
}

impl Actor {
    /// Starts a process, whose questions to the store are answered by a thread of its own.
    pub(super) fn start(
        party: Party,
        incarnation: u64,
        host: &Arc<Host>,
        heard: &Sender<Heard>,
    ) -> Result<Self, FailoverError> {
        let failed = |error| FailoverError::Process { name: name(party), error };
        let (child, input, output) = ChildProcess::start(COMMAND).map_err(failed)?;
        let (told, lines) = channel::unbounded();
        thread::spawn(move || tell(input, &lines));
        let (replies, host, heard) = (told.clone(), Arc::clone(host), heard.clone());
        let listener = thread::spawn(move || {
            let ended = listen(party, output, &host, &replies, |what| {
                heard.send(Heard { party, incarnation, what }).is_ok()
            });
            let _ = heard.send(Heard { party, incarnation, what: What::Ended(ended) });
        });
        Ok(Self {
            party,
            incarnation,
            address: None,
            child,
            is_stopped: false,
            told,
            listener: Some(listener),
        })
    }

    /// Says something to it, which it hears when it goes on. One that was killed hears nothing.
    pub(super) fn tell(&self, message: &ToProcess) -> Result<(), FailoverError> {
        let line = pipe::line(message);
        let line =
            line.map_err(|error| FailoverError::Process { name: name(self.party), error })?;
        let _ = self.told.send(line);
        Ok(())
    }

    pub(super) fn set_port(&mut self, port: u16) {
        self.address = Some((Ipv4Addr::LOCALHOST, port).into());
    }

    pub(super) fn stop(&mut self) -> Result<(), FailoverError> {
        self.is_stopped = true;
        self.child.stop().map_err(|error| FailoverError::Process { name: name(self.party), error })
    }

    pub(super) fn resume(&mut self) -> Result<(), FailoverError> {
        self.is_stopped = false;
        let failed = |error| FailoverError::Process { name: name(self.party), error };
        self.child.resume().map_err(failed)
    }

    pub(super) fn process(&self) -> u32 {
        self.child.process()
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.child.kill();
        if let Some(listener) = self.listener.take() {
            // It does not panic, and nothing would follow from it.
            let _ = listener.join();
        }
    }
}

/// Returns what a process is called.
pub(super) fn name(party: Party) -> String {
    match party {
        Party::Node(node) => format!("node-{node}"),
        Party::Client => "client".to_owned(),
    }
}

fn tell(mut input: ChildStdin, lines: &channel::Receiver<Vec<u8>>) {
    for line in lines {
        if input.write_all(&line).is_err() {
            return;
        }
    }
}

/// Passes on what a process says until it ends, and answers what it asks.
fn listen(
    party: Party,
    output: ChildStdout,
    host: &Host,
    replies: &Sender<Vec<u8>>,
    pass_on: impl Fn(What) -> bool,
) -> Option<io::Error> {
    for line in BufReader::new(output).lines() {
        match line.and_then(|line| Ok(serde_json::from_str(&line)?)) {
            Ok(FromProcess::Ask { id, ask }) => {
                let Some(reply) = host.answer(party, ask) else { continue };
                if let Ok(line) = pipe::line(&ToProcess::Reply { ask: id, reply }) {
                    let _ = replies.send(line);
                }
            }
            Ok(said) => {
                if !pass_on(What::Said(said)) {
                    return None;
                }
            }
            Err(error) => return Some(error),
        }
    }
    None
}

/// The hidden command of a process.
const COMMAND: &str = "failover-process";
