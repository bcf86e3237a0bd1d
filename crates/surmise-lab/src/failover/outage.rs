//! How long it took to find out that a leader was gone, and to have another.

use serde::Serialize;
use surmise_fence::FencingToken;

use super::history::{History, Note, Who};

/// The end of a leader that was stopped or killed, in nanoseconds since then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Outage {
    pub(super) node: usize,
    pub(super) killed: bool,
    /// When a majority suspected it.
    pub(super) convicted_ns: Option<u64>,
    /// When a later leader had a write acknowledged.
    pub(super) replaced_ns: Option<u64>,
}

/// Finds the outages of leaders in a history.
pub(super) fn outages(history: &History) -> Vec<Outage> {
    let mut entries: Vec<_> = history.entries.iter().collect();
    // They were heard of a little later than they happened.
    entries.sort_by_key(|entry| entry.at_ns);
    let mut found: Vec<(u64, FencingToken, Outage)> = Vec::new();
    let mut leader: Option<(usize, FencingToken)> = None;
    for entry in entries {
        match (entry.who, &entry.note) {
            (Who::Node(node), Note::Leads { token, .. }) => leader = Some((node, *token)),
            (Who::Node(node), Note::SteppedDown { .. }) => {
                leader = leader.filter(|(leader, _)| *leader != node);
            }
            (_, Note::Paused { node } | Note::Killed { node }) => {
                if let Some((_, token)) = leader.filter(|(leader, _)| leader == node) {
                    let killed = matches!(entry.note, Note::Killed { .. });
                    let outage =
                        Outage { node: *node, killed, convicted_ns: None, replaced_ns: None };
                    found.push((entry.at_ns, token, outage));
                }
            }
            (_, Note::Convicted { subject, .. }) => {
                for (at, _, outage) in &mut found {
                    if outage.node == *subject && outage.replaced_ns.is_none() {
                        outage.convicted_ns.get_or_insert(entry.at_ns - *at);
                    }
                }
            }
            (_, Note::Acknowledged { .. }) => {
                for (at, token, outage) in &mut found {
                    if leader.is_some_and(|(_, now)| now > *token) {
                        outage.replaced_ns.get_or_insert(entry.at_ns - *at);
                    }
                }
            }
            _ => {}
        }
    }
    found.into_iter().map(|(_, _, outage)| outage).collect()
}

/// Returns the middle of some times, the lower one of two.
pub(super) fn median(times: impl IntoIterator<Item = u64>) -> Option<u64> {
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use surmise_clock::HybridTimestamp;

    use super::*;
    use crate::failover::{history::Entry, message::Op};

    fn token(counter: u64) -> FencingToken {
        FencingToken::new(1, counter.try_into().unwrap())
    }

    fn leads(node: usize, counter: u64) -> (Who, Note) {
        (Who::Node(node), Note::Leads { token: token(counter), records: 0 })
    }

    fn acknowledged() -> (Who, Note) {
        let (op, stamp) = (Op { session: 0, number: 0 }, HybridTimestamp::MIN);
        let note = Note::Acknowledged { op, slot: 0, stamp, replayed: false, attempts: 1 };
        (Who::Client, note)
    }

    fn convicted(subject: usize) -> (Who, Note) {
        (Who::Node(2), Note::Convicted { subject, suspecting: 2, nodes: 3 })
    }

    fn killed(node: usize) -> (Who, Note) {
        (Who::Director, Note::Killed { node })
    }

    fn found(notes: impl IntoIterator<Item = (u64, (Who, Note))>) -> Vec<Outage> {
        let entry = |(at_ns, (who, note))| Entry { at_ns, who, note };
        let entries = notes.into_iter().map(entry).collect();
        outages(&History { entries, ..History::default() })
    }

    #[test]
    fn an_outage_ends_with_the_first_write_of_the_next_leader() {
        let outages = found([
            (10, leads(0, 1)),
            (20, acknowledged()),
            (100, killed(0)),
            // On its way when the leader was killed.
            (110, acknowledged()),
            (150, convicted(0)),
            (155, convicted(0)),
            (200, leads(1, 2)),
            (230, acknowledged()),
            (240, acknowledged()),
        ]);
        let expected =
            Outage { node: 0, killed: true, convicted_ns: Some(50), replaced_ns: Some(130) };
        assert_eq!(outages, [expected]);
    }

    #[test]
    fn what_was_heard_of_late_happened_when_it_did() {
        let outages = found([
            (100, killed(0)),
            (10, leads(0, 1)),
            (230, acknowledged()),
            (200, leads(1, 2)),
            (150, convicted(0)),
        ]);
        assert_eq!(outages.len(), 1);
        assert_eq!((outages[0].convicted_ns, outages[0].replaced_ns), (Some(50), Some(130)));
    }

    #[test]
    fn a_node_that_does_not_lead_is_no_outage() {
        assert_eq!(found([(10, leads(0, 1)), (100, killed(1)), (150, convicted(1))]), []);
    }

    #[test]
    fn the_median_is_the_lower_of_two() {
        assert_eq!(median([]), None);
        assert_eq!(median([3]), Some(3));
        assert_eq!(median([4, 1]), Some(1));
        assert_eq!(median([9, 1, 5]), Some(5));
    }
}
