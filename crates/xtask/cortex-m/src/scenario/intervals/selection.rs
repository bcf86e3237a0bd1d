use alloc::vec::Vec;
use core::fmt;

use surmise_interval::{
    Interval, order,
    select::{Candidate, Smearing, intersection, marzullo},
};
use surmise_time::WallTime;

use super::{Random, Report};

/// Reports which of some sources are believed, and the order of what they say as events.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(33);
    for number in 0..STEPS {
        let sources = random.below(9);
        let mixed = random.below(8) == 0;
        let candidates: Vec<Candidate<u64>> =
            (0..sources).map(|name| candidate(&mut random, name, mixed)).collect();
        report.value("marzullo", number, &marzullo(&candidates))?;
        report.value("intersection_of", number, &intersection(&candidates))?;
        let events: Vec<Interval> = candidates.iter().map(|source| source.interval).collect();
        report.value("concurrent_pairs", number, &order::concurrent_pairs(&events))?;
        report.value("groups", number, &order::groups(&events))?;
    }
    Ok(())
}

/// Few times, so that ends meet.
fn candidate(random: &mut Random, name: u64, mixed: bool) -> Candidate<u64> {
    let earliest = random.below(40);
    let ends = [earliest, earliest + random.below(20)].map(WallTime::from_nanos);
    let interval = Interval::new(ends[0], ends[1]).expect("it begins before it ends");
    let smears = mixed && random.below(2) == 0;
    let smearing = if smears { Smearing::Smeared } else { Smearing::Stepped };
    Candidate { name, interval, smearing }
}

const STEPS: u64 = 150;
