//! How often something fails among many, and how often too much of it.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{Binomial, DiscreteCDF};
use surmise_quorum::Majority;

use super::story::{Figure, Source, Story, Value};
use crate::compare::text;

const SOURCES: &[Source] = &[
    Source {
        title: "Barroso, Hölzle and Ranganathan, The datacenter as a computer, 3rd edition, 2018, chapter 7",
        url: "https://doi.org/10.1007/978-3-031-01761-2",
    },
    Source {
        title: "Ford et al., Availability in globally distributed storage systems, OSDI 2010",
        url: "https://www.usenix.org/conference/osdi10/availability-globally-distributed-storage-systems",
    },
];

/// For which share of the time a server is up.
const UPTIMES: [f64; 3] = [0.99, 0.999, 0.9999];

const FLEETS: [u32; 6] = [1, 3, 10, 100, 1_000, 10_000];

/// How long a server works until it fails, on average.
const YEARS_TO_FAILURE: f64 = 2.0;

const SECONDS_A_YEAR: f64 = 365.25 * 24.0 * 3600.0;

/// How many members the clusters have whose majority must be up.
const CLUSTERS: [usize; 7] = [1, 2, 3, 4, 5, 6, 7];

/// For which share of the time a member is down.
const DOWN: f64 = 0.01;

/// Which share of that time all are down together: a switch, a certificate, a release.
const TOGETHER: f64 = 0.05;

/// At how many moments a cluster is looked at.
const MOMENTS: u32 = 100_000;

const LESSON: &str = "Of a thousand servers one fails every day, and at 99 % some are down \
                      nearly all the time: that is no exception, and the design has to take it for normal. Redundancy \
                      turns it round: each two members more divide the time without a majority \
                      by about thirty, until it is too rare for a simulation to find. An even \
                      number of members tolerates no more failures than with one member less, and is down \
                      more often. But all of that holds only if members fail independently. As \
                      soon as a small part of the failures is common to all, that part is what \
                      remains, however many members there are.";

/// Tells the story.
pub(super) fn tell(seed: u64) -> Story {
    let fleets = FLEETS.map(|servers| {
        let any = UPTIMES.map(|up| Value::Share(any_down(servers, up)));
        let a_year = f64::from(servers) / YEARS_TO_FAILURE;
        [&[servers.into()], any.as_slice(), &[Value::Number(a_year)]].concat()
    });
    let outcomes = Outcome::all(seed);
    let row = |outcome: &Outcome| {
        let majority = outcome.majority;
        [
            Value::from(majority.nodes()),
            majority.size().into(),
            majority.tolerates().into(),
            Value::Share(outcome.exact),
            Value::Share(outcome.simulated),
            Value::Seconds(outcome.exact * SECONDS_A_YEAR),
            Value::Share(outcome.together),
        ]
    };
    let columns = [
        "members",
        "majority",
        "tolerates",
        "no majority,\nexact",
        "no majority,\nsimulated",
        "that is\na year",
        "simulated, if they\nalso fail together",
    ];
    Story {
        setting: format!(
            "A server is up for some share of the time, and fails once in {YEARS_TO_FAILURE} \
             years. Of many servers, something is down nearly always. A cluster that goes on as \
             long as a majority of it is up should do better; that is counted exactly, by the \
             binomial distribution, and simulated at {} moments, with members that are down for \
             {} of the time: each by itself, and then so that for {} of this all are down \
             together.",
            text::integer(MOMENTS.into()),
            text::percentage(DOWN),
            text::percentage(TOGETHER),
        ),
        figures: vec![
            Figure::table(
                "For which share of the time at least one server is down, and how often one fails:",
                &[
                    "servers",
                    "each up 99 %",
                    "each up 99.9 %",
                    "each up 99.99 %",
                    "failures a year",
                ],
                fleets,
            ),
            Figure::table(
                "For which share of the time a cluster has no majority:",
                &columns,
                outcomes.iter().map(row),
            ),
        ],
        lesson: LESSON.to_owned(),
        sources: SOURCES,
    }
}

/// Returns for which share of the time at least one of so many servers is down.
fn any_down(servers: u32, up: f64) -> f64 {
    1.0 - up.powf(servers.into())
}

