use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use super::{
    faults::{Kill, Partition, Pause, Place, Skew, Target},
    seed::{Purpose, of_run},
    setup::Timing,
};

/// What is done to the nodes, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// In the order of their times.
    pub(super) steps: Vec<(Duration, Step)>,
    /// When the client begins nothing more, and all is well again.
    pub(super) duration: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To be undone by the step of the same number.
    Pause {
        target: Target,
        number: usize,
    },
    Resume {
        number: usize,
    },
    Kill {
        target: Target,
        number: usize,
    },
    Restart {
        number: usize,
    },
    Cut(Vec<Vec<Place>>),
    Heal,
    Skew {
        node: usize,
        by_ns: i64,
    },
}

/// All faults of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) pauses: Vec<Pause>,
    pub(super) kills: Vec<Kill>,
    pub(super) partitions: Vec<Partition>,
    pub(super) skews: Vec<Skew>,
}

impl Plan {
    /// Returns what the faults come to. Unless it is said how long, they are followed by `rest`; and it is no shorter than
    /// they are.
    pub(super) fn new(faults: &Faults, duration: Option<Duration>, rest: Duration) -> Self {
        let mut steps = Vec::new();
        let mut number = 0;
        for &Pause { target, at, lasts } in &faults.pauses {
            number += 1;
            steps.push((at, Step::Pause { target, number }));
            steps.push((at + lasts, Step::Resume { number }));
        }
        for &Kill { target, at, back_after } in &faults.kills {
            number += 1;
            steps.push((at, Step::Kill { target, number }));
            steps.extend(back_after.map(|back| (at + back, Step::Restart { number })));
        }
        // One may begin when another ends.
        let mut partitions: Vec<_> = faults.partitions.iter().collect();
        partitions.sort_by_key(|partition| partition.at);
        for Partition { sides, at, lasts } in partitions {
            steps.push((*at, Step::Cut(sides.clone())));
            steps.push((*at + *lasts, Step::Heal));
        }
        for &Skew { node, by_ns, at } in &faults.skews {
            steps.push((at, Step::Skew { node, by_ns }));
        }
        steps.sort_by_key(|(at, _)| *at);
        let last = steps.last().map_or(Duration::ZERO, |(at, _)| *at);
        Self { steps, duration: duration.unwrap_or(last + rest).max(last) }
    }
}

impl Faults {
    /// Draws the faults of a run from a seed: a leader that is stopped for longer than its lease lasts and it takes to
    /// have another, which without a fence corrupts something; none, one or two others after it; and clocks that are off.
    pub(super) fn draw(seed: u64, nodes: usize, timing: Timing) -> Self {
        let mut rng = of_run(seed, Purpose::Faults);
        let mut faults = Self::default();
        let unit = timing.detection;
        let mut at = unit * 2 + unit.mul_f64(rng.random_range(0.0..1.0));
        let lasts = timing.lease.max(unit) + unit.mul_f64(rng.random_range(1.5..2.5));
        faults.pauses.push(Pause { target: Target::Leader, at, lasts });
        at += lasts + unit.mul_f64(rng.random_range(1.0..2.0));
        for _ in 0..rng.random_range(0..=2) {
            let lasts = unit.mul_f64(rng.random_range(0.8..3.5));
            // Another node could be the one that was killed for ever.
            let target = if faults.killed() > 0 || rng.random_bool(0.7) {
                Target::Leader
            } else {
                Target::Node(rng.random_range(0..nodes))
            };
            match rng.random_range(0..3) {
                0 => faults.pauses.push(Pause { target, at, lasts }),
                1 => {
                    // A second one that does not come back could leave too few.
                    let is_first = faults.kills.is_empty();
                    let back_after = (!is_first || rng.random_bool(0.5)).then_some(lasts);
                    faults.kills.push(Kill { target, at, back_after });
                }
                _ => {
                    let sides = draw_sides(&mut rng, nodes);
                    faults.partitions.push(Partition { sides, at, lasts });
                }
            }
            at += lasts + unit.mul_f64(rng.random_range(1.0..2.0));
        }
        if rng.random_bool(0.5) {
            let by_ns = rng.random_range(-MAX_SKEW_NS..=MAX_SKEW_NS);
            let skew = Skew { node: rng.random_range(0..nodes), by_ns, at: Duration::ZERO };
            faults.skews.push(skew);
        }
        faults
    }

    /// Returns when the last fault that is drawn is over at the latest.
    pub(super) fn longest_drawn(timing: Timing) -> Duration {
        timing.lease.max(timing.detection) + timing.detection * 17
    }

