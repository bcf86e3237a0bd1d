use core::{cmp::Reverse, time::Duration};
use std::collections::BinaryHeap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Exp, LogNormal};
use surmise_time::Instant;
use surmise_timeout::{
    Hedge, HedgeOutcome, Outcome as CallOutcome, Ratio, RetryBudget, RetryBudgetConfig,
};

use crate::scenario::quantiles::Sorted;

pub(super) const REPLICAS: usize = 10;

/// How many requests are counted.
pub(super) const REQUESTS: u32 = 20_000;

/// How many come before them, in quiet times.
const BEFORE: u32 = 5_000;

/// How many backups a budget can save up.
pub(super) const BURST: u32 = 100;

/// Which share of the replicas' time the requests take, without backups.
pub(super) const QUIET: f64 = 0.2;
pub(super) const SURGE: f64 = 0.7;

/// How long a replica works at a request, as a log-normal distribution: the median in seconds, and σ.
const WORK: (f64, f64) = (0.005, 0.3);

/// How often it does nothing else for a while, and for how long.
const HICCUPS: (f64, f64) = (1.0 / 400.0, 0.2);

/// When a backup is sent by who does not measure.
const CONSTANT: Duration = Duration::from_millis(15);

/// A request for the first time, and no longer than it may take at all.
const LIMITS: [Duration; 2] = [Duration::from_millis(1), Duration::from_secs(10)];

/// Who sends a backup, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hedging {
    Nobody,
    Constant,
    WithoutBudget,
    WithBudget,
}

impl Hedging {
    pub(super) const ALL: [Self; 4] =
        [Self::Nobody, Self::Constant, Self::WithoutBudget, Self::WithBudget];

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::Constant => "after 15 ms",
            Self::WithoutBudget => "Hedge, p95",
            Self::WithBudget => "Hedge, p95 and a budget",
        }
    }
}

/// What became of all requests.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) hedging: Hedging,
    pub(super) latencies: Sorted,
    pub(super) backups: u32,
    /// Those of them that were sent for the second half of the requests.
    pub(super) late_backups: u32,
    /// Which share of the time the replicas worked.
    pub(super) busy: f64,
}

impl Outcome {
    /// Lets requests arrive at such a load, after quiet times.
    pub(super) fn of(hedging: Hedging, load: f64, seed: u64) -> Self {
        let mut cluster = Cluster::new(hedging, seed);
        cluster.run(QUIET, BEFORE);
        let (began, worked) = (cluster.now, cluster.worked);
        let before = cluster.latencies.len();
        cluster.run(load, REQUESTS);
        let capacity = (cluster.now - began).as_secs_f64() * number(REPLICAS);
        let counted = cluster.requests.split_off(before);
        let (first, second) = counted.split_at(counted.len() / 2);
        let [early, late] = [first, second].map(|half| {
            let backups = half.iter().filter(|request| request.backup.is_some()).count();
            u32::try_from(backups).unwrap_or(u32::MAX)
        });
        Self {
            hedging,
            latencies: Sorted::new(cluster.latencies.split_off(before)),
            backups: early + late,
            late_backups: late,
            busy: (cluster.worked - worked).as_secs_f64() / capacity,
        }
    }
}

/// A request that is under way.
#[derive(Clone, Copy, Debug)]
struct Request {
    sent: Instant,
    replica: usize,
    backup: Option<Instant>,
    is_answered: bool,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival,
    DelayOver { request: usize },
    Answer { request: usize, by_backup: bool },
}

/// Replicas, each with a queue, and what is to happen to them.
struct Cluster {
    hedging: Hedging,
    hedge: Hedge,
    budget: RetryBudget,
    arrivals: ChaCha8Rng,
    work: ChaCha8Rng,
    now: Instant,
    /// The earliest first, and of those at once the one that was noted first.
    agenda: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    noted: u64,
    /// Until when each replica has something to do.
    busy_until: [Instant; REPLICAS],
    worked: Duration,
    requests: Vec<Request>,
    latencies: Vec<Duration>,
}

