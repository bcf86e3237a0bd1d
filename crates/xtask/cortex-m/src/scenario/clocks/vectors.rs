use core::{array, fmt};

use surmise_clock::{BoundedVectorClock, DenseVectorClock, Dot, VectorClock};

use super::{Random, Report, wire};

/// Reports clocks of each kind that count, hear of each other and fill up.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(11);
    let mut growing: [VectorClock<u16, 4>; 3] = Default::default();
    let mut bounded: [BoundedVectorClock<u16, 12>; 3] = Default::default();
    let mut dense: [DenseVectorClock<20>; 3] = Default::default();
    for number in 0..STEPS {
        let [at, from] = array::from_fn(|_| random.below(3) as usize);
        let replica = random.below(24) as u16;
        match random.below(8) {
            0..=3 => {
                report.value("increment", number, &growing[at].increment(&replica))?;
                report.value("increment_bounded", number, &bounded[at].increment(&replica))?;
                report.value("increment_dense", number, &dense[at].increment(replica.into()))?;
            }
            4 => {
                let counter = random.next() >> random.below(64);
                let dot = Dot { replica, counter };
                report.value("record", number, &growing[at].record(&dot))?;
                report.value("record_bounded", number, &bounded[at].record(&dot))?;
                let dot = Dot { replica: usize::from(replica), counter };
                report.value("record_dense", number, &dense[at].record(&dot))?;
            }
            5 => {
                let other = growing[from].clone();
                growing[at].merge(&other);
                let other = bounded[from].clone();
                report.value("merge_bounded", number, &bounded[at].try_merge(&other))?;
                let other = dense[from].clone();
                dense[at].merge(&other);
            }
            6 => {
                growing[at] = growing[from].clone();
                bounded[at] = bounded[from].clone();
                dense[at] = dense[from].clone();
            }
            _ => wire::round_trip(report, number, &growing[at])?,
        }
        report.value("order", number, &growing[at].causal_order(&growing[from]))?;
        report.value("order_bounded", number, &bounded[at].causal_order(&bounded[from]))?;
        report.value("order_dense", number, &dense[at].causal_order(&dense[from]))?;
    }
    for number in 0..3 {
        let at = number as usize;
        wire::round_trip(report, number, &growing[at])?;
        wire::round_trip(report, number, &bounded[at])?;
        wire::round_trip(report, number, &dense[at])?;
    }
    Ok(())
}

const STEPS: u64 = 400;
