//! Writes to three replicas whose clocks drift, of which the one with the greatest stamp is kept.

use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise_clock::{HybridClock, HybridTimestamp};
use surmise_interval::CommitWait;
use surmise_time::WallTime;

use super::story::{Figure, Source, Story, Value};
use crate::{
    clock::simulate::node::{BASE, DRIFT, Node, POLL, true_time},
    compare::text,
};

const SOURCES: &[Source] = &[
    Source {
        title: "Lamport, Time, clocks, and the ordering of events in a distributed system, 1978",
        url: "https://doi.org/10.1145/359545.359563",
    },
    Source {
        title: "Kulkarni et al., Logical physical clocks, OPODIS 2014",
        url: "https://doi.org/10.1007/978-3-319-14472-6_2",
    },
    Source {
        title: "Corbett et al., Spanner: Google's globally-distributed database, OSDI 2012",
        url: "https://www.usenix.org/conference/osdi12/technical-sessions/presentation/corbett",
    },
];

const REPLICAS: usize = 3;

const WRITES: u32 = 20_000;

/// How long after a write was acknowledged the next one may begin at most.
const MAX_PAUSE: Duration = Duration::from_millis(10);

/// How far ahead a stamp from elsewhere may be to be taken in: far more than these clocks are apart.
const MAX_OFFSET: Duration = Duration::from_millis(500);

const LESSON: &str = "Clocks that are a few milliseconds apart order writes that are a few \
                      milliseconds apart as they like, and nobody is told: both writes were \
                      acknowledged, and the later one is gone. A hybrid clock takes in each \
                      stamp that it is shown, so that whoever has read a write is never ordered \
                      before it, at no cost. What it was not shown it does not know, and a \
                      telephone call has no stamp. An interval clock knows how far off it can \
                      be. Who waits until its stamp is past for certain need not be told \
                      anything; but each write takes twice the uncertainty longer, and without \
                      the wait the interval helps nobody.";

/// Tells the story.
pub(super) fn tell(seed: u64) -> Story {
    let outcomes = Stamping::ALL.map(|stamping| Outcome::of(stamping, seed));
    let row = |outcome: &Outcome| {
        let share = |lost: u32, of: u32| Value::Share(f64::from(lost) / f64::from(of.max(1)));
        [
            Value::from(outcome.stamping.text()),
            outcome.lost_after_read.into(),
            share(outcome.lost_after_read, outcome.after_read),
            outcome.lost_after_call.into(),
            share(outcome.lost_after_call, outcome.after_call),
            (outcome.waited / WRITES).into(),
            outcome.max_wait.into(),
        ]
    };
    let columns = [
        "stamps",
        "lost after\na read",
        "of these",
        "lost after\na call",
        "of these",
        "wait,\nmean",
        "wait,\nmax",
    ];
    let [wall, ..] = &outcomes;
    Story {
        setting: format!(
            "A value is kept on {REPLICAS} replicas, which agree by keeping the write with the \
             greatest stamp. Each replica's clock is set every {} s to within {} ms, and drifts \
             by up to {} µs a second in between. One write follows the other on any of the \
             replicas, up to {} ms after the one before was acknowledged: its author has either \
             read the value, and so its stamp, or was told by telephone that it was written. A \
             write is lost if one that was acknowledged before it began has a greater stamp. \
             There are {} writes.",
            POLL.as_secs(),
            BASE.as_millis(),
            DRIFT.as_ppb() / 1_000,
            MAX_PAUSE.as_millis(),
            text::integer(WRITES.into()),
        ),
        figures: vec![
            Figure::table(
                "The first write that is lost by wall clocks:",
                &[
                    "truly later by",
                    "replica",
                    "what happens",
                    "its stamp is off by",
                    "stamped later by",
                ],
                wall.first_loss.iter().flat_map(Loss::rows),
            ),
            Figure::table(
                "How many writes are lost, of those whose author had read the value, and of \
                 those whose author had been called:",
                &columns,
                outcomes.iter().map(row),
            ),
        ],
        lesson: LESSON.to_owned(),
        sources: SOURCES,
    }
}

