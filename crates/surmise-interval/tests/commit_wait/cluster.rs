//! Nodes of which each has a clock of its own and several clients, all of which commit transactions.

use alloc::collections::BinaryHeap;
use core::{cmp::Reverse, time::Duration};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise_interval::{CommitWait, Drift, Interval, IntervalClock, IntervalClockConfig, Sample};
use surmise_time::{Instant, WallTime};

use crate::history::Transaction;

pub(crate) const NODES: usize = 5;
const CLIENTS_PER_NODE: usize = 3;

const DRIFT_PPB: u32 = 200_000;
const CONFIG: IntervalClockConfig = IntervalClockConfig {
    free_running_after: Duration::from_secs(5),
    unsynchronized_after: Duration::from_secs(100),
};

/// How transactions are stamped and waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// As `CommitWait` is meant.
    CommitWait,
    /// Nobody waits.
    NoWait,
    /// The wait ends when the latest possible time is past the timestamp, instead of the earliest.
    UntilLatest,
    /// The timestamp is the middle of the interval, instead of its end.
    Middle,
    /// Whoever waits takes it that their clock does not drift.
    SleepUnscaled,
    /// A clock that tells no time ends the wait.
    UntilUnsynchronized,
    /// The timestamp is the end of the interval, also where another one of that node is greater.
    NotFollowing,
}

/// What came of a run, in true time.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) history: Vec<Transaction>,
    /// The timestamps of each node, in the order in which they were taken.
    pub(crate) timestamps: [Vec<WallTime>; NODES],
    /// How often a timestamp had to be moved on to follow the one before.
    pub(crate) followed: u32,
    /// The longest that a new timestamp had to be waited for.
    pub(crate) longest_wait: Duration,
    /// How often a clock was asked in vain.
    pub(crate) silences: u32,
    /// How often a client slept.
    pub(crate) sleeps: u32,
}

pub(crate) struct Cluster {
    protocol: Protocol,
    random: ChaCha8Rng,
    truth: u64,
    /// Until when clients pause: else little time would pass in a run, or few transactions overlap.
    busy_from: u64,
    nodes: [Node; NODES],
    clients: [Client; NODES * CLIENTS_PER_NODE],
    /// What happens next, and when.
    agenda: BinaryHeap<Reverse<(u64, Event)>>,
    outcome: Outcome,
}

struct Node {
    clock: IntervalClock,
    /// What its monotonic clock showed, when that was, and how much too fast it goes since.
    boot: u64,
    since: u64,
    rate_ppb: i64,
    silent_until: u64,
    last: WallTime,
}

/// A client, who does one thing after the other.
#[derive(Clone, Copy, Default)]
struct Client {
    begin: u64,
    commit: Option<CommitWait>,
}

/// What happens to a node or a client, by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Synchronize(usize),
    ChangeRate(usize),
    LoseSource(usize),
    Disrupt(usize),
    Pause,
    Begin(usize),
    Stamp(usize),
    Wake(usize),
}

impl Cluster {
    /// Runs until so many transactions are over, or hardly any ever is.
    pub(crate) fn run(seed: u64, protocol: Protocol, transactions: usize) -> Outcome {
        let mut cluster = Self::new(seed, protocol);
        let mut events = 0..200 * transactions;
        while cluster.outcome.history.len() < transactions && events.next().is_some() {
            let Reverse((truth, event)) = cluster.agenda.pop().expect("each event plans the next");
            cluster.truth = truth;
            cluster.handle(event);
        }
        cluster.outcome
    }

