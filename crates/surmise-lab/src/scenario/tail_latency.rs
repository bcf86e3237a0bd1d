//! Requests to replicas with queues, of which the slow ones get a backup, in quiet times and in others.

mod cluster;

use surmise_timeout::Quantile;

use self::cluster::{Hedging, Outcome, QUIET, REPLICAS, REQUESTS, SURGE};
use super::story::{Figure, Source, Story, Value};
use crate::compare::text;

const SOURCES: &[Source] = &[
    Source {
        title: "Dean and Barroso, The tail at scale, 2013",
        url: "https://doi.org/10.1145/2408776.2408794",
    },
    Source {
        title: "Bronson et al., Metastable failures in distributed systems, HotOS 2021",
        url: "https://doi.org/10.1145/3458336.3465286",
    },
];

const LESSON: &str = "One request in fifty waits for a hiccup, its own or that of another, and a \
                      page that takes fifty of them does so most of the time. A second request \
                      takes that away for a load of a few percent. But when all are slow because \
                      there is too much to do, a second request is more of it. A constant delay \
                      is then shorter than nearly every answer, nearly each request is sent twice, \
                      and there is no room for twice: the backups are what makes the tail. A delay \
                      that follows the latencies goes up with them, and here adds only a little \
                      more than its one in twenty. Only a budget says what is added at most: one \
                      in twenty, and what was saved up before.";

/// Tells the story.
pub(super) fn tell(seed: u64) -> Story {
    let [quiet, surge] =
        [QUIET, SURGE].map(|load| Hedging::ALL.map(|hedging| Outcome::of(hedging, load, seed)));
    let columns = [
        "backups",
        "p50",
        "p99",
        "p99.9",
        "extra\nload",
        "extra load,\nsecond half",
        "replicas\nbusy",
    ];
    let table = |caption: String, outcomes: &[Outcome]| {
        Figure::table(caption, &columns, outcomes.iter().map(row))
    };
    let bars = surge.iter().map(|outcome| {
        (outcome.hedging.text().to_owned(), Value::from(outcome.latencies.quantile(Quantile::P99)))
    });
    let share = text::percentage;
    Story {
        setting: format!(
            "{} requests go to {REPLICAS} replicas, each to one of them at random, where it \
             waits in a queue. Most are worked at for 5 ms or so, and one in four hundred meets \
             a hiccup of 200 ms, in which nothing else is done. A request that has no answer \
             after some delay is sent to another replica as well, and the first answer counts; \
             who loses is worked at all the same. The delay is the 95th percentile of what the \
             requests took, as `Hedge` has it, with or without a budget of a backup for every \
             twenty requests; or it is a constant.",
            text::integer(REQUESTS.into()),
        ),
        figures: vec![
            table(format!("In quiet times, with {} of the capacity:", share(QUIET)), &quiet),
            table(
                format!("Then a surge, with {} of the capacity without backups:", share(SURGE)),
                &surge,
            ),
            Figure::bars("The p99 in the surge:", ["backups", "p99"], bars),
        ],
        lesson: LESSON.to_owned(),
        sources: SOURCES,
    }
}

fn row(outcome: &Outcome) -> [Value; 7] {
    let [p50, p99, p999] = [Quantile::P50, Quantile::P99, Quantile::P999]
        .map(|quantile| Value::from(outcome.latencies.quantile(quantile)));
    let extra = f64::from(outcome.backups) / f64::from(REQUESTS);
    let late = f64::from(outcome.late_backups) / f64::from(REQUESTS / 2);
    let [extra, late, busy] = [extra, late, outcome.busy].map(Value::Share);
    [outcome.hedging.text().into(), p50, p99, p999, extra, late, busy]
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::{cluster::BURST, *};

    fn p99(outcome: &Outcome) -> Duration {
        outcome.latencies.quantile(Quantile::P99)
    }

    #[test]
    fn a_hedge_takes_the_tail_away_for_a_few_percent() {
        for seed in 0..3 {
            let [none, _, free, budgeted] =
                Hedging::ALL.map(|hedging| Outcome::of(hedging, QUIET, seed));
            for hedged in [&free, &budgeted] {
                assert!(p99(hedged) * 2 < p99(&none), "seed {seed}: {hedged:?}");
                assert!(hedged.backups < REQUESTS * 6 / 100, "seed {seed}: {}", hedged.backups);
            }
            assert_eq!(none.backups, 0);
        }
    }

    #[test]
    fn in_a_surge_only_a_budget_bounds_what_it_adds() {
        for seed in 0..3 {
            let [none, constant, free, budgeted] =
                Hedging::ALL.map(|hedging| Outcome::of(hedging, SURGE, seed));
            assert!(p99(&constant) > p99(&none) * 5, "seed {seed}");
            assert!(constant.backups > REQUESTS / 2, "seed {seed}: {}", constant.backups);
            // It has learnt by the second half, and does not come back to its one in twenty, but stays near it.
            let late_share = f64::from(free.late_backups) / f64::from(REQUESTS / 2);
            assert!((0.05..0.08).contains(&late_share), "seed {seed}: {late_share}");
            // And what was saved up before.
            assert!(budgeted.backups <= REQUESTS / 20 + BURST, "seed {seed}: {}", budgeted.backups);
            assert!(p99(&budgeted) < p99(&none) * 3 / 2, "seed {seed}: {:?}", p99(&budgeted));
        }
    }
}