    /// Returns how far a stamp can be ahead of a clock at most. A hybrid clock does not go back with the clock that it was
    /// ahead by, and what it said is known to others.
    pub(super) fn spread(&self) -> Duration {
        let mut skews: Vec<_> = self.skews.iter().collect();
        skews.sort_by_key(|skew| skew.at);
        let mut clocks: BTreeMap<usize, i64> = BTreeMap::new();
        let (mut highest, mut spread) = (0, 0);
        for &&Skew { node, by_ns, .. } in &skews {
            let clock = clocks.entry(node).or_default();
            *clock = clock.saturating_add(by_ns);
            highest = highest.max(*clock);
            // The client's clock is right.
            let lowest = clocks.values().copied().min().unwrap_or(0).min(0);
            spread = spread.max(highest.abs_diff(lowest));
        }
        Duration::from_nanos(spread)
    }

    /// Returns two partitions of which one begins before the other is over.
    pub(super) fn overlap(&self) -> Option<[&Partition; 2]> {
        let mut partitions: Vec<_> = self.partitions.iter().collect();
        partitions.sort_by_key(|partition| partition.at);
        partitions.windows(2).find_map(|pair| match pair {
            &[first, second] if first.at + first.lasts > second.at => Some([first, second]),
            _ => None,
        })
    }

    /// Returns how many nodes may be killed that do not come back: each time it may be another that leads.
    pub(super) fn killed(&self) -> usize {
        let kills = self.kills.iter().filter(|kill| kill.back_after.is_none());
        let (mut leaders, mut nodes) = (0, BTreeSet::new());
        for Kill { target, .. } in kills {
            match target {
                Target::Leader => leaders += 1,
                Target::Node(node) => _ = nodes.insert(node),
            }
        }
        leaders + nodes.len()
    }
}

/// Draws two sides, with the client and the store on one, or reached by both.
fn draw_sides(rng: &mut ChaCha8Rng, nodes: usize) -> Vec<Vec<Place>> {
    let mut all: Vec<_> = (0..nodes).map(Place::Node).collect();
    all.shuffle(rng);
    let other = all.split_off(rng.random_range(1..nodes));
    let mut sides = [all, other];
    for place in [Place::Client, Place::Store] {
        if let Some(side) = sides.get_mut(rng.random_range(0..3)) {
            side.push(place);
        }
    }
    sides.to_vec()
}

/// The longest run. Every leader reads the whole log, and knows so many writes.
pub(super) const LONGEST_RUN: Duration = Duration::from_secs(10 * 60);

