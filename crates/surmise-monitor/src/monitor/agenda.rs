use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use surmise_time::Instant;

/// When to look at which peer: a heap of times.
///
/// What is written down stays until its time comes, even if nothing is due by then any more; so a heartbeat, which moves
/// a deadline later, leaves it alone, and whoever comes to look writes down the later time. Only what is due earlier
/// than was written down is written down once more, which makes the former entry void.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    entries: BinaryHeap<Reverse<(Instant, u32)>>,
}

impl Agenda {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { entries: BinaryHeap::with_capacity(capacity) }
    }

    pub(super) fn push(&mut self, at: Instant, slot: u32) {
        self.entries.push(Reverse((at, slot)));
    }

    pub(super) fn first(&self) -> Option<(Instant, u32)> {
        self.entries.peek().map(|&Reverse(entry)| entry)
    }

    pub(super) fn remove_first(&mut self) {
        self.entries.pop();
    }

    /// Puts another entry in the place of the first, as removing it and pushing the other would, in one step.
    pub(super) fn replace_first(&mut self, at: Instant, slot: u32) {
        if let Some(mut first) = self.entries.peek_mut() {
            *first = Reverse((at, slot));
        }
    }

    /// Returns whether most entries may be void, if there are so many peers.
    pub(super) fn is_crowded(&self, peers: usize) -> bool {
        self.entries.len() > peers.saturating_mul(2).saturating_add(64)
    }

    /// Forgets all entries but these.
    pub(super) fn replace(&mut self, entries: impl Iterator<Item = (Instant, u32)>) {
        self.entries.clear();
        self.entries.extend(entries.map(Reverse));
    }
}
