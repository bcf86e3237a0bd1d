//! Two pauses: of who holds a lease, and of who watches others.

mod holder;
mod observer;

use self::{
    holder::{Guarding, Outcome, Round},
    observer::Convictions,
};
use super::story::{Figure, Source, Story, Value};

const SOURCES: &[Source] = &[
    Source {
        title: "Gray and Cheriton, Leases: an efficient fault-tolerant mechanism, SOSP 1989",
        url: "https://doi.org/10.1145/74850.74870",
    },
    Source {
        title: "Kleppmann, How to do distributed locking, 2016",
        url: "https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html",
    },
    Source {
        title: "Cassandra, Failure detector should detect and ignore local pauses, 2015",
        url: "https://issues.apache.org/jira/browse/CASSANDRA-9183",
    },
];

const LESSON: &str = "Nobody notices its own pause while it lasts. To look at the lease before \
                      the write helps as often as the pause comes before the look, and no \
                      check can be made so late that no pause comes after it. So it is the \
                      store that has to refuse: it has seen the token of the next holder, and \
                      an earlier one is late. The same holds for who watches: what it takes \
                      for the silence of all others is its own. A Monitor notices that it was \
                      not asked for longer than it should have been, gives whoever is not heard \
                      of then its whole time again, and so finds the one that did die as if it \
                      had begun to watch when it woke up.";

/// Tells the story.
pub(super) fn tell(seed: u64) -> Story {
    let rounds = Round::draw(seed);
    let outcomes = Guarding::ALL.map(|guarding| Outcome::of(guarding, &rounds));
    let row = |outcome: &Outcome| {
        let counts = [outcome.late, outcome.accepted, outcome.refused, outcome.missing];
        [&[outcome.guarding.text().into()], counts.map(Value::from).as_slice()].concat()
    };
    let columns =
        ["what guards the balance", "late writes", "accepted", "refused", "deposits missing"];
    let convictions = Convictions::all(seed);
    let sentenced = |(name, found): (&str, &Convictions)| {
        let late = found.dead_after.map_or(Value::Nothing, Value::from);
        [name.into(), found.living.into(), late]
    };
    let names = ["bare detectors", "the same detectors in a Monitor"];
    Story {
        setting: format!(
            "A process holds a lease of {} s on an account. It reads the balance, takes 2 s to \
             add {}, looks at its lease at 1.8 s, and writes. Somewhere in it the whole process \
             is paused, by a garbage collector or a hypervisor, {} s on average. When the lease \
             is over, another takes over, and needs 2 s to add {}. That happens {} times, with \
             the same pauses each way.",
            holder::LEASE.as_secs(),
            holder::FIRST,
            holder::MEAN_PAUSE,
            holder::SECOND,
            rounds.len(),
        ),
        figures: vec![
            Figure::table(
                "One of the rounds, in which the pause falls between the look and the write:",
                &["at", "who", "what", "without a fence", "with a fence"],
                holder::timeline(&rounds),
            ),
            Figure::table(
                "All rounds. A write of the first is late if another has taken over:",
                &columns,
                outcomes.iter().map(row),
            ),
            Figure::table(
                format!(
                    "And who watches is paused: {} peers send a heartbeat a second, and are \
                     suspected after 3 s. One peer dies, a second later the observer is paused \
                     for {} s, and when it wakes up it looks at its timers before it reads its \
                     socket:",
                    observer::PEERS,
                    observer::PAUSE.as_secs(),
                ),
                &["observer", "living peers suspected", "the dead one found after waking up"],
                names.into_iter().zip(&convictions).map(sentenced),
            ),
        ],
        lesson: LESSON.to_owned(),
        sources: SOURCES,
    }
}