/// For which share of the time a cluster has no majority.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Outcome {
    majority: Majority,
    exact: f64,
    simulated: f64,
    /// If members also fail together.
    together: f64,
}

impl Outcome {
    fn all(seed: u64) -> Vec<Self> {
        let clusters = CLUSTERS.map(|nodes| Majority::new(nodes).expect("there are nodes"));
        let [alone, together] = [0.0, TOGETHER].map(|share| simulated(&clusters, share, seed));
        let outcomes = clusters.into_iter().zip(alone).zip(together);
        let of = |((majority, simulated), together)| Self {
            majority,
            exact: exact(majority, DOWN),
            simulated,
            together,
        };
        outcomes.map(of).collect()
    }
}

/// Returns the chance that fewer members are up than are a majority.
fn exact(majority: Majority, down: f64) -> f64 {
    let [nodes, size] =
        [majority.nodes(), majority.size()].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
    let up = Binomial::new(1.0 - down, nodes).expect("it is a probability");
    size.checked_sub(1).map_or(0.0, |fewer| up.cdf(fewer))
}

/// Looks at clusters whose members are each down for the same share of the time, of which `together` is
/// common to all, and returns for which share of the time each of them has no majority.
///
/// The members of a small cluster are also those of a larger one.
fn simulated(clusters: &[Majority], together: f64, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let all_down = DOWN * together;
    // So that each is down as often as without.
    let alone = (DOWN - all_down) / (1.0 - all_down);
    let most = clusters.iter().map(|majority| majority.nodes()).max().unwrap_or_default();
    let mut without = vec![0_u32; clusters.len()];
    for _ in 0..MOMENTS {
        let all_are_up = !rng.random_bool(all_down);
        let members: Vec<bool> = (0..most).map(|_| !rng.random_bool(alone) && all_are_up).collect();
        for (majority, without) in clusters.iter().zip(&mut without) {
            let up = members.iter().take(majority.nodes()).filter(|&&is_up| is_up).count();
            *without += u32::from(!majority.is_reached(up));
        }
    }
    without.into_iter().map(|count| f64::from(count) / f64::from(MOMENTS)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard deviation of a share of so many moments is √(p·(1 − p)/n).
    #[test]
    fn the_simulation_comes_to_what_is_exact() {
        for seed in 0..3 {
            for Outcome { majority, exact, simulated, .. } in Outcome::all(seed) {
                let deviation = (exact * (1.0 - exact) / f64::from(MOMENTS)).sqrt();
                // Where hardly anything is expected, one is not too much.
                let most = 4.5 * deviation + 1.0 / f64::from(MOMENTS);
                assert!((simulated - exact).abs() < most, "seed {seed}: {majority:?}");
            }
        }
    }

    #[test]
    fn two_members_more_help_and_one_more_does_not() {
        let outcomes = Outcome::all(0);
        for three in outcomes.windows(3) {
            let [one, two, three] = [three[0], three[1], three[2]];
            if one.majority.nodes() % 2 == 1 {
                assert_eq!(one.majority.tolerates(), two.majority.tolerates());
                assert!(two.exact > one.exact && three.exact < one.exact / 25.0, "{one:?}");
            }
        }
    }

    #[test]
    fn what_is_common_to_all_remains_however_many_there_are() {
        let outcomes = Outcome::all(0);
        let common = DOWN * TOGETHER;
        for outcome in &outcomes[2..] {
            assert!(outcome.together > 0.6 * common, "{outcome:?}");
        }
        let most = outcomes.last().unwrap();
        assert!(most.together > 500.0 * most.exact, "{most:?}");
        // And a member is down as often as without.
        assert!((outcomes[0].together / DOWN - 1.0).abs() < 0.1, "{:?}", outcomes[0]);
    }

    #[test]
    fn of_many_servers_one_is_nearly_always_down() {
        assert!((any_down(1, 0.99) - 0.01).abs() < 1e-12);
        assert!((any_down(100, 0.99) - 0.634).abs() < 1e-3);
        assert!(any_down(1_000, 0.99) > 0.9999 && any_down(1_000, 0.9999) > 0.095);
    }
}
