//! What a node does with the store: it asks for the lease, and writes while it has it.

use core::time::Duration;

use surmise_fence::{FencingToken, Grant, Pass};

use super::{
    Node, Wrong,
    asks::{Asked, Purpose},
    service::{Service, Taken, Writing},
    tenure::{Loading, Phase, Tenure},
};
use crate::{
    failover::{
        history::{Note, Why},
        machine::{Actions, Now},
        message::{Message, Op, Party, Record, Writer, key},
    },
    processes::nanos,
    stores::{Ask, Reply},
};

impl Node {
    /// Returns the token of the lease, once the node leads by it.
    pub(super) fn token_in_office(&self) -> Option<FencingToken> {
        let tenure = self.tenure.as_ref()?;
        matches!(tenure.phase, Phase::Serving(_)).then(|| tenure.token())
    }

    /// Takes in what the store says.
    pub(super) fn answer(&mut self, asked: Asked, reply: Reply, now: Now, out: &mut Actions) {
        match asked.purpose {
            Purpose::Acquire { nonce } => self.acquired(nonce, asked, reply, now, out),
            Purpose::Renew => {
                let Some(tenure) = &mut self.tenure else { return };
                match reply {
                    Reply::Granted { token, valid_for } => {
                        tenure.renewed(Some(Grant { token, valid_for }), asked.sent);
                    }
                    Reply::Lost => tenure.renewed(None, asked.sent),
                    // It is asked again when it is due.
                    _ => {}
                }
            }
            Purpose::Raise => self.raised(&reply, now, out),
            Purpose::Load { slot } => self.loaded(slot, reply, now, out),
            Purpose::Write => self.written(reply, now, out),
            Purpose::Read { from, id } => {
                if let Reply::Entry(entry) = reply {
                    let value = entry.and_then(|(value, _)| value);
                    let record = value.and_then(|bytes| Record::from_bytes(&bytes));
                    out.send(from, Message::Value { id, record });
                }
            }
            Purpose::Release => {}
        }
    }

    /// Does what a leader has to do now.
    pub(super) fn lead(&mut self, now: Now, out: &mut Actions) {
        self.write_next(now, out);
        let is_cut_off = !self.watch.is_in_majority();
        let Some(tenure) = &mut self.tenure else { return };
        if is_cut_off {
            tenure.over.get_or_insert(Why::CutOff);
        }
        if tenure.renews(now.at) {
            let (token, ttl) = (tenure.token(), self.setup.timing.lease);
            let ask = self.asks.ask(Purpose::Renew, now.at);
            out.ask(ask, Ask::Extend { token, ttl });
        }
        let is_idle = match &tenure.phase {
            Phase::Serving(service) => service.is_idle(),
            Phase::Raising | Phase::Loading(_) => true,
        };
        // What it works on, it finishes: whoever computes does not look at a lease.
        if let Some(why) = tenure.over.filter(|_| is_idle) {
            self.step_down(why, now, out);
        }
    }

    /// Takes a request: the last look at the lease before the write.
    pub(super) fn request(
        &mut self,
        from: Party,
        op: Op,
        amount: u32,
        now: Now,
        out: &mut Actions,
    ) {
        let due = now.at + self.setup.timing.work;
        let taken = match &mut self.tenure {
            Some(tenure) if tenure.is_open(now.at) => match &mut tenure.phase {
                Phase::Serving(service) => Some(service.take(from, op, amount, due, now.at)),
                Phase::Raising | Phase::Loading(_) => None,
            },
            _ => None,
        };
        match taken {
            None => self.redirect(from, op, now, out),
            Some(Taken::Queued | Taken::Refused) => {}
            Some(Taken::Replay(done)) => {
                out.note(Note::Replayed { op, slot: done.slot });
                let (slot, stamp) = (done.slot, done.stamp);
                out.send(from, Message::Written { op, slot, stamp, replayed: true });
            }
        }
    }

