use core::{array, fmt};

use surmise_clock::{DottedVersionVectorSet, VectorClock};

use super::{Random, Report, wire};

/// Reports the siblings at three replicas whose clients read, write, delete, and overlook each other.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(12);
    let mut replicas: [DottedVersionVectorSet<u16, u64>; 3] = Default::default();
    let mut reads: [VectorClock<u16>; 3] = Default::default();
    for number in 0..STEPS {
        let [at, client] = array::from_fn(|_| random.below(3) as usize);
        match random.below(8) {
            0 | 1 => reads[client] = replicas[at].context().clone(),
            2..=4 => {
                let written = replicas[at].put(&reads[client], &(at as u16), number);
                report.value("put", number, &written)?;
            }
            5 => replicas[at].discard(&reads[client]),
            _ => {
                let other = replicas[client].clone();
                replicas[at].sync(&other);
            }
        }
        report.value("siblings", number, &replicas[at])?;
        wire::round_trip(report, number, &replicas[at])?;
    }
    // A context from nowhere leaves no number for another value.
    let context = VectorClock::from_iter([(0, u64::MAX)]);
    report.value("put", STEPS, &replicas[0].put(&context, &0, STEPS))
}

const STEPS: u64 = 150;
