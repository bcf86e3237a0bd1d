use alloc::{collections::BTreeMap, sync::Arc, task::Wake, vec::Vec};
use core::task::Waker;

use super::loom::{Thread, current};

/// Who waits for the executions of a shard.
///
/// They wait at the slot of the record. If that is forgotten, and the slot another's, they are woken for nothing
/// at worst, and ask again.
pub(super) struct Waiters {
    wakers: BTreeMap<Place, Waker>,
    latest: u64,
}

/// Where one waits: at which slot, and the how manieth of all.
pub(super) type Place = (u32, u64);

impl Waiters {
    pub(super) const fn new() -> Self {
        Self { wakers: BTreeMap::new(), latest: 0 }
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

    /// Takes all that wait at a slot. They are to be woken without the lock.
    pub(super) fn take(&mut self, slot: u32) -> Vec<Waker> {
        let mut taken = Vec::new();
        while let Some((&place, _)) = self.wakers.range((slot, 0)..=(slot, u64::MAX)).next() {
            taken.extend(self.wakers.remove(&place));
        }
        taken
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
