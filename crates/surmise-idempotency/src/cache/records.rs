use alloc::{collections::TryReserveError, vec::Vec};
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
    queues: Queues,
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
    InFlight { counter: NonZeroU64, checkpoint: Option<C>, stage: Stage },
    Completed {
        value: V,
        keep: Keep,
        /// Of results that were completed in the same nanosecond, in shards of one cache, the earlier one's is lower.
        #[cfg_attr(not(feature = "std"), expect(dead_code, reason = "there are no shards"))]
        order: u32,
    },
}

/// Who is at something that is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The first one that ever was.
    First,
    /// One who took over, and is to find out what those before it did.
    Recovery,
    /// Nobody, as is known; the lease stays as it is.
    #[cfg(feature = "std")]
    Abandoned,
    /// Nobody, and the lease counts as over: who was to recover could not.
    GivenBack,
}

/// What records of the same length of time wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    Lease,
    Retention,
    BriefRetention,
}

/// The ends of all queues.
struct Queues([Ends; 3]);

/// The first and the last record of a queue.
#[derive(Clone, Copy)]
struct Ends {
    first: u32,
    last: u32,
}

/// No slot: there are at most 2³¹.
const NONE: u32 = u32::MAX;

impl<K, V, C> Records<K, V, C> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), vacant: NONE, queues: Queues::EMPTY, len: 0 }
    }

    /// Allocates the memory for so many.
    pub(super) fn reserve(&mut self, capacity: usize) -> Result<(), TryReserveError> {
        self.slots.try_reserve_exact(capacity)
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

    /// Returns the record of a queue whose time is over first, and its slot.
    #[inline]
    pub(super) fn first(&self, queue: Queue) -> Option<(u32, &Record<K, V, C>)> {
        let first = self.queues.of(queue).first;
        Some((first, self.get(first)?))
    }

    /// Adds a record at the end of its queue, and returns its slot.
    #[inline]
    pub(super) fn add(&mut self, mut record: Record<K, V, C>) -> u32 {
        let queue = record.state.queue();
        let last = self.queues.of(queue).last;
        record.before = last;
        let slot = match self.slots.get_mut(self.vacant as usize) {
            Some(vacant) => {
                let slot = self.vacant;
                if let Slot::Vacant { next } = *vacant {
                    self.vacant = next;
                }
                *vacant = Slot::Taken(record);
                slot
            }
            None => {
                let slot = u32::try_from(self.slots.len()).unwrap_or(NONE);
                self.slots.push(Slot::Taken(record));
                slot
            }
        };
        self.len += 1;
        self.follow(queue, last, slot);
        slot
    }

    /// Changes a record, and moves it to the end of the queue where it belongs then.
    ///
    /// What the record had and has no longer comes back, to be dropped when the queues are whole again: that is not this
    /// crate's, and may panic.
    #[inline]
    pub(super) fn requeue<T>(
        &mut self,
        slot: u32,
        change: impl FnOnce(&mut Record<K, V, C>) -> T,
    ) -> Option<T> {
        self.unlink(slot);
        let Some(Slot::Taken(record)) = self.slots.get_mut(slot as usize) else { return None };
        let replaced = change(record);
        let queue = record.state.queue();
        let last = self.queues.of(queue).last;
        record.before = last;
        record.behind = NONE;
        self.follow(queue, last, slot);
        Some(replaced)
    }

    /// Removes a record.
    #[inline]
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

    /// Makes a record the last of a queue, behind the one that was.
    #[inline]
    fn follow(&mut self, queue: Queue, last: u32, slot: u32) {
        match self.get_mut(last) {
            Some(last) => last.behind = slot,
            None => self.queues.of_mut(queue).first = slot,
        }
        self.queues.of_mut(queue).last = slot;
    }

    /// Takes a record out of its queue.
    #[inline]
    fn unlink(&mut self, slot: u32) {
        let Some(record) = self.get(slot) else { return };
        let (queue, before, behind) = (record.state.queue(), record.before, record.behind);
        match self.get_mut(before) {
            Some(before) => before.behind = behind,
            None => self.queues.of_mut(queue).first = behind,
        }
        match self.get_mut(behind) {
            Some(behind) => behind.before = before,
            None => self.queues.of_mut(queue).last = before,
        }
    }
}

impl Queues {
    const EMPTY: Self = Self([Ends { first: NONE, last: NONE }; 3]);

    #[expect(clippy::indexing_slicing, reason = "there are as many ends as queues")]
    const fn of(&self, queue: Queue) -> Ends {
        self.0[queue as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "there are as many ends as queues")]
    const fn of_mut(&mut self, queue: Queue) -> &mut Ends {
        &mut self.0[queue as usize]
    }
}

impl<K, V, C> Record<K, V, C> {
    pub(super) const fn new(
        key: K,
        fingerprint: Fingerprint,
        until: Instant,
        counter: NonZeroU64,
    ) -> Self {
        let state = State::InFlight { counter, checkpoint: None, stage: Stage::First };
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

impl From<Keep> for Queue {
    fn from(keep: Keep) -> Self {
        match keep {
            Keep::Long => Self::Retention,
            Keep::Briefly => Self::BriefRetention,
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
