use core::time::Duration;

use serde::Serialize;

use super::{
    as_nanos,
    node::{Node, POLL, true_time},
};

/// How many polls are shown.
const POLLS: u32 = 4;

/// How many equal steps there are between two polls.
const STEPS: u32 = 300;

/// How the uncertainty of one clock rises between polls, and falls at each.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Sawtooth {
    #[serde(rename = "min_ns", serialize_with = "as_nanos")]
    pub(super) min: Duration,
    #[serde(rename = "mean_ns", serialize_with = "as_nanos")]
    pub(super) mean: Duration,
    #[serde(rename = "max_ns", serialize_with = "as_nanos")]
    pub(super) max: Duration,
    pub(super) readings: u32,
    /// How many of the readings were true.
    pub(super) contained: u32,
    /// The uncertainty at each reading: as many, and as far apart, after each poll.
    #[serde(skip)]
    pub(super) uncertainties: Vec<Duration>,
}

impl Sawtooth {
    /// Reads a clock from each poll until right before the next, in steps of the same length.
    pub(super) fn run(seed: u64) -> Self {
        let mut node = Node::new(seed, 0, POLL);
        let mut uncertainties = Vec::new();
        let mut contained = 0;
        let mut polled = Duration::ZERO;
        for _ in 0..POLLS {
            for step in 0..=STEPS {
                // The last is as late as it can be.
                let since = (POLL * step / STEPS).min(POLL - Duration::from_micros(1));
                let truth = polled + node.time_to_count(since);
                let interval = node.read(truth).interval;
                uncertainties.push(interval.uncertainty());
                contained += u32::from(interval.contains(true_time(truth)));
            }
            polled += node.time_to_count(POLL);
            node.read(polled);
        }
        let readings = POLLS * (STEPS + 1);
        Self {
            min: uncertainties.iter().min().copied().unwrap_or_default(),
            mean: uncertainties.iter().sum::<Duration>() / readings,
            max: uncertainties.iter().max().copied().unwrap_or_default(),
            readings,
            contained,
            uncertainties,
        }
    }

    /// Returns how much time it is about.
    pub(super) fn span() -> Duration {
        POLL * POLLS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::simulate::node::{BASE, DRIFT};

    /// A line from ε₀ to ε₀ + ρ·T is ε₀ + ρ·T/2 on average.
    #[test]
    fn its_ends_and_mean_are_those_of_the_closed_form() {
        let rise = DRIFT.over(POLL);
        assert_eq!(rise.as_micros(), 6_001);
        for seed in 0..20 {
            let sawtooth = Sawtooth::run(seed);
            let near =
                |found: Duration, expected: Duration| found.abs_diff(expected).as_nanos() <= 2;
            assert!(near(sawtooth.min, BASE), "{:?}", sawtooth.min);
            assert!(near(sawtooth.max, BASE + rise), "{:?}", sawtooth.max);
            assert!(near(sawtooth.mean, BASE + rise / 2), "{:?}", sawtooth.mean);
            assert_eq!((sawtooth.contained, sawtooth.readings), (1_204, 1_204));
        }
    }

    #[test]
    fn it_rises_between_polls_and_falls_at_each() {
        let uncertainties = Sawtooth::run(1).uncertainties;
        for tooth in uncertainties.chunks(301) {
            assert!(tooth.is_sorted_by(|one, next| one < next));
        }
        let falls = uncertainties.windows(2).filter(|pair| pair[1] < pair[0]).count();
        assert_eq!(falls, 3);
    }
}
