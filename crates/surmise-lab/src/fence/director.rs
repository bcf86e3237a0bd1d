use core::time::Duration;

use surmise_fence::FencingToken;
use surmise_time::{BootClock, Instant, MonotonicClock as _};

use super::{
    args::FenceArgs,
    error::FenceError,
    host::Host,
    ledger::Deposit,
    node::{Inbox, Node},
    timeline::Timeline,
    verdict::{Fate, Verdict},
    wire::{FromHolder, Step, ToHolder, What, nanos},
};

/// Tells the processes what to do when, and notes what they did.
#[derive(Debug)]
pub(super) struct Director<'a> {
    // Killed before anything else ends.
    first: Node,
    second: Node,
    inbox: Inbox,
    args: &'a FenceArgs,
    host: &'a Host,
    timeline: &'a mut Timeline,
    acknowledged: Vec<Deposit>,
}

/// One of the two processes.
#[derive(Clone, Copy, Debug)]
enum Who {
    First,
    Second,
}

/// What the first process writes.
const OPENING: u32 = 100;
/// What the second adds.
const SECONDS: u32 = 30;
/// What the first adds too late.
const LATE: u32 = 5;

impl<'a> Director<'a> {
    /// Starts the processes.
    pub(super) fn start(
        args: &'a FenceArgs,
        host: &'a Host,
        timeline: &'a mut Timeline,
    ) -> Result<Self, FenceError> {
        let inbox = Inbox::on_interrupt()?;
        let first = Node::start("node-a", &inbox)?;
        let second = Node::start("node-b", &inbox)?;
        let acknowledged = Vec::new();
        let mut director = Self { first, second, inbox, args, host, timeline, acknowledged };
        // Both are there before there is a lease, of which their start would take a part.
        for who in [Who::First, Who::Second] {
            let setup = host.setup(director.node(who).name(), args);
            director.node(who).send(&ToHolder::Begin(setup))?;
            director.hear(who)?;
        }
        Ok(director)
    }

    /// Has it all happen.
    pub(super) fn play(mut self) -> Result<Verdict, FenceError> {
        let (token, over) = self.hold()?;
        self.first.stop()?;
        let process = self.first.process();
        let paused = self.note(What::Paused { process })?;
        self.take_over(over, What::LeaseOver { token })?;
        self.deposit(Who::Second, SECONDS)?;
        self.inbox.wait_until(paused + self.args.pause)?;

        // It is told while it stands still: what it does next was decided before.
        self.first.send(&ToHolder::Step(Step::Write))?;
        let paused_ns = nanos(BootClock.now() - paused);
        self.note(What::Resumed { process, paused_ns })?;
        self.first.resume()?;
        let late = match self.hear(Who::First)?.1 {
            What::Acknowledged { .. } => Fate::Acknowledged,
            What::Refused { .. } => Fate::Refused,
            _ => Fate::Unclear,
        };
        self.step(Who::First, Step::Look)?;
        self.step(Who::Second, Step::Release)?;
        let stored = self.host.read()?;
        Ok(Verdict::new(!self.args.unfenced, stored, self.acknowledged, late))
    }

    /// Has the first process hold the lease, write, and be about to write again. Returns its token, and when its lease is
    /// over.
    fn hold(&mut self) -> Result<(FencingToken, Instant), FenceError> {
        let token = match self.step(Who::First, Step::Acquire)?.1 {
            What::Granted { token, .. } => token,
            other => return Err(self.unexpected(Who::First, &other)),
        };
        self.deposit(Who::First, OPENING)?;
        match self.step(Who::First, Step::Prepare { amount: LATE })? {
            (at, What::Prepared { remaining_ns, .. }) => {
                Ok((token, at + Duration::from_nanos(remaining_ns)))
            }
            (_, other) => Err(self.unexpected(Who::First, &other)),
        }
    }

