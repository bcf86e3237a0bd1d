use alloc::{collections::BTreeMap, sync::Arc, task::Wake, vec::Vec};
use core::{mem, task::Waker};

use super::loom::{Thread, current};

/// Who waits for the executions of a shard.
///
/// They wait at the slot of the record, and are woken before it is another's: when what is in flight there ends, is
/// forgotten, or is taken over.
pub(super) struct Waiters {
    wakers: BTreeMap<Place, Waker>,
    latest: u64,
    /// Who is to be woken once the lock of the shard is given back.
    woken: Vec<Waker>,
}

/// Where one waits: at which slot, and the how manieth of all.
pub(super) type Place = (u32, u64);

impl Waiters {
    pub(super) const fn new() -> Self {
        Self { wakers: BTreeMap::new(), latest: 0, woken: Vec::new() }
    }

    /// Waits at a slot, and returns where.
    pub(super) fn add(&mut self, slot: u32, waker: Waker) -> Place {
        self.latest = self.latest.wrapping_add(1);
        let place = (slot, self.latest);
        self.wakers.insert(place, waker);
        place
    }

    /// Waits no longer. The waker is to be dropped without the lock, as it is not this crate's.
    pub(super) fn remove(&mut self, place: Place) -> Option<Waker> {
        self.wakers.remove(&place)
    }

    /// Lets all that wait at a slot be woken.
    #[inline]
    pub(super) fn wake(&mut self, slot: u32) {
        if !self.wakers.is_empty() {
            self.wake_all_at(slot);
        }
    }

    /// Returns whether anybody is to be woken.
    #[inline]
    pub(super) fn has_woken(&self) -> bool {
        !self.woken.is_empty()
    }

    /// Takes who is to be woken, without the lock.
    pub(super) fn take_woken(&mut self) -> Vec<Waker> {
        mem::take(&mut self.woken)
    }

    #[cold]
    fn wake_all_at(&mut self, slot: u32) {
        while let Some((&place, _)) = self.wakers.range((slot, 0)..=(slot, u64::MAX)).next() {
            self.woken.extend(self.wakers.remove(&place));
        }
    }
}

/// Wakes a thread that parked itself.
struct Unpark(Thread);

/// Returns what wakes this thread.
pub(super) fn unparker() -> Waker {
    Waker::from(Arc::new(Unpark(current())))
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
