mod faults;

use core::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use surmise_store::{
    FencedStore as _,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::{Instant, ManualClock, WallTime};

use crate::{
    failover::{
        client::Client,
        faults::{Place, reaches},
        history::{Entry, History, Note, Who},
        machine::{Action, Actions, Input, Machine, Now},
        message::{Message, Party, key},
        node::Node,
        plan::{Plan, Step},
        seed::{Purpose, of_run},
        setup::Setup,
    },
    stores::{Ask, Reply, answer},
};

/// All that there is in a run.
pub(super) struct World {
    setup: Setup,
    plan: VecDeque<(Duration, Step)>,
    duration: Duration,
    now: Instant,
    start: Instant,
    rng: ChaCha8Rng,
    clock: Arc<ManualClock>,
    store: MemoryStore<Arc<ManualClock>>,
    /// The nodes, and behind them the client.
    processes: Vec<Process>,
    sides: Vec<Vec<Place>>,
    events: BTreeMap<(Instant, u64), Event>,
    order: u64,
    /// Whom each fault met that is to be undone.
    met: BTreeMap<usize, (usize, u64)>,
    leader: Option<usize>,
    /// How much later than planned all is, since a fault was for a leader that there was not.
    late: Duration,
    history: History,
}

struct Process {
    machine: Option<Box<dyn Machine>>,
    incarnation: u64,
    skew_ns: i64,
    /// What it hears when it goes on, if it is stopped.
    stopped: Option<VecDeque<Input>>,
}

enum Event {
    Datagram { from: Party, to: Party, message: Message },
    Ask { node: usize, incarnation: u64, id: u64, ask: Ask },
    Reply { node: usize, incarnation: u64, id: u64, reply: Reply },
}

impl World {
    pub(super) fn new(setup: &Setup, plan: Plan) -> Self {
        let now = Instant::from_nanos(1_000_000_000_000);
        let clock = Arc::new(ManualClock::new(now));
        let mut processes = Vec::new();
        for node in 0..setup.nodes {
            let machine = Node::new(setup.clone(), node, 1, now).unwrap();
            processes.push(Process::new(Box::new(machine), 1));
        }
        processes.push(Process::new(Box::new(Client::new(setup, now).unwrap()), 1));
        Self {
            setup: setup.clone(),
            plan: plan.steps.into(),
            duration: plan.duration,
            now,
            start: now,
            rng: of_run(setup.seed, Purpose::World),
            store: MemoryStore::new(MemoryConfig::default(), Arc::clone(&clock)).unwrap(),
            clock,
            processes,
            sides: Vec::new(),
            events: BTreeMap::new(),
            order: 0,
            met: BTreeMap::new(),
            leader: None,
            late: Duration::ZERO,
            history: History { fenced: setup.fenced, ..History::default() },
        }
    }

    /// Has it all happen, until the client has nothing under way.
    pub(super) fn run(mut self) -> History {
        let mut is_draining = false;
        loop {
            let end = self.start + self.duration + self.late;
            if self.now >= end + self.setup.timing.drain(self.duration) {
                break;
            }
            let next_step = self.plan.front().map(|(at, _)| self.start + *at + self.late);
            let next_event = self.events.keys().next().map(|(at, _)| *at);
            let (place, wake) = self.next_wake();
            let drain = (!is_draining).then_some(end);
            let times = [next_step, next_event, Some(wake), drain];
            let next = times.into_iter().flatten().min().unwrap().max(self.now);
            self.now = next;
            self.clock.set(next);
            if next_step.is_some_and(|at| at <= next) && self.waits() {
                self.late += Duration::from_millis(1);
            } else if next_step.is_some_and(|at| at <= next) {
                let (_, step) = self.plan.pop_front().unwrap();
                self.apply(step);
            } else if drain.is_some_and(|at| at <= next) {
                is_draining = true;
                self.step(self.setup.nodes, Input::Drain);
            } else if next_event.is_some_and(|at| at <= next) {
                let (_, event) = self.events.pop_first().unwrap();
                self.happen(event);
            } else {
                self.step(place, Input::Tick);
            }
            let last = self.history.entries.last();
            if last.is_some_and(|entry| entry.note == Note::Drained) {
                break;
            }
        }
        self.read_log();
        self.history
    }

    /// Returns who is to be told the time next.
    fn next_wake(&mut self) -> (usize, Instant) {
        let mut next = (0, Instant::MAX);
        for (place, process) in self.processes.iter_mut().enumerate() {
            if let (Some(machine), None) = (&mut process.machine, &process.stopped) {
                let deadline = machine.deadline();
                if deadline < next.1 {
                    next = (place, deadline);
                }
            }
        }
        next
    }

    fn step(&mut self, place: usize, input: Input) {
        let now = self.now;
        let Some(process) = self.processes.get_mut(place) else { return };
        if let Some(inbox) = &mut process.stopped {
            inbox.push_back(input);
            return;
        }
        let Some(machine) = &mut process.machine else { return };
        let passed = now.as_nanos() - self.start.as_nanos();
        let wall = (WALL_NS + passed).saturating_add_signed(process.skew_ns);
        let now = Now { at: now, wall: WallTime::from_nanos(wall) };
        let mut out = Actions::default();
        machine.step(input, now, &mut out);
        let incarnation = process.incarnation;
        let me = Party::at(place, self.setup.nodes);
        for action in out.drain() {
            match action {
                Action::Send { to, message } => self.send(me, to, message),
                Action::Ask { id, ask } => {
                    let after = self.delay(500, 5_000);
                    self.later(after, Event::Ask { node: place, incarnation, id, ask });
                }
                Action::Note(note) => {
                    self.note(me.into(), note);
                }
            }
        }
    }

    fn send(&mut self, from: Party, to: Party, message: Message) {
        if self.rng.random_bool(0.01) {
            return;
        }
        let copies = if self.rng.random_bool(0.02) { 2 } else { 1 };
        for _ in 0..copies {
            let after = self.delay(100, 2_000);
            self.later(after, Event::Datagram { from, to, message: message.clone() });
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Datagram { from, to, message } => {
                if self.reaches(from.into(), to.into()) {
                    self.step(to.place(self.setup.nodes), Input::Datagram { from, message });
                }
            }
            Event::Ask { node, incarnation, id, ask } => {
                if self.reaches(Place::Node(node), Place::Store) {
                    let reply = ready(answer(&self.store, RESOURCE, ask));
                    let after = self.delay(500, 5_000);
                    self.later(after, Event::Reply { node, incarnation, id, reply });
                }
            }
            Event::Reply { node, incarnation, id, reply } => {
                let is_same =
                    self.processes.get(node).is_some_and(|it| it.incarnation == incarnation);
                if is_same && self.reaches(Place::Store, Place::Node(node)) {
                    self.step(node, Input::Reply { ask: id, reply });
                }
            }
        }
    }

    fn reaches(&self, from: Place, to: Place) -> bool {
        reaches(&self.sides, from, to)
    }

    /// Draws how long something takes, in microseconds; one in a hundred takes ten times as long.
    fn delay(&mut self, least: u64, most: u64) -> Duration {
        let slow = if self.rng.random_bool(0.01) { 10 } else { 1 };
        Duration::from_micros(self.rng.random_range(least..most) * slow)
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.order += 1;
        self.events.insert((self.now + after, self.order), event);
    }

    fn note(&mut self, who: Who, note: Note) {
        match (who, &note) {
            (Who::Node(node), Note::Leads { .. }) => self.leader = Some(node),
            (Who::Node(node), Note::SteppedDown { .. }) | (_, &Note::Killed { node })
                if self.leader == Some(node) =>
            {
                self.leader = None;
            }
            _ => {}
        }
        let at_ns = self.now.as_nanos();
        self.history.entries.push(Entry { at_ns, who, note });
    }

    fn read_log(&mut self) {
        let read = |slot| ready(self.store.read(RESOURCE, &key(slot)));
        self.history.log = self.history.read_log(read).unwrap();
    }
}

impl Process {
    fn new(machine: Box<dyn Machine>, incarnation: u64) -> Self {
        Self { machine: Some(machine), incarnation, skew_ns: 0, stopped: None }
    }
}

/// Returns what a future of the store in memory is, which never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("the store in memory waits for nothing"),
    }
}

const RESOURCE: &str = "simulated";

/// In 2026.
const WALL_NS: u64 = 1_795_230_725_000_000_000;
