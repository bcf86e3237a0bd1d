//! The client: it writes through whoever leads, each write until it is acknowledged, and reads what it wrote.

mod calls;
mod session;

use core::error::Error;

use rand::RngExt as _;
use surmise_clock::HybridClock;
use surmise_time::Instant;

use self::{
    calls::Calls,
    session::{Attempt, Reading, Session, State, Writing},
};
use super::{
    history::Note,
    machine::{Actions, Input, Machine, Now},
    message::{Message, Op, Party, Record},
    setup::Setup,
};

/// A client with a few sessions, each of which has one write under way, or reads.
#[derive(Debug)]
pub(super) struct Client {
    nodes: usize,
    hybrid: HybridClock,
    calls: Calls,
    sessions: Vec<Session>,
    /// Who leads, as far as the client knows.
    leader: usize,
    /// The number of the last read.
    reads: u64,
    is_draining: bool,
    is_drained: bool,
}

impl Client {
    pub(super) fn new(setup: &Setup, now: Instant) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self {
            nodes: setup.nodes,
            hybrid: HybridClock::new(setup.max_offset),
            calls: Calls::new(setup.timing, setup.seed)?,
            sessions: (0..SESSIONS).map(|number| Session::new(number, now)).collect(),
            leader: 0,
            reads: 0,
            is_draining: false,
            is_drained: false,
        })
    }

    fn hear(&mut self, from: usize, message: Message, now: Now, out: &mut Actions) {
        match message {
            Message::Written { op, slot, stamp, replayed } => {
                let Some(Session { state, .. }) = self.session_of(op) else { return };
                let State::Writing(Writing { attempts, attempt, .. }) = state else { return };
                let (attempts, attempt) = (*attempts, *attempt);
                if let Attempt::UnderWay { node, sent, .. } = attempt
                    && node == from
                {
                    self.calls.answered(now.at - sent);
                }
                // If its clock is too far ahead, what the session does next may not be ordered after this.
                if self.hybrid.observe(stamp, now.wall).is_err() {
                    out.note(Note::ClockRefused { of: Some(from) });
                }
                self.leader = from;
                out.note(Note::Acknowledged { op, slot, stamp, replayed, attempts });
                let reads = op.number % READS_EVERY == READS_EVERY - 1;
                let state = if reads { self.read(slot, now, out) } else { resting(now) };
                if let Some(session) = self.session_of(op) {
                    session.finish(state);
                }
            }
            Message::Redirect { op, leader } => {
                if let Some(leader) = leader.filter(|&leader| leader < self.nodes) {
                    self.leader = leader;
                }
                let (retry, next) = (self.calls.random(), (from + 1) % self.nodes);
                let Some(Session { state: State::Writing(writing), .. }) = self.session_of(op)
                else {
                    return;
                };
                if writing.is_refused_by(from, retry, now.at) && leader.is_none() {
                    self.leader = next;
                }
            }
            Message::Value { id, record } => self.value(id, record, now, out),
            _ => {}
        }
    }

    /// Reads a place of any node.
    fn read(&mut self, slot: u64, now: Now, out: &mut Actions) -> State {
        self.reads += 2;
        let id = self.reads;
        let node = self.calls.rng().random_range(0..self.nodes);
        out.send(Party::Node(node), Message::Read { id, slot });
        State::Reading(self.calls.read(id, slot, node, now.at))
    }

    fn value(&mut self, id: u64, record: Option<Record>, now: Now, out: &mut Actions) {
        // The backup's number is one more than that of the primary.
        let is_read = |session: &&mut Session| match &session.state {
            State::Reading(reading) => reading.id == id || reading.id + 1 == id,
            _ => false,
        };
        let Some(session) = self.sessions.iter_mut().find(is_read) else { return };
        let State::Reading(reading) = &session.state else { return };
        self.calls.was_read(reading, id != reading.id, now.at);
        let (slot, asked_ns) = (reading.slot, reading.sent.as_nanos());
        let hedged = reading.backup.is_some();
        out.note(Note::Read { slot, record, asked_ns, hedged });
        session.state = resting(now);
    }

    fn tick(&mut self, now: Now, out: &mut Actions) {
        for place in 0..self.sessions.len() {
            let Some(session) = self.sessions.get_mut(place) else { continue };
            match &mut session.state {
                State::Resting { until } if *until <= now.at && !self.is_draining => {
                    let amount = self.calls.rng().random_range(1..=1000);
                    let op = session.begin(amount, self.calls.retries());
                    let stamp = self.hybrid.tick(now.wall);
                    out.note(Note::Invoked { op, amount, stamp });
                    self.attempt(place, now, out);
                }
                State::Writing(writing) => match writing.attempt {
                    Attempt::Waiting { until } if until <= now.at => self.attempt(place, now, out),
                    Attempt::UnderWay { node, sent, deadline } if deadline <= now.at => {
                        self.calls.timed_out(now.at - sent);
                        writing.wait(self.calls.random(), now.at);
                        if self.leader == node {
                            self.leader = (node + 1) % self.nodes;
                        }
                    }
                    _ => {}
                },
                State::Reading(reading) => {
                    if reading.give_up <= now.at {
                        self.calls.was_not_read(reading, now.at);
                        session.state = resting(now);
                    } else if let Some(node) = self.calls.hedges(reading, self.nodes, now.at) {
                        let (id, slot) = (reading.id + 1, reading.slot);
                        out.send(Party::Node(node), Message::Read { id, slot });
                    }
                }
                State::Resting { .. } => {}
            }
        }
        let is_idle = self.sessions.iter().all(Session::is_resting);
        if self.is_draining && is_idle && !self.is_drained {
            self.is_drained = true;
            out.note(Note::Drained);
        }
    }

    /// Sends the write of a session to whoever leads.
    fn attempt(&mut self, place: usize, now: Now, out: &mut Actions) {
        let deadline = now.at + self.calls.timeout();
        let Some(Session { state: State::Writing(writing), .. }) = self.sessions.get_mut(place)
        else {
            return;
        };
        writing.attempts += 1;
        writing.attempt = Attempt::UnderWay { node: self.leader, sent: now.at, deadline };
        let (op, amount, stamp) = (writing.op, writing.amount, self.hybrid.tick(now.wall));
        out.send(Party::Node(self.leader), Message::Write { op, amount, stamp });
    }

    /// Returns the session that has this write under way.
    fn session_of(&mut self, op: Op) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| match &session.state {
            State::Writing(writing) => writing.op == op,
            _ => false,
        })
    }
}

impl Machine for Client {
    fn step(&mut self, input: Input, now: Now, out: &mut Actions) {
        match input {
            Input::Tick | Input::Reply { .. } => {}
            Input::Drain => self.is_draining = true,
            Input::Datagram { from: Party::Client, .. } => {}
            Input::Datagram { from: Party::Node(from), message } => {
                self.hear(from, message, now, out);
            }
        }
        self.tick(now, out);
    }

    fn deadline(&mut self) -> Instant {
        let draining = self.is_draining;
        let deadline = |session: &Session| session.deadline(draining);
        self.sessions.iter().filter_map(deadline).min().unwrap_or(Instant::MAX)
    }
}

fn resting(now: Now) -> State {
    State::Resting { until: now.at + PACE }
}

impl Reading {
    /// Returns when something is to be done about it.
    fn deadline(&self) -> Instant {
        if self.backup.is_some() { self.give_up } else { self.hedge_at.min(self.give_up) }
    }
}

/// So many that the leader always works on something.
pub(super) const SESSIONS: u32 = 4;

/// Each fourth write is read.
const READS_EVERY: u32 = 4;

/// Between two writes of a session.
pub(super) const PACE: core::time::Duration = core::time::Duration::from_millis(5);