/// What a write is stamped with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamping {
    WallClock,
    Hybrid,
    /// The latest that the time can be, without a wait.
    Latest,
    /// The write is acknowledged when that is past for certain.
    CommitWait,
}

impl Stamping {
    const ALL: [Self; 4] = [Self::WallClock, Self::Hybrid, Self::Latest, Self::CommitWait];

    const fn text(self) -> &'static str {
        match self {
            Self::WallClock => "wall clock",
            Self::Hybrid => "hybrid clock",
            Self::Latest => "interval, no wait",
            Self::CommitWait => "interval, commit wait",
        }
    }
}

/// What became of the writes with one way to stamp them.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    stamping: Stamping,
    /// Writes by somebody who had read the value, and how many of them were lost.
    after_read: u32,
    lost_after_read: u32,
    /// Writes by somebody who had heard of the one before.
    after_call: u32,
    lost_after_call: u32,
    /// For how long the writes waited in all.
    waited: Duration,
    max_wait: Duration,
    first_loss: Option<Loss>,
}

/// A write that is kept, and a later one that is lost against it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Loss {
    kept: Write,
    lost: Write,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Write {
    /// When it began.
    at: Duration,
    replica: usize,
    stamp: WallTime,
}

impl Loss {
    fn rows(&self) -> [[Value; 5]; 2] {
        let Self { kept, lost } = *self;
        let row = |write: Write, what: &str, later: Value| {
            [
                (write.at - kept.at).into(),
                ["A", "B", "C"].get(write.replica).copied().unwrap_or_default().into(),
                what.into(),
                signed(write.stamp, true_time(write.at)),
                later,
            ]
        };
        let later = signed(lost.stamp, kept.stamp);
        [
            row(kept, "a write, which is kept", Value::Nothing),
            row(lost, "a later write, lost", later),
        ]
    }
}

/// Returns by how much one time is after another, with its sign.
fn signed(time: WallTime, from: WallTime) -> Value {
    let (sign, size) = if time < from { ("−", from - time) } else { ("+", time - from) };
    Value::from(format!("{sign}{}", text::time(size.as_secs_f64())))
}

impl Outcome {
    fn of(stamping: Stamping, seed: u64) -> Self {
        let mut replicas = Replica::all(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut outcome = Self {
            stamping,
            after_read: 0,
            lost_after_read: 0,
            after_call: 0,
            lost_after_call: 0,
            waited: Duration::ZERO,
            max_wait: Duration::ZERO,
            first_loss: None,
        };
        // From when on the replicas' clocks are set in turn.
        let mut truth = POLL;
        let mut kept: Option<Write> = None;
        for _ in 0..WRITES {
            truth += rng.random_range(Duration::ZERO..=MAX_PAUSE);
            let number = rng.random_range(0..REPLICAS);
            let has_read = rng.random();
            let seen = kept.filter(|_| has_read).map(|write| write.stamp);
            let at = truth;
            let replica = replicas.get_mut(number).expect("it was drawn from them");
            let stamp = replica.stamp(stamping, &mut truth, seen);
            let write = Write { at, replica: number, stamp };
            outcome.wait(truth - at);
            kept = outcome.keep(kept, write, has_read);
        }
        outcome
    }

    fn wait(&mut self, wait: Duration) {
        self.waited += wait;
        self.max_wait = self.max_wait.max(wait);
    }

    /// Returns which of two writes is kept, and notes it if that is not the later one.
    fn keep(&mut self, kept: Option<Write>, write: Write, has_read: bool) -> Option<Write> {
        // Equal stamps are decided by the replica, as they have to be by something.
        let order = |write: Write| (write.stamp, write.replica);
        let lost = kept.filter(|&kept| order(write) <= order(kept));
        let (all, losses) = if has_read {
            (&mut self.after_read, &mut self.lost_after_read)
        } else {
            (&mut self.after_call, &mut self.lost_after_call)
        };
        *all += 1;
        *losses += u32::from(lost.is_some());
        let Some(kept) = lost else {
            return Some(write);
        };
        self.first_loss.get_or_insert(Loss { kept, lost: write });
        Some(kept)
    }
}

/// A replica and its clocks.
#[derive(Debug)]
struct Replica {
    node: Node,
    hybrid: HybridClock,
}

impl Replica {
    fn all(seed: u64) -> [Self; REPLICAS] {
        // Their clocks are set one after the other.
        [(1, POLL), (2, POLL / 3), (3, POLL * 2 / 3)].map(|(number, first_poll)| {
            let node = Node::new(seed, number, first_poll);
            Self { node, hybrid: HybridClock::new(MAX_OFFSET) }
        })
    }