    fn new(seed: u64, protocol: Protocol) -> Self {
        let truth = 1_795_230_725_000_000_000;
        let node = |number| Node {
            clock: IntervalClock::new(CONFIG),
            boot: 1_000_000_000_000 * number as u64,
            since: truth,
            rate_ppb: 0,
            silent_until: 0,
            last: WallTime::UNIX_EPOCH,
        };
        let mut cluster = Self {
            protocol,
            random: ChaCha8Rng::seed_from_u64(seed),
            truth,
            busy_from: truth,
            nodes: core::array::from_fn(node),
            clients: [Client::default(); NODES * CLIENTS_PER_NODE],
            agenda: BinaryHeap::new(),
            outcome: Outcome::default(),
        };
        for number in 0..NODES {
            cluster.plan(Duration::ZERO, Event::Synchronize(number));
            cluster.plan(Duration::ZERO, Event::ChangeRate(number));
            cluster.plan(Duration::from_secs(100), Event::LoseSource(number));
        }
        cluster.plan(Duration::from_secs(2), Event::Pause);
        for number in 0..cluster.clients.len() {
            cluster.plan(Duration::from_secs(1), Event::Begin(number));
        }
        cluster
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Synchronize(node) => self.synchronize(node),
            Event::ChangeRate(node) => self.change_rate(node),
            Event::LoseSource(node) => {
                let silence = self.random.random_range(0..150_000_000_000);
                self.nodes[node].silent_until = self.truth + silence;
                self.plan(Duration::from_secs(1000), event);
            }
            Event::Disrupt(node) => self.disrupt(node),
            Event::Pause => {
                self.busy_from = self.truth + self.up_to(Duration::from_secs(60));
                let busy = self.up_to(Duration::from_secs(2));
                self.agenda.push(Reverse((self.busy_from + busy, Event::Pause)));
            }
            Event::Begin(_) if self.truth < self.busy_from => {
                let begin = self.busy_from + self.up_to(Duration::from_millis(20));
                self.agenda.push(Reverse((begin, event)));
            }
            Event::Begin(client) => {
                self.clients[client].begin = self.truth;
                self.plan(Duration::from_millis(2), Event::Stamp(client));
            }
            Event::Stamp(client) => self.stamp(client),
            Event::Wake(client) => self.wake(client),
        }
    }

    fn synchronize(&mut self, number: usize) {
        let [early, late] = [(); 2].map(|()| self.up_to(FRESH / 2));
        let [earliest, latest] = [self.truth - early, self.truth + late].map(WallTime::from_nanos);
        let interval = Interval::new(earliest, latest).expect("it begins before it ends");
        let drift = Drift::from_ppb(DRIFT_PPB).expect("200 ppm is allowed");
        let node = &mut self.nodes[number];
        if self.truth >= node.silent_until {
            let sample = Sample::new(interval, node.now(self.truth), drift);
            node.clock.synchronize(sample);
        }
        self.plan(Duration::from_millis(200), Event::Synchronize(number));
    }

    /// Moves a node to another machine, unless its clock runs free: then it would tell no time for long.
    fn disrupt(&mut self, number: usize) {
        let jump = self.up_to(Duration::from_secs(5));
        let node = &mut self.nodes[number];
        if self.truth >= node.silent_until {
            node.boot += jump;
            node.clock.disrupt(node.now(self.truth));
        }
    }

    fn change_rate(&mut self, number: usize) {
        let most = i64::from(DRIFT_PPB);
        let any = self.random.random_range(-most..=most);
        let rate_ppb = [-most, most, any][self.random.random_range(0..3)];
        let node = &mut self.nodes[number];
        (node.boot, node.since) = (node.now(self.truth).as_nanos(), self.truth);
        node.rate_ppb = rate_ppb;
        self.plan(Duration::from_secs(20), Event::ChangeRate(number));
    }

    /// Takes a timestamp for a client's transaction, as soon as the node's clock tells the time.
    ///
    /// At times the node is disrupted while the client waits.
    fn stamp(&mut self, client: usize) {
        let number = client / CLIENTS_PER_NODE;
        let node = &mut self.nodes[number];
        let now = node.now(self.truth);
        let Ok(interval) = node.clock.now(now) else {
            self.outcome.silences += 1;
            return self.plan(PATIENCE, Event::Stamp(client));
        };
        let commit = match self.protocol {
            Protocol::NotFollowing => CommitWait::new(interval.latest()),
            Protocol::Middle => {
                let middle = Interval::around(interval.middle(), Duration::ZERO);
                CommitWait::following(node.last, &middle)
            }
            _ => CommitWait::following(node.last, &interval),
        };
        let wait = commit.remaining(&node.clock, now).expect("the clock tells the time");
        self.outcome.longest_wait = self.outcome.longest_wait.max(wait);
        self.outcome.followed += u32::from(commit.timestamp() > interval.latest());
        self.outcome.timestamps[number].push(commit.timestamp());
        node.last = commit.timestamp();
        self.clients[client].commit = Some(commit);
        if self.random.random_range(0..50) == 0 {
            self.plan(Duration::from_millis(4), Event::Disrupt(number));
        }
        self.wake(client);
    }

    /// Ends a client's transaction if that may be, or lets the client sleep on.
    fn wake(&mut self, client: usize) {
        let commit = self.clients[client].commit.expect("who waits has a timestamp to wait for");
        let node = &self.nodes[client / CLIENTS_PER_NODE];
        let now = node.now(self.truth);
        let Ok(remaining) = commit.remaining(&node.clock, now) else {
            self.outcome.silences += 1;
            return self.without_time(client);
        };
        let interval = node.clock.now(now).expect("it has just told how long to wait");
        let is_over = match self.protocol {
            Protocol::NoWait => true,
            Protocol::UntilLatest => interval.latest() > commit.timestamp(),
            _ => commit.is_over(&interval),
        };
        if is_over {
            return self.end(client);
        }
        self.outcome.sleeps += 1;
        let sleep = match self.protocol {
            Protocol::SleepUnscaled => commit.timestamp() - interval.earliest() + NANOSECOND,
            Protocol::UntilLatest => commit.timestamp() - interval.latest() + NANOSECOND,
            _ => remaining,
        };
        // The timer is the node's own. At times it fires early, else a little late.
        let sleep = node.until_counted(sleep);
        let wakes_after = match self.random.random_range(0..4) {
            0 => self.random.random_range(0..=sleep),
            _ => sleep + self.up_to(Duration::from_micros(50)),
        };
        self.agenda.push(Reverse((self.truth + wakes_after, Event::Wake(client))));
    }

    /// Gives a transaction up, as some clients do, or lets its client wait for the clock, as others do.
    fn without_time(&mut self, client: usize) {
        if self.protocol == Protocol::UntilUnsynchronized {
            self.end(client);
        } else if client % CLIENTS_PER_NODE == 0 {
            self.plan(PATIENCE, Event::Begin(client));
        } else {
            self.plan(PATIENCE, Event::Wake(client));
        }
    }

    fn end(&mut self, client: usize) {
        let Client { begin, commit } = self.clients[client];
        let timestamp = commit.expect("it was waited for").timestamp();
        self.outcome.history.push(Transaction { begin, end: self.truth, timestamp });
        self.plan(Duration::from_millis(20), Event::Begin(client));
    }

    /// Plans an event for some time from now on.
    fn plan(&mut self, within: Duration, event: Event) {
        let truth = self.truth + 1 + self.up_to(within);
        self.agenda.push(Reverse((truth, event)));
    }

    /// Returns up to so many nanoseconds, of which short times are frequent.
    fn up_to(&mut self, most: Duration) -> u64 {
        let nanos = u64::try_from(most.as_nanos()).expect("it is no century");
        let scale = self.random.random_range(0..=10);
        self.random.random_range(0..=nanos >> scale)
    }
}

impl Node {
    /// Reads the monotonic clock.
    fn now(&self, truth: u64) -> Instant {
        let elapsed = i128::from(truth - self.since);
        let counted = elapsed + elapsed * i128::from(self.rate_ppb) / 1_000_000_000;
        let counted = u64::try_from(counted).expect("clocks never go back");
        Instant::from_nanos(self.boot + counted)
    }

    /// Returns how much time passes until the monotonic clock has counted so much, at its present rate.
    fn until_counted(&self, count: Duration) -> u64 {
        let nanos = i128::try_from(count.as_nanos()).expect("it is short");
        let passes = nanos * 1_000_000_000 / (1_000_000_000 + i128::from(self.rate_ppb));
        u64::try_from(passes).expect("clocks never go back") + 1
    }
}

const NANOSECOND: Duration = Duration::from_nanos(1);

/// How wide a new sample is at most.
pub(crate) const FRESH: Duration = Duration::from_millis(8);

/// How long a client waits for a clock that tells no time.
const PATIENCE: Duration = Duration::from_secs(1);
