//! One of the processes: sockets, pipes and clocks around a machine.

mod network;
mod store;

use core::error::Error;
use std::{io, thread};

use crossbeam::channel::{self, Receiver, RecvTimeoutError, Sender};
use surmise_time::{BootClock, MonotonicClock as _, OsWallClock, WallClock as _, WallTime};

use self::{network::Sockets, store::StoreLink};
use super::{
    client::Client,
    faults::{Place, reaches},
    machine::{Action, Actions, Input, Machine, Now},
    message::{Message, Party},
    node::Node,
    wire::{Beginning, FromProcess, Role, ToProcess},
};
use crate::{
    processes::{die_with_parent, pipe},
    stores::Reply,
};

type AnyError = Box<dyn Error + Send + Sync>;

/// Does what it is to be, until its standard input ends.
pub(super) fn run() -> io::Result<()> {
    die_with_parent()?;
    let Some(ToProcess::Begin(beginning)) = pipe::receive()? else { return Ok(()) };
    match begin(*beginning) {
        Ok(Some(mut process)) => process.run(),
        Ok(None) => Ok(()),
        Err(error) => pipe::send(&FromProcess::Failed(error.to_string())),
    }
}

/// What a process hears.
#[derive(Debug)]
enum Heard {
    Told(ToProcess),
    Datagram {
        from: Party,
        message: Message,
    },
    /// The store that it asks itself answers.
    Reply {
        ask: u64,
        reply: Reply,
    },
    /// Nobody tells it anything any more.
    Ended,
}

struct Process {
    machine: Box<dyn Machine>,
    me: Place,
    sockets: Sockets,
    store: StoreLink,
    heard: Receiver<Heard>,
    /// Who does not reach whom.
    sides: Vec<Vec<Place>>,
    skew_ns: i64,
}

/// Makes ready, and waits for the run to begin.
fn begin(beginning: Beginning) -> Result<Option<Process>, AnyError> {
    let (sender, heard) = channel::unbounded();
    let mut sockets = Sockets::open(&beginning, sender.clone())?;
    let store = StoreLink::open(&beginning, sender.clone())?;
    pipe::send(&FromProcess::Ready { port: sockets.port()? })?;
    let Some(ToProcess::Addresses(addresses)) = pipe::receive()? else { return Ok(None) };
    sockets.set_addresses(addresses);
    let now = BootClock.now();
    let (machine, me): (Box<dyn Machine>, _) = match beginning.role {
        Role::Node { me, incarnation } => {
            (Box::new(Node::new(beginning.setup, me, incarnation, now)?), Place::Node(me))
        }
        Role::Client => (Box::new(Client::new(&beginning.setup, now)?), Place::Client),
    };
    let (sides, skew_ns) = (beginning.sides, beginning.skew_ns);
    thread::spawn(move || listen(&sender));
    Ok(Some(Process { machine, me, sockets, store, heard, sides, skew_ns }))
}

/// Passes on what the process is told.
fn listen(heard: &Sender<Heard>) {
    while let Ok(Some(told)) = pipe::receive() {
        if heard.send(Heard::Told(told)).is_err() {
            return;
        }
    }
    let _ = heard.send(Heard::Ended);
}

impl Process {
    fn run(&mut self) -> io::Result<()> {
        self.step(Input::Tick)?;
        loop {
            let deadline = self.machine.deadline();
            let deadline = self.sockets.deadline().map_or(deadline, |due| due.min(deadline));
            let input = match self.heard.recv_timeout(deadline - BootClock.now()) {
                Ok(Heard::Ended) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(heard) => self.hear(heard),
                Err(RecvTimeoutError::Timeout) => Some(Input::Tick),
            };
            if let Some(input) = input {
                self.step(input)?;
            }
            self.sockets.send_due(BootClock.now());
        }
    }

    /// Returns what the machine is to be told of it.
    fn hear(&mut self, heard: Heard) -> Option<Input> {
        match heard {
            Heard::Datagram { from, message } => {
                self.reaches(from.into()).then_some(Input::Datagram { from, message })
            }
            Heard::Reply { ask, reply } | Heard::Told(ToProcess::Reply { ask, reply }) => {
                self.reaches(Place::Store).then_some(Input::Reply { ask, reply })
            }
            Heard::Told(ToProcess::Addresses(addresses)) => {
                self.sockets.set_addresses(addresses);
                None
            }
            Heard::Told(ToProcess::Sides(sides)) => {
                self.sides = sides;
                None
            }
            Heard::Told(ToProcess::Skew { by_ns }) => {
                self.skew_ns = self.skew_ns.saturating_add(by_ns);
                None
            }
            Heard::Told(ToProcess::Drain) => Some(Input::Drain),
            Heard::Told(ToProcess::Begin(_)) | Heard::Ended => None,
        }
    }

    fn step(&mut self, input: Input) -> io::Result<()> {
        let wall = OsWallClock.now().as_nanos().saturating_add_signed(self.skew_ns);
        let now = Now { at: BootClock.now(), wall: WallTime::from_nanos(wall) };
        let mut actions = Actions::default();
        self.machine.step(input, now, &mut actions);
        for action in actions.drain() {
            match action {
                Action::Send { to, message } => {
                    if self.reaches(to.into()) {
                        self.sockets.offer(to, &message, now.at);
                    }
                }
                Action::Ask { id, ask } if self.reaches(Place::Store) => self.store.ask(id, ask)?,
                // It is lost on the way.
                Action::Ask { .. } => {}
                Action::Note(note) => {
                    let at_ns = now.at.as_nanos();
                    pipe::send(&FromProcess::Noted { at_ns, note })?;
                }
            }
        }
        Ok(())
    }

    fn reaches(&self, other: Place) -> bool {
        reaches(&self.sides, self.me, other)
    }
}
