//! What each node was when, as a picture shows it.

use super::history::{History, Note, Who};

/// A run, from its first entry on, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Story {
    pub(super) length_ns: u64,
    /// One for each node.
    pub(super) lanes: Vec<Lane>,
    /// How many writes were acknowledged in each [`BIN_NS`].
    pub(super) writes: Vec<u32>,
}

/// What a node was, and what happened to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) spans: Vec<Span>,
    /// When a majority came to suspect it, as the first of them saw it.
    pub(super) convicted_ns: Vec<u64>,
    /// When the store refused a write of it.
    pub(super) refused_ns: Vec<u64>,
}

/// What a node was for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
    pub(super) state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It led, or believed so.
    Leads { token: String },
    /// It was stopped.
    Stopped,
    /// It was killed, and not there.
    Gone,
}

impl Story {
    pub(super) fn new(history: &History, nodes: usize) -> Self {
        let mut entries: Vec<_> = history.entries.iter().collect();
        entries.sort_by_key(|entry| entry.at_ns);
        let start = entries.first().map_or(0, |entry| entry.at_ns);
        let length_ns = entries.last().map_or(0, |entry| entry.at_ns - start);
        let mut story = Self { length_ns, lanes: vec![Lane::default(); nodes], writes: Vec::new() };
        for entry in entries {
            let at_ns = entry.at_ns - start;
            match (entry.who, &entry.note) {
                (Who::Node(node), Note::Leads { token, .. }) => {
                    story.begin(node, at_ns, State::Leads { token: token.to_string() });
                }
                (Who::Node(node), Note::SteppedDown { .. }) => {
                    story.end(node, at_ns, |state| matches!(state, State::Leads { .. }));
                }
                (Who::Node(node), Note::Refused { .. }) => {
                    story.lane(node, |lane| lane.refused_ns.push(at_ns));
                }
                // One that was stopped hears late what the others thought of it.
                (who, Note::Convicted { subject, .. }) if who != Who::Node(*subject) => {
                    story.convict(*subject, at_ns);
                }
                (_, Note::Paused { node }) => story.begin(*node, at_ns, State::Stopped),
                (_, Note::Resumed { node }) => {
                    story.end(*node, at_ns, |state| *state == State::Stopped);
                }
                (_, Note::Killed { node }) => {
                    story.end(*node, at_ns, |_| true);
                    story.begin(*node, at_ns, State::Gone);
                }
                (_, Note::Restarted { node }) => {
                    story.end(*node, at_ns, |state| *state == State::Gone);
                }
                (_, Note::Acknowledged { .. }) => story.count(at_ns),
                _ => {}
            }
        }
        story
    }

    fn lane(&mut self, node: usize, change: impl FnOnce(&mut Lane)) {
        if let Some(lane) = self.lanes.get_mut(node) {
            change(lane);
        }
    }

    /// Begins what lasts until the end unless something ends it.
    fn begin(&mut self, node: usize, from_ns: u64, state: State) {
        let to_ns = self.length_ns;
        self.lane(node, |lane| lane.spans.push(Span { from_ns, to_ns, state }));
    }

    /// Ends what has not ended.
    fn end(&mut self, node: usize, at_ns: u64, is_it: impl Fn(&State) -> bool) {
        let end = self.length_ns;
        self.lane(node, |lane| {
            let open = lane.spans.iter_mut().filter(|span| span.to_ns == end);
            open.filter(|span| is_it(&span.state)).for_each(|span| span.to_ns = at_ns);
        });
    }

    /// Notes a conviction, of which each node tells a little later or earlier.
    fn convict(&mut self, node: usize, at_ns: u64) {
        self.lane(node, |lane| {
            if lane.convicted_ns.last().is_none_or(|last| at_ns - last > SAME_NS) {
                lane.convicted_ns.push(at_ns);
            }
        });
    }

    fn count(&mut self, at_ns: u64) {
        let bin = usize::try_from(at_ns / BIN_NS).unwrap_or(usize::MAX);
        if bin >= self.writes.len() {
            // No run is longer than a day or two.
            self.writes.resize(bin.saturating_add(1), 0);
        }
        if let Some(count) = self.writes.get_mut(bin) {
            *count += 1;
        }
    }
}

/// The time over which writes are counted.
pub(super) const BIN_NS: u64 = 100_000_000;

/// Convictions that are no farther apart are the same one.
const SAME_NS: u64 = 250_000_000;

#[cfg(test)]
mod tests {
    use surmise_clock::HybridTimestamp;
    use surmise_fence::FencingToken;

    use super::*;
    use crate::failover::{
        history::{Entry, Why},
        message::Op,
    };

    #[test]
    fn spans_end_when_what_they_show_does() {
        let token = FencingToken::first(1);
        let op = Op { session: 0, number: 0 };
        let acknowledged = || Note::Acknowledged {
            op,
            slot: 0,
            stamp: HybridTimestamp::MIN,
            replayed: false,
            attempts: 1,
        };
        let convicted = || Note::Convicted { subject: 0, suspecting: 2, nodes: 3 };
        let second = 1_000_000_000;
        let entries = [
            (second, Who::Client, acknowledged()),
            (second + 100, Who::Node(0), Note::Leads { token, records: 0 }),
            (second + 200, Who::Director, Note::Paused { node: 0 }),
            (second + 300, Who::Node(1), convicted()),
            (second + 305, Who::Node(2), convicted()),
            (second + 400, Who::Director, Note::Resumed { node: 0 }),
            (2 * second - 1, Who::Node(0), convicted()),
            (
                second + 410,
                Who::Node(0),
                Note::Refused { slot: 0, op, offered: token, highest: token },
            ),
            (second + 420, Who::Node(0), Note::SteppedDown { token, why: Why::Refused }),
            (second + 500, Who::Director, Note::Killed { node: 1 }),
            (second + 600, Who::Director, Note::Restarted { node: 1 }),
            (second + 700, Who::Director, Note::Killed { node: 0 }),
            (2 * second, Who::Client, acknowledged()),
        ];
        let entry = |(at_ns, who, note)| Entry { at_ns, who, note };
        let entries = entries.map(entry).to_vec();
        let story = Story::new(&History { entries, ..History::default() }, 2);
        let span = |from_ns, to_ns, state| Span { from_ns, to_ns, state };
        assert_eq!(
            story.lanes[0].spans,
            [
                span(100, 420, State::Leads { token: "1.1".to_owned() }),
                span(200, 400, State::Stopped),
                span(700, second, State::Gone),
            ]
        );
        assert_eq!(story.lanes[0].convicted_ns, [300]);
        assert_eq!(story.lanes[0].refused_ns, [410]);
        assert_eq!(story.lanes[1].spans, [span(500, 600, State::Gone)]);
        assert_eq!((story.writes.len(), story.writes[0], story.writes[10]), (11, 1, 1));
    }
}