    /// Stamps a write that begins at `truth`, and moves that on to when it is acknowledged.
    ///
    /// `seen` is the stamp of what its author has read.
    fn stamp(
        &mut self,
        stamping: Stamping,
        truth: &mut Duration,
        seen: Option<WallTime>,
    ) -> WallTime {
        let reading = self.node.read(*truth);
        match stamping {
            Stamping::WallClock => reading.wall(),
            Stamping::Hybrid => {
                let seen = seen.and_then(|seen| HybridTimestamp::from_nanos(seen.as_nanos()));
                let stamp = match seen {
                    Some(seen) => self.hybrid.witness(seen, reading.wall()),
                    None => Ok(self.hybrid.tick(reading.wall())),
                };
                stamp.expect("the replicas are milliseconds apart").wall_time()
            }
            Stamping::Latest => reading.interval.latest(),
            Stamping::CommitWait => {
                let commit = CommitWait::new(reading.interval.latest());
                self.node.wait(commit, truth);
                commit.timestamp()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_clock_keeps_the_order_that_it_knows_of() {
        for seed in 0..10 {
            let [wall, hybrid, latest, waited] =
                Stamping::ALL.map(|stamping| Outcome::of(stamping, seed));
            for careless in [&wall, &latest] {
                assert!(careless.lost_after_read > WRITES / 100, "seed {seed}: {careless:?}");
                assert!(careless.lost_after_call > WRITES / 100, "seed {seed}: {careless:?}");
            }
            assert_eq!(hybrid.lost_after_read, 0, "seed {seed}");
            assert!(hybrid.lost_after_call > WRITES / 100, "seed {seed}: {hybrid:?}");
            assert_eq!((waited.lost_after_read, waited.lost_after_call), (0, 0), "seed {seed}");
            assert_eq!(waited.first_loss, None);
        }
    }

    #[test]
    fn only_the_wait_takes_time_and_it_is_twice_the_uncertainty() {
        let [wall, hybrid, latest, waited] = Stamping::ALL.map(|stamping| Outcome::of(stamping, 1));
        assert!([wall, hybrid, latest].iter().all(|outcome| outcome.max_wait.is_zero()));
        let (least, most) = (BASE * 2, (BASE + DRIFT.over(POLL)) * 2);
        let mean = waited.waited / WRITES;
        assert!(mean > least && mean < most, "{mean:?}");
        // One that the clock is set in can take as much longer as the new interval is wide.
        assert!(waited.max_wait > mean && waited.max_wait < most + BASE * 3, "{waited:?}");
    }

    #[test]
    fn the_loss_that_is_shown_is_one() {
        let Loss { kept, lost } = Outcome::of(Stamping::WallClock, 0).first_loss.unwrap();
        assert!(kept.at < lost.at && kept.stamp >= lost.stamp);
        assert_ne!(kept.replica, lost.replica);
    }
}
