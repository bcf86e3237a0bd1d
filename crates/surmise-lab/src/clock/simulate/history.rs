use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use surmise_clock::{HybridClock, HybridTimestamp};
use surmise_interval::CommitWait;
use surmise_time::WallTime;

use super::{
    as_nanos,
    node::{Node, POLL},
};

/// How long after a write was acknowledged the next one may begin at most.
pub(super) const MAX_PAUSE: Duration = Duration::from_millis(10);

/// How far ahead a stamp from elsewhere may be to be taken in: far more than these nodes are apart.
const MAX_OFFSET: Duration = Duration::from_millis(500);

/// What a write is stamped with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stamping {
    /// The node's wall clock.
    WallClock,
    /// A hybrid clock, which hears of nothing but its own node's writes.
    Hybrid,
    /// A hybrid clock, which the client tells the stamp of the write before.
    HybridPassed,
    /// The latest that the time can be, without a wait.
    Latest,
    /// The latest that the time can be, and the write is acknowledged when that is past for
    /// certain.
    CommitWait,
}

impl Stamping {
    const ALL: [Self; 5] =
        [Self::WallClock, Self::Hybrid, Self::HybridPassed, Self::Latest, Self::CommitWait];
}

/// What became of many writes, one after the other, to a register that keeps the greatest stamp.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Outcome {
    pub(super) stamping: Stamping,
    pub(super) writes: u32,
    /// How many writes lost against one that had been acknowledged before they began.
    pub(super) lost: u32,
    /// What the waits made of a write's latency, on average.
    #[serde(rename = "mean_wait_ns", serialize_with = "as_nanos")]
    pub(super) mean_wait: Duration,
    #[serde(rename = "max_wait_ns", serialize_with = "as_nanos")]
    pub(super) max_wait: Duration,
}

impl Outcome {
    /// Stamps the same writes in each way.
    pub(super) fn all(seed: u64, writes: u32) -> Vec<Self> {
        Stamping::ALL.map(|stamping| Self::of(stamping, seed, writes)).into()
    }

    fn of(stamping: Stamping, seed: u64, writes: u32) -> Self {
        let mut cluster = Cluster::new(stamping, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // From when on the nodes are polled in turn.
        let (mut truth, mut register) = (POLL, None);
        let (mut lost, mut waited, mut max_wait) = (0, Duration::ZERO, Duration::ZERO);
        for _ in 0..writes {
            truth += rng.random_range(Duration::ZERO..=MAX_PAUSE);
            let at = rng.random_range(0..NODES);
            let began = truth;
            let stamp = cluster.write(at, &mut truth, register.map(|(stamp, _)| stamp));
            // Equal stamps are decided by the node, as they have to be by something.
            let write = Some((stamp, at));
            lost += u32::from(write <= register);
            register = register.max(write);
            let wait = truth - began;
            waited += wait;
            max_wait = max_wait.max(wait);
        }
        Self { stamping, writes, lost, mean_wait: waited / writes.max(1), max_wait }
    }
}

const NODES: usize = 2;

/// Two nodes that stamp writes in one way.
#[derive(Debug)]
struct Cluster {
    stamping: Stamping,
    nodes: [(Node, HybridClock); NODES],
}

impl Cluster {
    fn new(stamping: Stamping, seed: u64) -> Self {
        // The second is polled half-way between two polls of the first.
        let node = |number, first_poll| {
            (Node::new(seed, number, first_poll), HybridClock::new(MAX_OFFSET))
        };
        Self { stamping, nodes: [node(1, POLL), node(2, POLL / 2)] }
    }

