use alloc::vec::Vec;
use core::num::NonZeroU64;

use surmise_time::Instant;

use crate::{Fingerprint, Keep};

/// The records of a table, each in a slot that stays its own, and in one of three queues.
///
/// All that wait in a queue wait for the same time, so that its first record is always that whose time is over first,
/// and it takes no search to find it.
pub(super) struct Records<K, V, C> {
    slots: Vec<Slot<K, V, C>>,
    /// The first of the vacant slots.
    vacant: u32,
    queues: [Ends; 3],
    len: usize,
}

/// As large as a record: the number of the next vacant slot lies where a record has other things.
enum Slot<K, V, C> {
    Taken(Record<K, V, C>),
    Vacant { next: u32 },
}

pub(super) struct Record<K, V, C> {
    pub(super) key: K,
    pub(super) fingerprint: Fingerprint,
    /// When the lease is over, or the retention.
    pub(super) until: Instant,
    /// The records before and behind in the same queue.
    before: u32,
    behind: u32,
    pub(super) state: State<V, C>,
}

pub(super) enum State<V, C> {
    /// By the ticket with this counter. Once the lease is over, nobody knows how far it came.
    InFlight { counter: NonZeroU64, checkpoint: Option<C> },
    Completed { value: V, keep: Keep },
}

/// What records of the same length of time wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    Lease,
    Retention,
    BriefRetention,
}

/// The first and the last record of a queue.
#[derive(Clone, Copy)]
struct Ends {
    first: u32,
    last: u32,
}

/// No slot: there are at most 2³¹.
const NONE: u32 = u32::MAX;

impl<K, V, C> Records<K, V, C> {
    /// Creates records with memory for so many.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let queues = [Ends { first: NONE, last: NONE }; 3];
        Self { slots: Vec::with_capacity(capacity), vacant: NONE, queues, len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Record<K, V, C>> {
        match self.slots.get(slot as usize) {
            Some(Slot::Taken(record)) => Some(record),
            Some(Slot::Vacant { .. }) | None => None,
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Record<K, V, C>> {
        match self.slots.get_mut(slot as usize) {
            Some(Slot::Taken(record)) => Some(record),
            Some(Slot::Vacant { .. }) | None => None,
        }
    }

    /// Returns the slot of the record of a queue whose time is over first.
    pub(super) fn first(&self, queue: Queue) -> Option<u32> {
        let Ends { first, .. } = self.ends(queue);
        (first != NONE).then_some(first)
    }

    /// Adds a record at the end of its queue, and returns its slot.
    pub(super) fn add(&mut self, record: Record<K, V, C>) -> u32 {
        let queue = record.state.queue();
        let taken = Slot::Taken(record);
        let slot = match self.slots.get_mut(self.vacant as usize) {
            Some(vacant) => {
                let slot = self.vacant;
                if let Slot::Vacant { next } = *vacant {
                    self.vacant = next;
                }
                *vacant = taken;
                slot
            }
            None => {
                let slot = u32::try_from(self.slots.len()).unwrap_or(NONE);
                self.slots.push(taken);
                slot
            }
        };
        self.len += 1;
        self.append(queue, slot);
        slot
    }

    /// Gives a record another time and state, and moves it to the end of the state's queue.
    pub(super) fn update(&mut self, slot: u32, until: Instant, state: State<V, C>) {
        self.unlink(slot);
        let queue = state.queue();
        if let Some(record) = self.get_mut(slot) {
            record.until = until;
            record.state = state;
        }
        self.append(queue, slot);
    }

    /// Moves a record to the end of its queue, with another time.
    pub(super) fn requeue(&mut self, slot: u32, until: Instant) {
        self.unlink(slot);
        let Some(record) = self.get_mut(slot) else { return };
        record.until = until;
        let queue = record.state.queue();
        self.append(queue, slot);
    }

    /// Removes a record.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Record<K, V, C>> {
        self.unlink(slot);
        let next = self.vacant;
        let vacated = self.slots.get_mut(slot as usize)?;
        match core::mem::replace(vacated, Slot::Vacant { next }) {
            Slot::Taken(record) => {
                self.vacant = slot;
                self.len -= 1;
                Some(record)
            }
            was_vacant @ Slot::Vacant { .. } => {
                *vacated = was_vacant;
                None
            }
        }
    }

    /// Puts a record at the end of a queue in which it is not.
    fn append(&mut self, queue: Queue, slot: u32) {
        let last = self.ends(queue).last;
        if let Some(record) = self.get_mut(slot) {
            record.before = last;
            record.behind = NONE;
        }
        match self.get_mut(last) {
            Some(last) => last.behind = slot,
            None => self.ends_mut(queue).first = slot,
        }
        self.ends_mut(queue).last = slot;
    }

    /// Takes a record out of its queue.
    fn unlink(&mut self, slot: u32) {
        let Some(record) = self.get(slot) else { return };
        let (queue, before, behind) = (record.state.queue(), record.before, record.behind);
        match self.get_mut(before) {
            Some(before) => before.behind = behind,
            None => self.ends_mut(queue).first = behind,
        }
        match self.get_mut(behind) {
            Some(behind) => behind.before = before,
            None => self.ends_mut(queue).last = before,
        }
    }

    const fn ends(&self, queue: Queue) -> Ends {
        let [lease, retention, brief] = self.queues;
        match queue {
            Queue::Lease => lease,
            Queue::Retention => retention,
            Queue::BriefRetention => brief,
        }
    }

    const fn ends_mut(&mut self, queue: Queue) -> &mut Ends {
        let [lease, retention, brief] = &mut self.queues;
        match queue {
            Queue::Lease => lease,
            Queue::Retention => retention,
            Queue::BriefRetention => brief,
        }
    }
}

impl<K, V, C> Record<K, V, C> {
    pub(super) const fn new(
        key: K,
        fingerprint: Fingerprint,
        until: Instant,
        counter: NonZeroU64,
    ) -> Self {
        let state = State::InFlight { counter, checkpoint: None };
        Self { key, fingerprint, until, before: NONE, behind: NONE, state }
    }
}

impl<V, C> State<V, C> {
    const fn queue(&self) -> Queue {
        match self {
            Self::InFlight { .. } => Queue::Lease,
            Self::Completed { keep: Keep::Long, .. } => Queue::Retention,
            Self::Completed { keep: Keep::Briefly, .. } => Queue::BriefRetention,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_of_small_things_takes_56_bytes() {
        assert_eq!(size_of::<Slot<u64, u64, ()>>(), 56);
    }
}
