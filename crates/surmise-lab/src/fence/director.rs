use core::time::Duration;
use std::sync::Arc;

use surmise_fence::FencingToken;
use surmise_time::{BootClock, Instant, MonotonicClock as _};

use super::{
    args::FenceArgs,
    error::FenceError,
    ledger::{Deposit, KEY, Ledger},
    timeline::Timeline,
    verdict::{Fate, Verdict},
    wire::{FromHolder, Setup, Step, ToHolder, What},
};
use crate::{
    processes::{Heard, Inbox, Process, RunError, StoreHost, nanos},
    record::Stop,
};

/// Tells the processes what to do when, and notes what they did.
#[derive(Debug)]
pub(super) struct Director<'a> {
    // Killed before anything else ends.
    first: Process,
    second: Process,
    inbox: Inbox<'a, (Who, Heard<FromHolder>)>,
    args: &'a FenceArgs,
    host: &'a StoreHost,
    timeline: &'a mut Timeline,
    acknowledged: Vec<Deposit>,
}

/// One of the two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    First,
    Second,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::First => "node-a",
            Self::Second => "node-b",
        }
    }
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
        host: &'a Arc<StoreHost>,
        stop: &'a Stop,
        timeline: &'a mut Timeline,
    ) -> Result<Self, FenceError> {
        let inbox = Inbox::new(stop);
        let [first, second] = [Who::First, Who::Second].map(|who| start(who, &inbox, host));
        let (first, second) = (first?, second?);
        let acknowledged = Vec::new();
        let mut director = Self { first, second, inbox, args, host, timeline, acknowledged };
        // Both are there before there is a lease, of which their start would take a part.
        for who in [Who::First, Who::Second] {
            let setup = Setup {
                name: who.name().to_owned(),
                store: args.store.text().to_owned(),
                resource: host.resource.clone(),
                lease: args.lease,
                fenced: !args.unfenced,
            };
            director.process(who).tell(&ToHolder::Begin(setup))?;
            director.hear(who)?;
        }
        Ok(director)
    }

    /// Has it all happen.
    pub(super) fn play(mut self) -> Result<Verdict, FenceError> {
        let (token, over) = self.hold()?;
        self.first.stop()?;
        let process = self.first.number();
        let paused = self.note(What::Paused { process })?;
        self.take_over(over, What::LeaseOver { token })?;
        self.deposit(Who::Second, SECONDS)?;
        self.wait_until(paused + self.args.pause)?;

        // It is told while it stands still: what it does next was decided before.
        self.first.tell(&ToHolder::Step(Step::Write))?;
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
        let stored = self.read()?;
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
                    return self.timeline.note(Who::Second.name(), at, what);
                }
                What::Held { remaining_ns, .. } | What::Delayed { remaining_ns } => remaining_ns,
                other => return Err(self.unexpected(Who::Second, &other)),
            };
            if at > give_up {
                return Err(FenceError::NotTakenOver { lease: self.args.lease });
            }
            // That it is held once more is nothing new.
            if let Some(lease_over) = lease_over.take() {
                self.timeline.note(Who::Second.name(), at, what)?;
                self.wait_until(over)?;
                self.timeline.note(Who::First.name(), over.max(at), lease_over)?;
            }
            self.wait_until(at + Duration::from_nanos(remaining_ns).max(LEAST_WAIT))?;
        }
    }

    /// Has a process do something, and notes it.
    fn step(&mut self, who: Who, step: Step) -> Result<(Instant, What), FenceError> {
        self.send(who, step)?;
        self.hear(who)
    }

    fn send(&mut self, who: Who, step: Step) -> Result<(), FenceError> {
        Ok(self.process(who).tell(&ToHolder::Step(step))?)
    }

    /// Waits for what a process did, and notes it.
    fn hear(&mut self, who: Who) -> Result<(Instant, What), FenceError> {
        let (at, what) = self.listen(who)?;
        if let What::Acknowledged { deposit, .. } = &what {
            self.acknowledged.push(deposit.clone());
        }
        self.timeline.note(who.name(), at, what.clone())?;
        Ok((at, what))
    }

    /// Waits for what a process did, while no other has anything to say.
    fn listen(&self, who: Who) -> Result<(Instant, What), FenceError> {
        let name = who.name();
        let Some((by, heard)) = self.inbox.receive(BootClock.now() + PATIENCE)? else {
            let name = name.to_owned();
            return Err(RunError::Silent { name, patience: PATIENCE }.into());
        };
        match heard.said(by.name())? {
            FromHolder::Did { at_ns, what } if by == who => Ok((Instant::from_nanos(at_ns), what)),
            FromHolder::Failed(why) => {
                Err(RunError::Failed { name: by.name().to_owned(), why }.into())
            }
            other => Err(FenceError::Unexpected { name: by.name(), what: format!("{other:?}") }),
        }
    }

    /// Waits until a time, while nobody has anything to say.
    fn wait_until(&self, time: Instant) -> Result<(), FenceError> {
        let Some((by, heard)) = self.inbox.receive(time)? else { return Ok(()) };
        let said = heard.said(by.name())?;
        Err(FenceError::Unexpected { name: by.name(), what: format!("{said:?}") })
    }

    /// Reads what is in the store.
    fn read(&self) -> Result<Ledger, FenceError> {
        let value = self.host.read(KEY)?.and_then(|entry| entry.value).unwrap_or_default();
        Ledger::from_bytes(&value).map_err(|error| FenceError::Foreign { what: error.to_string() })
    }

    /// Notes what was done to the first process.
    fn note(&mut self, what: What) -> Result<Instant, FenceError> {
        let now = BootClock.now();
        self.timeline.note(Who::First.name(), now, what)?;
        Ok(now)
    }

    fn unexpected(&self, who: Who, what: &What) -> FenceError {
        FenceError::Unexpected { name: who.name(), what: format!("{what:?}") }
    }

    const fn process(&self, who: Who) -> &Process {
        match who {
            Who::First => &self.first,
            Who::Second => &self.second,
        }
    }
}

/// Starts a process, whose questions to the store are answered by the thread that listens to it.
fn start(
    who: Who,
    inbox: &Inbox<'_, (Who, Heard<FromHolder>)>,
    host: &Arc<StoreHost>,
) -> Result<Process, RunError> {
    let (heard, host) = (inbox.sender(), Arc::clone(host));
    Process::start(COMMAND, who.name().to_owned(), move |what, voice| match what {
        // Plain numbers and names, which can be told.
        Heard::Said(FromHolder::Ask(ask)) => {
            _ = voice.tell(&ToHolder::Reply(host.answer(ask)));
        }
        // Nobody listens any more once the run has ended.
        other => _ = heard.send((who, other)),
    })
}

/// The hidden command of a process.
const COMMAND: &str = "holder-of-fence";

/// For how long an answer is waited for, every store having its own, shorter limits; and for how long a lease that the store
/// does not grant is asked for after it should be over.
const PATIENCE: Duration = Duration::from_secs(30);

/// A store that says it is over in no time is not asked without a pause.
const LEAST_WAIT: Duration = Duration::from_millis(10);
