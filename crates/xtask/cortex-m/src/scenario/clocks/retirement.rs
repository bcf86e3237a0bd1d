use core::{array, fmt};

use surmise_clock::{Retirements, VectorClock};

use super::{Random, Report, wire};

/// Reports the clocks of four replicas that retire each other and hear of it sooner or later.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(14);
    let mut nodes: [Node; 4] = Default::default();
    for number in 0..STEPS {
        let [at, other] = array::from_fn(|_| random.below(4) as usize);
        let (me, departed) = (at as u16, other as u16);
        match random.below(16) {
            0..=5 => {
                nodes[at].retirements.restore(&mut nodes[at].clock);
                report.value("event", number, &nodes[at].clock.increment(&me))?;
            }
            6..=11 => {
                let other = nodes[other].clone();
                nodes[at].hear(report, number, &other)?;
            }
            12 | 13 => nodes[at].retirements.compact(&mut nodes[at].clock),
            _ => {
                let Node { clock, retirements } = &mut nodes[at];
                report.value("retired", number, &retirements.retire(clock, &departed, &me))?;
            }
        }
        let (ours, theirs) = (&nodes[at], &nodes[other]);
        let order = ours.retirements.causal_order(&ours.clock, &theirs.clock);
        report.value("retired_order", number, &(order, &ours.clock))?;
    }
    Ok(())
}

#[derive(Clone, Default)]
struct Node {
    clock: VectorClock<u16>,
    retirements: Retirements<u16>,
}

impl Node {
    fn hear(&mut self, report: &mut Report<'_>, number: u64, other: &Self) -> fmt::Result {
        for tombstone in other.retirements.iter() {
            report.value("learned", number, &self.retirements.learn(*tombstone))?;
            wire::round_trip(report, number, tombstone)?;
        }
        self.clock.merge(&other.clock);
        Ok(())
    }
}

const STEPS: u64 = 200;