    /// Stamps a write that begins at `truth`, and moves that on to when it is acknowledged.
    ///
    /// `seen` is the stamp that the client saw last.
    fn write(&mut self, at: usize, truth: &mut Duration, seen: Option<WallTime>) -> WallTime {
        let [first, second] = &mut self.nodes;
        let (node, hybrid) = if at == 0 { first } else { second };
        let reading = node.read(*truth);
        match self.stamping {
            Stamping::WallClock => reading.wall(),
            Stamping::Hybrid => hybrid.tick(reading.wall()).wall_time(),
            Stamping::HybridPassed => {
                let seen = seen.and_then(|seen| HybridTimestamp::from_nanos(seen.as_nanos()));
                let stamp = match seen {
                    Some(seen) => hybrid.witness(seen, reading.wall()),
                    None => Ok(hybrid.tick(reading.wall())),
                };
                stamp.expect("the nodes are milliseconds apart").wall_time()
            }
            Stamping::Latest | Stamping::CommitWait => {
                // The wait alone makes timestamps ascend, those of one node too.
                let commit = CommitWait::new(reading.interval.latest());
                if self.stamping == Stamping::CommitWait {
                    node.wait(commit, truth);
                }
                commit.timestamp()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::simulate::node::{BASE, DRIFT};

    const WRITES: u32 = 20_000;

    fn outcomes(seed: u64) -> [Outcome; 5] {
        Outcome::all(seed, WRITES).try_into().unwrap()
    }

    #[test]
    fn only_those_stamps_that_say_so_keep_every_update() {
        for seed in 0..10 {
            let [wall, hybrid, passed, latest, waited] = outcomes(seed);
            assert!(wall.lost > WRITES / 100, "seed {seed}: {wall:?}");
            assert!(hybrid.lost > WRITES / 100, "seed {seed}: {hybrid:?}");
            assert!(latest.lost > WRITES / 100, "seed {seed}: {latest:?}");
            assert_eq!((passed.lost, waited.lost), (0, 0), "seed {seed}");
        }
    }

    /// A wait is twice the uncertainty, from 2 to 14 ms. As the nodes are polled in turn, the two
    /// nodes' average goes from 5 to 11 ms in each half of a period; but the shorter the waits are,
    /// the more writes there are, one every pause and wait.
    #[test]
    fn only_commit_wait_takes_time_and_how_much_is_known() {
        for seed in 0..5 {
            let [others @ .., waited] = outcomes(seed);
            assert!(others.iter().all(|outcome| outcome.max_wait.is_zero()));
            let millis = |time: Duration| time.as_secs_f64() * 1e3;
            let pause = millis(MAX_PAUSE) / 2.0;
            let rise = millis(2 * DRIFT.over(POLL));
            let shortest = millis(2 * BASE) + rise / 4.0;
            let longest = shortest + rise / 2.0;
            let mean = rise / 2.0 / ((pause + longest) / (pause + shortest)).ln() - pause;
            assert!((mean - 7.766).abs() < 0.01, "{mean}");
            assert!((millis(waited.mean_wait) / mean - 1.0).abs() < 0.03, "{:?}", waited.mean_wait);
            // One that a poll falls into can take as much longer as the new interval is wide.
            let longest = millis(2 * BASE) + rise;
            let range = longest - 0.1..longest + millis(2 * BASE) + 0.01;
            assert!(range.contains(&millis(waited.max_wait)), "{:?}", waited.max_wait);
        }
    }

    #[test]
    fn a_seed_makes_the_same_history_again_and_another_does_not() {
        assert_eq!(outcomes(7), outcomes(7));
        assert_ne!(outcomes(7), outcomes(8));
    }

    /// By a slower way: a write is lost if any before it has a greater stamp.
    #[test]
    fn lost_updates_are_those_that_an_earlier_write_outlasts() {
        let mut cluster = Cluster::new(Stamping::WallClock, 3);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut truth = POLL;
        let mut writes = Vec::new();
        for _ in 0..500 {
            truth += rng.random_range(Duration::ZERO..=MAX_PAUSE);
            let at = rng.random_range(0..NODES);
            writes.push((cluster.write(at, &mut truth, None), at));
        }
        let is_lost = |&index: &usize| writes[..index].iter().any(|write| *write >= writes[index]);
        let lost = (0..writes.len()).filter(is_lost).count();
        let counted = Outcome::of(Stamping::WallClock, 3, 500).lost;
        assert_eq!(lost, usize::try_from(counted).unwrap());
        assert!(lost > 0);
    }
}