impl Cluster {
    fn new(hedging: Hedging, seed: u64) -> Self {
        let [floor, ceiling] = LIMITS;
        let ratio = match hedging {
            Hedging::WithBudget => Ratio::from_percent(5),
            // One for each request, that is as many as could be.
            Hedging::Nobody | Hedging::Constant | Hedging::WithoutBudget => Ratio::ONE,
        };
        let budget = RetryBudgetConfig { ratio, burst: BURST, initial: 0 };
        // Whoever hedges, the same requests arrive.
        let [arrivals, work] = [0, 1].map(|stream| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            rng
        });
        Self {
            hedging,
            hedge: Hedge::p95(floor, ceiling).expect("the floor is below the ceiling"),
            budget: RetryBudget::new(budget).expect("there can be tokens"),
            arrivals,
            work,
            now: Instant::ORIGIN,
            agenda: BinaryHeap::new(),
            noted: 0,
            busy_until: [Instant::ORIGIN; REPLICAS],
            worked: Duration::ZERO,
            requests: Vec::new(),
            latencies: Vec::new(),
        }
    }

    /// Lets so many requests arrive, one after the other, and be answered.
    fn run(&mut self, load: f64, requests: u32) {
        let (median, deviation) = WORK;
        let (often, hiccup) = HICCUPS;
        let mean_work = median * (deviation * deviation / 2.0).exp() + often * hiccup;
        let gaps = Exp::new(load * number(REPLICAS) / mean_work).expect("the rate is above zero");
        let mut to_come = requests;
        self.note(self.now, Event::Arrival);
        while let Some(Reverse((at, _, event))) = self.agenda.pop() {
            self.now = at;
            match event {
                Event::Arrival => {
                    self.arrive();
                    to_come -= 1;
                    if to_come > 0 {
                        let gap = Duration::from_secs_f64(self.arrivals.sample(gaps));
                        self.note(at + gap, Event::Arrival);
                    }
                }
                Event::DelayOver { request } => self.back_up(request),
                Event::Answer { request, by_backup } => self.answer(request, by_backup),
            }
        }
    }

    fn arrive(&mut self) {
        let (request, replica) = (self.requests.len(), self.arrivals.random_range(0..REPLICAS));
        let (sent, backup, is_answered) = (self.now, None, false);
        self.requests.push(Request { sent, replica, backup, is_answered });
        self.budget.deposit();
        self.send(request, replica, false);
        let delay = match self.hedging {
            Hedging::Nobody => return,
            Hedging::Constant => CONSTANT,
            Hedging::WithoutBudget | Hedging::WithBudget => self.hedge.delay(),
        };
        self.note(sent + delay, Event::DelayOver { request });
    }

    /// Puts a request into the queue of a replica, which works at one after the other.
    fn send(&mut self, request: usize, replica: usize, by_backup: bool) {
        let (median, deviation) = WORK;
        let (often, hiccup) = HICCUPS;
        let work = LogNormal::new(median.ln(), deviation).expect("σ is finite");
        let pause = if self.work.random_bool(often) { hiccup } else { 0.0 };
        let takes = Duration::from_secs_f64(self.work.sample(work) + pause);
        let busy_until = self.busy_until.get_mut(replica).expect("it was drawn from them");
        *busy_until = self.now.max(*busy_until) + takes;
        let at = *busy_until;
        self.worked += takes;
        self.note(at, Event::Answer { request, by_backup });
    }

    /// Sends a request that has no answer yet to another replica, if there is a token for that.
    fn back_up(&mut self, request: usize) {
        let Some(found) = self.requests.get_mut(request).filter(|found| !found.is_answered) else {
            return;
        };
        let constant = self.hedging == Hedging::Constant;
        if !constant && self.hedge.issue(&mut self.budget).is_err() {
            return;
        }
        found.backup = Some(self.now);
        let others = self.work.random_range(1..REPLICAS);
        let replica = (found.replica + others) % REPLICAS;
        self.send(request, replica, true);
    }

    fn answer(&mut self, request: usize, by_backup: bool) {
        let now = self.now;
        let Some(found) = self.requests.get_mut(request).filter(|found| !found.is_answered) else {
            return;
        };
        found.is_answered = true;
        let primary = now - found.sent;
        self.latencies.push(primary);
        self.hedge.record(match (found.backup, by_backup) {
            (None, _) => HedgeOutcome::Alone(CallOutcome::Completed(primary)),
            (Some(sent), false) => HedgeOutcome::PrimaryWon { primary, backup: now - sent },
            (Some(sent), true) => HedgeOutcome::BackupWon { primary, backup: now - sent },
        });
    }

    fn note(&mut self, at: Instant, event: Event) {
        self.noted += 1;
        self.agenda.push(Reverse((at, self.noted, event)));
    }
}

fn number(count: usize) -> f64 {
    crate::compare::number::count(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_answered_once_and_the_load_is_what_was_asked_for() {
        for load in [QUIET, SURGE] {
            for hedging in Hedging::ALL {
                let mut cluster = Cluster::new(hedging, 1);
                cluster.run(load, 1_000);
                assert_eq!((cluster.latencies.len(), cluster.requests.len()), (1_000, 1_000));
                assert!(cluster.requests.iter().all(|request| request.is_answered));
            }
            let busy = Outcome::of(Hedging::Nobody, load, 1).busy;
            assert!((busy / load - 1.0).abs() < 0.05, "{load}: {busy}");
        }
    }
}