    /// Has a new holder write as it should: it raises the floor before it reads.
    fn deposit(&mut self, who: Who, amount: u32) -> Result<(), FenceError> {
        if !self.args.unfenced {
            match self.step(who, Step::Raise)?.1 {
                What::FloorRaised { .. } => {}
                other => return Err(self.unexpected(who, &other)),
            }
        }
        self.step(who, Step::Prepare { amount })?;
        match self.step(who, Step::Write)?.1 {
            What::Acknowledged { .. } => Ok(()),
            other => Err(self.unexpected(who, &other)),
        }
    }

    /// Has the second process ask for the lease, at once and when it is over, until it is granted.
    fn take_over(&mut self, over: Instant, lease_over: What) -> Result<(), FenceError> {
        let give_up = over + self.args.lease + PATIENCE;
        let mut lease_over = Some(lease_over);
        loop {
            self.send(Who::Second, Step::Acquire)?;
            let (at, what) = self.listen(Who::Second)?;
            let remaining_ns = match what {
                What::Granted { token, valid_for_ns } => {
                    let what = What::TakenOver { token, valid_for_ns };
                    return self.timeline.note(self.second.name(), at, what);
                }
                What::Held { remaining_ns, .. } | What::Delayed { remaining_ns } => remaining_ns,
                other => return Err(self.unexpected(Who::Second, &other)),
            };
            if at > give_up {
                return Err(FenceError::NotTakenOver { lease: self.args.lease });
            }
            // That it is held once more is nothing new.
            if let Some(lease_over) = lease_over.take() {
                self.timeline.note(self.second.name(), at, what)?;
                self.inbox.wait_until(over)?;
                self.timeline.note(self.first.name(), over.max(at), lease_over)?;
            }
            self.inbox.wait_until(at + Duration::from_nanos(remaining_ns).max(LEAST_WAIT))?;
        }
    }

    /// Has a process do something, and notes it.
    fn step(&mut self, who: Who, step: Step) -> Result<(Instant, What), FenceError> {
        self.send(who, step)?;
        self.hear(who)
    }

    fn send(&mut self, who: Who, step: Step) -> Result<(), FenceError> {
        self.node(who).send(&ToHolder::Step(step))
    }

    /// Waits for what a process did, and notes it.
    fn hear(&mut self, who: Who) -> Result<(Instant, What), FenceError> {
        let (at, what) = self.listen(who)?;
        if let What::Acknowledged { deposit, .. } = &what {
            self.acknowledged.push(deposit.clone());
        }
        let name = self.node(who).name();
        self.timeline.note(name, at, what.clone())?;
        Ok((at, what))
    }

    /// Waits for what a process did, and asks the store for it meanwhile.
    fn listen(&mut self, who: Who) -> Result<(Instant, What), FenceError> {
        let name = self.node(who).name();
        loop {
            match self.inbox.receive(name)? {
                FromHolder::Did { at_ns, what } => return Ok((Instant::from_nanos(at_ns), what)),
                FromHolder::Failed(why) => return Err(FenceError::Holder { name, why }),
                FromHolder::Ask { resource, ask } => {
                    let reply = self.host.answer(&resource, ask);
                    self.node(who).send(&ToHolder::Reply(reply))?;
                }
            }
        }
    }

    /// Notes what was done to the first process.
    fn note(&mut self, what: What) -> Result<Instant, FenceError> {
        let now = BootClock.now();
        self.timeline.note(self.first.name(), now, what)?;
        Ok(now)
    }

    fn unexpected(&mut self, who: Who, what: &What) -> FenceError {
        let name = self.node(who).name();
        FenceError::Unexpected { name, what: format!("{what:?}") }
    }

    const fn node(&mut self, who: Who) -> &mut Node {
        match who {
            Who::First => &mut self.first,
            Who::Second => &mut self.second,
        }
    }
}

/// For how long a lease that the store does not grant is asked for, after it should be over.
const PATIENCE: Duration = Duration::from_secs(30);

/// A store that says it is over in no time is not asked without a pause.
const LEAST_WAIT: Duration = Duration::from_millis(10);
