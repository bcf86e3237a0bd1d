use alloc::sync::Arc;
use core::num::NonZeroU64;

use super::{
    loom::{AtomicU64, AtomicUsize, Ordering},
    waiters::Waiters,
};
use crate::cache::Surroundings;

/// The surroundings of a shard.
pub(super) struct Together {
    common: Arc<Common>,
    pub(super) waiters: Waiters,
}

/// What all shards share.
pub(super) struct Common {
    room: AtomicUsize,
    latest: AtomicU64,
}

impl Together {
    pub(super) const fn new(common: Arc<Common>) -> Self {
        Self { common, waiters: Waiters::new() }
    }
}

impl Common {
    pub(super) fn new(capacity: usize) -> Self {
        Self { room: AtomicUsize::new(capacity), latest: AtomicU64::new(0) }
    }
}

/// Relaxed is enough: the numbers are all that is published, and those of one key are drawn under one lock.
impl Surroundings for Together {
    fn take_room(&mut self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.common.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    fn give_room_back(&mut self) {
        self.common.room.fetch_add(1, Ordering::Relaxed);
    }

    fn next_counter(&mut self) -> NonZeroU64 {
        NonZeroU64::MIN.saturating_add(self.common.latest.fetch_add(1, Ordering::Relaxed))
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the order of few is of use")]
    fn order(&self) -> u32 {
        self.common.latest.load(Ordering::Relaxed) as u32
    }

    fn ended(&mut self, slot: u32) {
        self.waiters.wake(slot);
    }
}
