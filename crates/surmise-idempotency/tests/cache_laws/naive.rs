//! Requests as a list that is searched from one end to the other, with times that have no greatest one.

use core::time::Duration;

use surmise_idempotency::{CacheConfig, Fingerprint, Keep, WhenFull};

/// Says what a cache has to say.
pub(crate) struct Naive {
    config: CacheConfig,
    records: Vec<Record>,
    latest: u64,
    /// How many executions there were, and how often a record began to wait.
    executions: usize,
    waits: usize,
    pub(crate) evicted: u64,
    pub(crate) abandoned: u64,
}

/// What is said to a request. Executions are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Execute { execution: usize },
    Replay { value: u32 },
    InFlight { retry_after: Duration },
    Mismatch,
    Recover { execution: usize, checkpoint: Option<u8> },
    Full,
}

#[derive(Clone, Copy)]
struct Record {
    key: u8,
    fingerprint: Fingerprint,
    state: State,
    /// When it began to wait, and as the how manieth.
    since: u64,
    wait: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    InFlight { execution: usize, checkpoint: Option<u8>, stage: Stage },
    Completed { value: u32, keep: Keep },
}

/// Whether others were at it before, and whether anybody is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    Recovery,
    GivenBack,
}

/// What waits for the same time, in the order in which room is made.
const CLASSES: [Option<Keep>; 3] = [Some(Keep::Briefly), Some(Keep::Long), None];

impl Naive {
    pub(crate) const fn new(config: CacheConfig) -> Self {
        Self {
            config,
            records: Vec::new(),
            latest: 0,
            executions: 0,
            waits: 0,
            evicted: 0,
            abandoned: 0,
        }
    }

    pub(crate) fn begin(&mut self, key: u8, fingerprint: Fingerprint, now: u64) -> Answer {
        let now = self.see(now);
        if let Some(record) = self.records.iter().find(|record| record.key == key).copied() {
            if now < self.forgotten_at(&record) {
                return self.begin_known(&record, fingerprint, now);
            }
            self.forget(&record);
        }
        self.expire(self.latest, 2);
        if self.records.len() == self.config.capacity.get() && !self.evict() {
            return Answer::Full;
        }
        self.executions += 1;
        let state =
            State::InFlight { execution: self.executions, checkpoint: None, stage: Stage::First };
        self.records.push(Record { key, fingerprint, state, since: 0, wait: 0 });
        self.wait(key, state);
        Answer::Execute { execution: self.executions }
    }

    fn begin_known(&mut self, record: &Record, fingerprint: Fingerprint, now: u64) -> Answer {
        if record.fingerprint != fingerprint {
            return Answer::Mismatch;
        }
        let (checkpoint, stage) = match record.state {
            State::Completed { value, .. } => return Answer::Replay { value },
            State::InFlight { checkpoint, stage, .. } => (checkpoint, stage),
        };
        let leased_until = after(record.since, self.config.lease.as_nanos());
        if now < leased_until && stage != Stage::GivenBack {
            return Answer::InFlight { retry_after: Duration::from_nanos(leased_until - now) };
        }
        self.executions += 1;
        let execution = self.executions;
        self.wait(record.key, State::InFlight { execution, checkpoint, stage: Stage::Recovery });
        Answer::Recover { execution, checkpoint }
    }

    /// Returns whether the execution was one that may end.
    pub(crate) fn complete(&mut self, execution: usize, value: u32, keep: Keep, now: u64) -> bool {
        self.see(now);
        let record = self.executed_by(execution).map(|record| record.key);
        record.is_some_and(|key| self.wait(key, State::Completed { value, keep }))
    }

    pub(crate) fn release(&mut self, execution: usize) -> bool {
        let Some(record) = self.executed_by(execution) else { return false };
        let released = record.key;
        match &mut record.state {
            State::InFlight { stage: stage @ Stage::Recovery, .. } => *stage = Stage::GivenBack,
            _ => self.records.retain(|record| record.key != released),
        }
        true
    }

    pub(crate) fn renew(&mut self, execution: usize, now: u64) -> bool {
        self.see(now);
        let record = self.executed_by(execution).map(|record| (record.key, record.state));
        record.is_some_and(|(key, state)| self.wait(key, state))
    }

    pub(crate) fn save(&mut self, execution: usize, saved: u8) -> bool {
        let Some(record) = self.executed_by(execution) else { return false };
        if let State::InFlight { checkpoint, .. } = &mut record.state {
            *checkpoint = Some(saved);
        }
        true
    }

    pub(crate) fn expire(&mut self, now: u64, at_most: usize) -> usize {
        let now = self.see(now);
        let before = self.records.len();
        for class in CLASSES {
            let is_over =
                |record: &&Record| record.class() == class && now >= self.forgotten_at(record);
            let mut over: Vec<Record> = self.records.iter().filter(is_over).copied().collect();
            over.sort_by_key(|record| (self.forgotten_at(record), record.wait));
            for record in over.iter().take(at_most) {
                self.forget(record);
            }
        }
        before - self.records.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// The time is never the last one there is.
    fn see(&mut self, now: u64) -> u64 {
        self.latest = self.latest.max(now.min(u64::MAX - 1));
        self.latest
    }

    fn executed_by(&mut self, by: usize) -> Option<&mut Record> {
        self.records.iter_mut().find(
            |record| matches!(record.state, State::InFlight { execution, .. } if execution == by),
        )
    }

    /// Returns when a record is forgotten, at the latest if its key comes up: never, if that is the last time there is.
    fn forgotten_at(&self, record: &Record) -> u64 {
        let CacheConfig { lease, retention, brief_retention, .. } = self.config;
        let waits = match record.class() {
            None => lease.as_nanos() + retention.as_nanos(),
            Some(Keep::Long) => retention.as_nanos(),
            Some(Keep::Briefly) => brief_retention.as_nanos(),
        };
        after(record.since, waits)
    }

    /// Lets a record wait from now on, and returns whether there is one.
    fn wait(&mut self, key: u8, state: State) -> bool {
        let Some(record) = self.records.iter_mut().find(|record| record.key == key) else {
            return false;
        };
        self.waits += 1;
        (record.state, record.since, record.wait) = (state, self.latest, self.waits);
        true
    }

    /// Makes room where that is what was asked for, and there is a result.
    fn evict(&mut self) -> bool {
        let oldest = |class| {
            let results = self.records.iter().filter(move |record| record.class() == Some(class));
            results.min_by_key(|record| record.wait).copied()
        };
        let oldest = [Keep::Briefly, Keep::Long].into_iter().find_map(oldest);
        let Some(oldest) = oldest.filter(|_| self.config.when_full == WhenFull::EvictOldest) else {
            return false;
        };
        self.records.retain(|record| record.key != oldest.key);
        self.evicted += 1;
        true
    }

    fn forget(&mut self, forgotten: &Record) {
        self.records.retain(|record| record.key != forgotten.key);
        self.abandoned += u64::from(forgotten.class().is_none());
    }
}

impl Record {
    /// Returns for how long its result is kept, if there is one.
    const fn class(&self) -> Option<Keep> {
        match self.state {
            State::InFlight { .. } => None,
            State::Completed { keep, .. } => Some(keep),
        }
    }
}

/// Returns when so many nanoseconds are over: at the end of time, if they last for longer.
fn after(since: u64, nanos: u128) -> u64 {
    u64::try_from(u128::from(since) + nanos).unwrap_or(u64::MAX)
}
