//! How often an interval around a measured rate of mistakes holds the true one.

use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Binomial;
use surmise_detector::{FailureDetector, FixedTimeout, QosMeter};
use surmise_time::Instant;

use super::story::{Figure, Source, Story, Value};
use crate::compare::{confidence::poisson_interval, number::float, text};

const SOURCES: &[Source] = &[
    Source {
        title: "Garwood, Fiducial limits for the Poisson distribution, 1936",
        url: "https://doi.org/10.1093/biomet/28.3-4.437",
    },
    Source {
        title: "Efron, Bootstrap methods: another look at the jackknife, 1979",
        url: "https://doi.org/10.1214/aos/1176344552",
    },
    Source {
        title: "Künsch, The jackknife and the bootstrap for general stationary observations, 1989",
        url: "https://doi.org/10.1214/aos/1176347265",
    },
    Source {
        title: "Chen, Toueg and Aguilera, On the quality of service of failure detectors, 2002",
        url: "https://doi.org/10.1109/TC.2002.1004595",
    },
];

/// Which share of the heartbeats is truly late.
const LATE: f64 = 0.01;

/// Of the heartbeats after a late one, where they come in bursts: four in a row on average.
const LATE_AGAIN: f64 = 0.75;

/// The detector's timeout; a heartbeat is sent every 100 ms.
const TIMEOUT: Duration = Duration::from_millis(200);

/// How many heartbeats a trace has.
const LENGTHS: [u32; 6] = [100, 200, 500, 1_000, 2_000, 5_000];

/// How many traces there are of each length.
const TRACES: u32 = 200;

/// How often the heartbeats of a trace are drawn again from itself.
const RESAMPLES: usize = 200;

const LESSON: &str = "A number without an interval says little: where five mistakes are to be \
                      expected, every fourth count is off by a half. A bootstrap cannot draw \
                      what is not in the trace: after no mistake at all it is certain that \
                      there never will be one, and that is the trace on which everything looks \
                      fine. The exact interval needs no more than the count, and holds what it \
                      says however few there are; none in a day still leaves 3.69 a day \
                      possible. But either is right only if mistakes are independent. If they \
                      come in bursts, as in real networks, there is less in a trace than it \
                      seems: count the bursts, or draw whole stretches of the trace for a \
                      bootstrap, as Künsch does. A longer trace is as wrong, only with a narrower \
                      interval.";

/// Tells the story.
pub(super) fn tell(seed: u64) -> Story {
    let rows = LENGTHS.map(|length| {
        let [single, bursts] = Law::ALL.map(|law| Coverage::of(law, length, seed));
        let share = |count: u32| Value::Share(f64::from(count) / f64::from(TRACES));
        [
            Value::from(length),
            Value::Number(f64::from(length) * LATE),
            share(single.far_off),
            share(single.bootstrap),
            share(single.exact),
            share(bursts.bootstrap),
            share(bursts.exact),
        ]
    });
    let needed = [0, 1, 3, 10, 30, 100].map(|mistakes| {
        let (low, high) = poisson_interval(mistakes);
        let interval = format!("{} to {}", text::significant(low), text::significant(high));
        [mistakes.into(), interval.into(), Value::Number(high)]
    });
    Story {
        setting: format!(
            "A detector suspects after {}. Of the heartbeats {} are later than that, which \
             nobody knows, and so one measures it on a trace. Here are {TRACES} traces of each \
             length, and three answers to “how often is it wrong?”: the number that was counted; \
             the 95 % interval of a bootstrap, which draws the heartbeats of the trace again and \
             again; and the exact 95 % interval of a Poisson count, which is the one of \
             `surmise-lab compare`. An interval is right if it holds the truth, and that should \
             be so for 95 % of them.",
            text::short_time(TIMEOUT.as_secs_f64()),
            text::percentage(LATE),
        ),
        figures: vec![
            Figure::table(
                "How often the number was far off, and how often each interval held the truth. \
                 In the last two columns mistakes come in bursts of four:",
                &[
                    "heartbeats",
                    "mistakes\nexpected",
                    "number is off\nby half or more",
                    "bootstrap\nholds it",
                    "exact\nholds it",
                    "bursts:\nbootstrap",
                    "bursts:\nexact",
                ],
                rows,
            ),
            Figure::table(
                "How long a trace must be. To say with 97.5 % confidence that there is at most \
                 one mistake a day, after so many were seen:",
                &["mistakes seen", "mistakes that may have been expected", "days it must be long"],
                needed,
            ),
        ],
        lesson: LESSON.to_owned(),
        sources: SOURCES,
    }
}

/// How heartbeats are late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Law {
    Single,
    Bursts,
}

impl Law {
    const ALL: [Self; 2] = [Self::Single, Self::Bursts];

