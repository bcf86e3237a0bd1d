use core::time::Duration;

use rand::{RngExt as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use super::faults::{Kill, Partition, Pause, Place, Skew, Target};

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
        for Partition { sides, at, lasts } in &faults.partitions {
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
    /// Draws the faults of a run from a seed: one of those that cost a leader, sometimes another thing after it, and
    /// clocks that are off. `unit` is the detection time.
    pub(super) fn draw(seed: u64, nodes: usize, unit: Duration) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ DRAWS);
        let mut faults = Self::default();
        let mut at = unit * 2 + unit.mul_f64(rng.random_range(0.0..1.0));
        let count = rng.random_range(1..=2);
        for turn in 0..count {
            let lasts = unit.mul_f64(rng.random_range(0.8..3.5));
            let target = if turn == 0 || rng.random_bool(0.5) {
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

    /// Returns how far two clocks are apart at most.
    pub(super) fn spread(&self) -> Duration {
        let skews = || self.skews.iter().map(|skew| skew.by_ns).chain([0]);
        let (least, most) = (skews().min().unwrap_or(0), skews().max().unwrap_or(0));
        Duration::from_nanos(most.abs_diff(least))
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

/// So that what is drawn from a seed for the faults is not what is drawn from it for something else.
const DRAWS: u64 = 0x6661_756c_7473;

const MAX_SKEW_NS: i64 = 30_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Duration = Duration::from_millis(500);

    #[test]
    fn what_is_drawn_leaves_a_majority_and_can_be_done() {
        let mut kinds = [0; 3];
        for seed in 0..1000 {
            let faults = Faults::draw(seed, 3, UNIT);
            assert_eq!(faults, Faults::draw(seed, 3, UNIT));
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
        assert!(kinds.iter().all(|&count| count > 300), "{kinds:?}");
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