    fn acquired(&mut self, nonce: u64, asked: Asked, reply: Reply, now: Now, out: &mut Actions) {
        self.candidacy.is_asking = false;
        let retry_in = match reply {
            Reply::Granted { token, valid_for } => {
                // The next request is another one.
                self.candidacy.requests += 1;
                self.candidacy.try_at = None;
                let grant = Grant { token, valid_for };
                let spacing = self.setup.timing.lease / 6;
                self.tenure = Tenure::new(grant, nonce, asked.sent, spacing);
                out.note(Note::Granted { token, valid_ns: nanos(valid_for) });
                return self.begin(now, out);
            }
            Reply::Held { holder, remaining, .. } => {
                if !core::mem::replace(&mut self.candidacy.was_held, true) {
                    out.note(Note::Held { by: holder, remaining_ns: nanos(remaining) });
                }
                remaining
            }
            Reply::Delayed { remaining } => remaining,
            // It may have been granted: the same request is asked again.
            _ => self.setup.timing.heartbeat,
        };
        // It may be given back before it is over.
        let retry_in = retry_in.clamp(SHORTEST_WAIT, self.setup.timing.heartbeat * 2);
        self.candidacy.try_at = Some(now.at + retry_in);
    }

    /// Shuts the leader before out, and then reads what it left. Without a fence, only that.
    fn begin(&mut self, now: Now, out: &mut Actions) {
        let Some(tenure) = &mut self.tenure else { return };
        if self.setup.fenced {
            let pass = tenure.pass();
            let ask = self.asks.ask(Purpose::Raise, now.at);
            out.ask(ask, Ask::RaiseFloor { pass });
        } else {
            tenure.phase = Phase::Loading(Loading::default());
            self.load(now, out);
        }
    }

    fn raised(&mut self, reply: &Reply, now: Now, out: &mut Actions) {
        let Some(tenure) = &mut self.tenure else { return };
        match reply {
            Reply::Done => {
                out.note(Note::FloorRaised { token: tenure.token() });
                tenure.phase = Phase::Loading(Loading::default());
                self.load(now, out);
            }
            Reply::Stale { .. } => self.step_down(Why::Refused, now, out),
            Reply::Failed(_) => _ = self.asks.ask(Purpose::Raise, now.at),
            _ => self.begin(now, out),
        }
    }

    fn load(&mut self, now: Now, out: &mut Actions) {
        let Some(Tenure { phase: Phase::Loading(loading), .. }) = &mut self.tenure else { return };
        while let Some(slot) = loading.next() {
            let ask = self.asks.ask(Purpose::Load { slot }, now.at);
            out.ask(ask, Ask::Read { key: key(slot) });
        }
        let Some(log) = loading.log() else { return };
        // What is there was before what will be.
        let observed = log.iter().all(|record| self.hybrid.observe(record.stamp, now.wall).is_ok());
        let service = Service::new(&log, now.at).ok().filter(|_| observed);
        match (service, &mut self.tenure) {
            (Some(service), Some(tenure)) => {
                tenure.phase = Phase::Serving(Box::new(service));
                let records = u64::try_from(log.len()).unwrap_or(u64::MAX);
                out.note(Note::Leads { token: tenure.token(), records });
                // Nobody has to wait for the next heartbeat to know.
                self.beat(true, now, out);
            }
            _ => {
                self.wrong(Wrong::Clock { of: None }, out);
                self.step_down(Why::Unusable, now, out);
            }
        }
    }

    fn loaded(&mut self, slot: u64, reply: Reply, now: Now, out: &mut Actions) {
        let Some(Tenure { phase: Phase::Loading(loading), .. }) = &mut self.tenure else { return };
        match reply {
            Reply::Entry(entry) => {
                let value = entry.and_then(|(value, _)| value);
                match value.map(|bytes| Record::from_bytes(&bytes)) {
                    Some(None) => return self.step_down(Why::Unusable, now, out),
                    Some(Some(record)) => loading.loaded(slot, Some(record)),
                    None => loading.loaded(slot, None),
                }
                self.load(now, out);
            }
            Reply::Failed(_) => _ = self.asks.ask(Purpose::Load { slot }, now.at),
            _ => {
                let ask = self.asks.ask(Purpose::Load { slot }, now.at);
                out.ask(ask, Ask::Read { key: key(slot) });
            }
        }
    }