    /// Returns the chance that a heartbeat is late after one that was or was not.
    ///
    /// Over a long time it is the same for both laws.
    fn late_after(self, was_late: bool) -> f64 {
        match (self, was_late) {
            (Self::Single, _) => LATE,
            (Self::Bursts, true) => LATE_AGAIN,
            (Self::Bursts, false) => LATE * (1.0 - LATE_AGAIN) / (1.0 - LATE),
        }
    }
}

/// Which of the traces of one length gave a right answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Coverage {
    /// How often the number itself was off by a half of the truth or more.
    far_off: u32,
    bootstrap: u32,
    exact: u32,
}

impl Coverage {
    fn of(law: Law, length: u32, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(length.into());
        let expected = f64::from(length) * LATE;
        let holds = |(low, high): (f64, f64)| u32::from(low <= expected && expected <= high);
        let mut coverage = Self::default();
        for _ in 0..TRACES {
            let mistakes = measure(law, length, &mut rng);
            let off = (float(mistakes.into()) - expected).abs();
            coverage.far_off += u32::from(off >= expected / 2.0);
            coverage.bootstrap += holds(bootstrap(mistakes, length, &mut rng));
            coverage.exact += holds(poisson_interval(mistakes));
        }
        coverage
    }
}

/// Returns how often a detector is wrong on a new trace.
fn measure(law: Law, length: u32, rng: &mut ChaCha8Rng) -> u64 {
    let mut detector = FixedTimeout::new(TIMEOUT).expect("a timeout above zero");
    let mut meter = QosMeter::new();
    let mut now = Instant::ORIGIN;
    let mut is_late = rng.random_bool(LATE);
    for sequence in 0..=u64::from(length) {
        let _beat = detector.heartbeat(sequence, now);
        let deadline = detector.deadline().expect("there was a heartbeat");
        meter.beat(now, now, deadline);
        is_late = rng.random_bool(law.late_after(is_late));
        let millis = if is_late { 210..400 } else { 80..120 };
        now += Duration::from_millis(rng.random_range(millis));
    }
    meter.report().map_or(0, |report| report.mistakes)
}

/// Returns the middle 95 % of the mistakes in traces that are drawn from this one.
///
/// To draw each of the heartbeats anew, and to count those that are late, is to draw from a binomial
/// distribution.
fn bootstrap(mistakes: u64, length: u32, rng: &mut ChaCha8Rng) -> (f64, f64) {
    let share = float(mistakes.into()) / f64::from(length);
    let counts = Binomial::new(length.into(), share).expect("it is a share");
    let mut drawn: Vec<u64> = (0..RESAMPLES).map(|_| rng.sample(counts)).collect();
    drawn.sort_unstable();
    let tail = RESAMPLES / 40;
    let at = |rank: usize| drawn.get(rank).map_or(0.0, |&count| float(count.into()));
    (at(tail), at(RESAMPLES - 1 - tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(law: Law, length: u32) -> [f64; 3] {
        let Coverage { far_off, bootstrap, exact } = Coverage::of(law, length, 0);
        [far_off, bootstrap, exact].map(|count| f64::from(count) / f64::from(TRACES))
    }

    #[test]
    fn only_the_exact_interval_holds_what_it_says() {
        for length in LENGTHS {
            let [_, _, exact] = shares(Law::Single, length);
            // The share of 200 has a deviation of 1.5 %.
            assert!(exact > 0.91, "{length}: {exact}");
        }
        let [far_off, bootstrap, _] = shares(Law::Single, 100);
        assert!(far_off > 0.3 && bootstrap < 0.7, "{far_off}, {bootstrap}");
        let [far_off, bootstrap, _] = shares(Law::Single, 5_000);
        assert!(far_off < 0.02 && bootstrap > 0.88, "{far_off}, {bootstrap}");
    }

    #[test]
    fn neither_holds_it_where_mistakes_come_in_bursts() {
        for length in [500, 5_000] {
            let [_, bootstrap, exact] = shares(Law::Bursts, length);
            assert!(bootstrap < 0.8 && exact < 0.8, "{length}: {bootstrap}, {exact}");
        }
        // Nor does a longer trace help.
        let [_, _, exact] = shares(Law::Bursts, 20_000);
        assert!(exact < 0.7, "{exact}");
    }

    #[test]
    fn no_mistake_leaves_a_bootstrap_certain_that_there_is_none() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        assert_eq!(bootstrap(0, 100, &mut rng), (0.0, 0.0));
        assert!(poisson_interval(0).1 > 3.68);
    }

    #[test]
    fn one_heartbeat_in_a_hundred_is_late_by_either_law() {
        for law in Law::ALL {
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let mistakes: u64 = (0..40).map(|_| measure(law, 5_000, &mut rng)).sum();
            // 2000 are expected, with a deviation of 45, and of 2.6 times that where they come in bursts.
            assert!(mistakes.abs_diff(2_000) < 350, "{law:?}: {mistakes}");
        }
    }
}
