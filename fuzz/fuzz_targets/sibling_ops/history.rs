//! Siblings by causal histories: each event is kept by its name, in the plainest way.

use std::collections::{BTreeMap, BTreeSet};

use surmise_clock::VectorClock;

/// A replica and a number.
pub(crate) type Event = (u8, u64);

/// How many events of each replica have been seen, none of them zero.
pub(crate) type Seen = BTreeMap<u8, u64>;

/// What a replica knows of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    pub(crate) seen: Seen,
    pub(crate) values: BTreeMap<Event, u32>,
}

impl History {
    /// Returns which event the writing of a value is, or nothing if there is no number for it.
    pub(crate) fn put(&mut self, context: &Seen, replica: u8, value: u32) -> Option<Event> {
        let count = |seen: &Seen| seen.get(&replica).copied().unwrap_or(0);
        let event = (replica, count(&self.seen).max(count(context)).checked_add(1)?);
        self.discard(context);
        self.seen.insert(replica, event.1);
        self.values.insert(event, value);
        Some(event)
    }

    pub(crate) fn discard(&mut self, context: &Seen) {
        self.values.retain(|event, _| !contains(context, event));
        include(&mut self.seen, context);
    }

    /// Keeps what both have, and what either has that the other has not seen.
    pub(crate) fn sync(&mut self, other: &Self) {
        let both: BTreeSet<Event> =
            self.values.keys().filter(|event| other.values.contains_key(event)).copied().collect();
        self.values.retain(|event, _| both.contains(event) || !contains(&other.seen, event));
        let unseen = other.values.iter().filter(|(event, _)| !contains(&self.seen, event));
        self.values.extend(unseen.map(|(&event, &value)| (event, value)));
        include(&mut self.seen, &other.seen);
    }
}

pub(crate) fn seen(clock: &VectorClock<u8>) -> Seen {
    clock.iter().map(|(&replica, counter)| (replica, counter)).collect()
}

fn contains(seen: &Seen, &(replica, counter): &Event) -> bool {
    seen.get(&replica).is_some_and(|&count| count >= counter)
}

fn include(seen: &mut Seen, other: &Seen) {
    for (&replica, &counter) in other {
        let own = seen.entry(replica).or_default();
        *own = counter.max(*own);
    }
}