    /// Writes what was worked on long enough.
    fn write_next(&mut self, now: Now, out: &mut Actions) {
        let Some(tenure) = &mut self.tenure else { return };
        let (token, sequence) = (tenure.token(), tenure.sequence + 1);
        let Phase::Serving(service) = &mut tenure.phase else { return };
        let Some((work, slot)) = service.ready(now.at) else { return };
        tenure.sequence = sequence;
        let stamp = self.hybrid.tick(now.wall);
        let writer = Writer { node: self.me, incarnation: self.incarnation };
        let record = Record { op: work.op, amount: work.amount, writer, token, stamp };
        service.begin(Writing { work, slot, record, sequence, sent: now.at });
        self.write(now, out);
    }

    /// Asks for the write that is under way, or asks again: it is the same one, by its number.
    fn write(&mut self, now: Now, out: &mut Actions) {
        let Some(tenure) = &self.tenure else { return };
        let Phase::Serving(service) = &tenure.phase else { return };
        let Some(writing) = service.writing() else { return };
        let pass = if self.setup.fenced {
            tenure.pass().with_sequence(writing.sequence)
        } else {
            // Equal tokens are the same holder's, and what has no number is written whatever is there.
            Pass::from(FencingToken::first(0))
        };
        let (key, value) = (key(writing.slot), Some(writing.record.to_bytes()));
        let ask = self.asks.ask(Purpose::Write, now.at);
        out.ask(ask, Ask::Apply { key, value, pass });
    }

    fn written(&mut self, reply: Reply, now: Now, out: &mut Actions) {
        let Some(tenure) = &mut self.tenure else { return };
        let Phase::Serving(service) = &mut tenure.phase else { return };
        let Some(writing) = service.writing() else { return };
        match reply {
            Reply::Done | Reply::Duplicate { .. } => {
                let sent_ns = writing.sent.as_nanos();
                let Some((to, record, done)) = service.finish(now.at) else { return };
                out.note(Note::Applied { slot: done.slot, record, sent_ns });
                let (op, slot, stamp) = (record.op, done.slot, done.stamp);
                out.send(to, Message::Written { op, slot, stamp, replayed: false });
            }
            Reply::Stale { offered, highest } => {
                let (slot, op) = (writing.slot, writing.work.op);
                out.note(Note::Refused { slot, op, offered, highest });
                self.step_down(Why::Refused, now, out);
            }
            // Nobody answers, and nobody has to.
            Reply::Indeterminate(_) | Reply::Failed(_) if tenure.over.is_some() => {
                let why = tenure.over.unwrap_or(Why::Expired);
                self.step_down(why, now, out);
            }
            Reply::Failed(_) => _ = self.asks.ask(Purpose::Write, now.at),
            Reply::Indeterminate(_) => self.write(now, out),
            _ => self.step_down(Why::Unusable, now, out),
        }
    }

    fn step_down(&mut self, why: Why, now: Now, out: &mut Actions) {
        let Some(tenure) = self.tenure.take() else { return };
        let token = tenure.token();
        self.asks.forget_tenure();
        if matches!(why, Why::CutOff | Why::Unusable) {
            // Nobody need wait until it is over.
            let ask = self.asks.ask(Purpose::Release, now.at);
            out.ask(ask, Ask::Revoke { token });
        }
        out.note(Note::SteppedDown { token, why });
        // The others have the first turn.
        self.candidacy.try_at = Some(now.at + self.setup.timing.detection / 2);
        self.beat(true, now, out);
    }
}

/// A store that says it is over in no time is not asked without a pause.
const SHORTEST_WAIT: Duration = Duration::from_millis(2);
