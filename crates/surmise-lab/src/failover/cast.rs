//! The processes of a run, as the one that started them sees them.

use core::net::{Ipv4Addr, SocketAddr};
use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{ChildStdin, ChildStdout},
    sync::Arc,
    thread::{self, JoinHandle},
};

use crossbeam::channel::{self, Sender};

use super::{
    error::FailoverError,
    message::Party,
    wire::{FromProcess, ToProcess},
};
use crate::{
    processes::{ChildProcess, pipe},
    stores::{Opened, answer},
};

/// A process. When this is dropped, it is killed, also if it is stopped, and all that it said was heard and answered.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) party: Party,
    /// How often a process was started in this place.
    pub(super) incarnation: u64,
    pub(super) address: Option<SocketAddr>,
    child: ChildProcess,
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
    pub(super) opened: Arc<Opened>,
    pub(super) resource: String,
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
            let ended = listen(output, &host, &replies, |what| {
                heard.send(Heard { party, incarnation, what }).is_ok()
            });
            let _ = heard.send(Heard { party, incarnation, what: What::Ended(ended) });
        });
        Ok(Self { party, incarnation, address: None, child, told, listener: Some(listener) })
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

    pub(super) fn stop(&self) -> Result<(), FailoverError> {
        self.child.stop().map_err(|error| FailoverError::Process { name: name(self.party), error })
    }

    pub(super) fn resume(&self) -> Result<(), FailoverError> {
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
    output: ChildStdout,
    host: &Host,
    replies: &Sender<Vec<u8>>,
    pass_on: impl Fn(What) -> bool,
) -> Option<io::Error> {
    for line in BufReader::new(output).lines() {
        match line.and_then(|line| Ok(serde_json::from_str(&line)?)) {
            Ok(FromProcess::Ask { id, ask }) => {
                let (store, resource) = (host.opened.store(), &host.resource);
                let reply = host.opened.runtime().block_on(answer(store, resource, ask));
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