const MAX_SKEW_NS: i64 = 30_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_millis(500);
    const TIMING: Timing = Timing {
        heartbeat: Duration::from_millis(50),
        detection: UNIT,
        lease: Duration::from_secs(2),
        work: Duration::from_millis(20),
    };

    #[test]
    fn what_is_drawn_leaves_a_majority_and_can_be_done() {
        let mut kinds = [0; 3];
        for seed in 0..1000 {
            let faults = Faults::draw(seed, 3, TIMING);
            assert_eq!(faults, Faults::draw(seed, 3, TIMING));
            let first = &faults.pauses[0];
            assert_eq!(first.target, Target::Leader, "seed {seed}");
            assert!(first.lasts >= TIMING.lease + UNIT, "seed {seed}: {first:?}");
            assert_eq!(faults.overlap(), None, "seed {seed}");
            let plan = Plan::new(&faults, None, Duration::ZERO);
            assert!(plan.duration <= Faults::longest_drawn(TIMING), "seed {seed}");
            let Faults { pauses, kills, partitions, skews } = &faults;
            let gone = kills.iter().filter(|kill| kill.back_after.is_none()).count();
            assert!(gone <= 1, "seed {seed}: {kills:?}");
            let targets = pauses.iter().map(|pause| pause.target);
            for target in targets.chain(kills.iter().map(|kill| kill.target)) {
                assert!(matches!(target, Target::Leader | Target::Node(0..3)), "seed {seed}");
            }
            for Partition { sides, .. } in partitions {
                let nodes = |side: &Vec<Place>| {
                    side.iter().filter(|place| matches!(place, Place::Node(_))).count()
                };
                assert!(sides.iter().all(|side| nodes(side) > 0), "seed {seed}: {sides:?}");
                assert_eq!(sides.iter().map(nodes).sum::<usize>(), 3, "seed {seed}: {sides:?}");
            }
            assert!(skews.iter().all(|skew| skew.node < 3), "seed {seed}: {skews:?}");
            assert!(faults.spread() <= Duration::from_secs(30), "seed {seed}: {skews:?}");
            for (kind, count) in kinds.iter_mut().zip([pauses.len(), kills.len(), partitions.len()])
            {
                *kind += count;
            }
        }
        assert!(kinds.iter().all(|&count| count > 250), "{kinds:?}");
    }

    fn skews(skews: &[(usize, i64, u64)]) -> Duration {
        let skew = |&(node, seconds, at)| Skew {
            node,
            by_ns: seconds * 1_000_000_000,
            at: Duration::from_secs(at),
        };
        Faults { skews: skews.iter().map(skew).collect(), ..Faults::default() }.spread()
    }

    #[test]
    fn clocks_are_as_far_apart_as_they_ever_are() {
        for (given, seconds) in [
            (&[][..], 0),
            (&[(1, 40, 0)], 40),
            (&[(1, 40, 0), (1, 40, 2)], 80),
            // Once ahead, then right.
            (&[(1, 40, 0), (1, -40, 2)], 40),
            (&[(1, -40, 0), (1, 40, 2)], 40),
            // In the order of time.
            (&[(1, -40, 2), (1, 40, 1), (1, 40, 0)], 80),
            // Others know what it said when it was ahead.
            (&[(1, 40, 0), (1, -80, 2)], 80),
            (&[(1, 40, 0), (1, -40, 1), (2, -30, 2)], 70),
            (&[(1, 40, 0), (2, -30, 0)], 70),
        ] {
            assert_eq!(skews(given), Duration::from_secs(seconds), "{given:?}");
        }
        let most = Skew { node: 0, by_ns: i64::MAX, at: Duration::ZERO };
        let faults = Faults { skews: vec![most; 3], ..Faults::default() };
        assert_eq!(faults.spread().as_nanos(), i64::MAX.unsigned_abs().into());
    }

    #[test]
    fn partitions_overlap_unless_one_is_over_when_the_next_begins() {
        let overlap = |times: &[(u64, u64)]| {
            let partition = |&(at, lasts): &(u64, u64)| {
                let [at, lasts] = [at, lasts].map(Duration::from_secs);
                Partition { sides: vec![vec![Place::Node(0)], vec![Place::Node(1)]], at, lasts }
            };
            let partitions = times.iter().map(partition).collect();
            let faults = Faults { partitions, ..Faults::default() };
            let plan = Plan::new(&faults, None, Duration::ZERO);
            let steps = plan.steps.iter();
            let is_cut: Vec<_> = steps.map(|(_, step)| matches!(step, Step::Cut(_))).collect();
            (faults.overlap().map(|pair| pair.map(ToString::to_string)), is_cut)
        };
        let texts = |texts: [&str; 2]| Some(texts.map(str::to_owned));
        assert_eq!(overlap(&[]).0, None);
        assert_eq!(overlap(&[(1, 5), (2, 1)]).0, texts(["0|1@1s+5s", "0|1@2s+1s"]));
        assert_eq!(overlap(&[(9, 1), (2, 2), (1, 2)]).0, texts(["0|1@1s+2s", "0|1@2s+2s"]));
        // However they are given, one ends before the next begins.
        assert_eq!(overlap(&[(2, 1), (1, 1)]), (None, vec![true, false, true, false]));
    }

    #[test]
    fn nodes_that_are_killed_for_ever_are_counted_once() {
        let kill = |target, back_after| Kill { target, at: UNIT, back_after };
        let [one, two] = [1, 2].map(Target::Node);
        let kills = vec![
            kill(one, None),
            kill(one, None),
            kill(two, Some(UNIT)),
            kill(Target::Leader, None),
            kill(Target::Leader, None),
            kill(Target::Leader, Some(UNIT)),
        ];
        assert_eq!(Faults { kills, ..Faults::default() }.killed(), 3);
    }

    #[test]
    fn steps_come_in_the_order_of_their_times_and_are_undone() {
        let [one, two, three] = [1, 2, 3].map(Duration::from_secs);
        let faults = Faults {
            pauses: vec![Pause { target: Target::Leader, at: two, lasts: two }],
            kills: vec![Kill { target: Target::Node(1), at: one, back_after: Some(two) }],
            ..Faults::default()
        };
        let plan = Plan::new(&faults, None, one);
        let steps = [
            (one, Step::Kill { target: Target::Node(1), number: 2 }),
            (two, Step::Pause { target: Target::Leader, number: 1 }),
            (three, Step::Restart { number: 2 }),
            (two * 2, Step::Resume { number: 1 }),
        ];
        assert_eq!((plan.steps.as_slice(), plan.duration), (steps.as_slice(), one * 5));
        assert_eq!(Plan::new(&faults, Some(one), one).duration, two * 2);
        assert_eq!(Plan::new(&faults, Some(one * 9), one).duration, one * 9);
    }
}
