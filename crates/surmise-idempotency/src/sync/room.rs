use alloc::sync::Arc;

use super::loom::{AtomicUsize, Ordering};
use crate::cache::Room;

/// The room that all shards share.
#[derive(Clone)]
pub(super) struct SharedRoom(Arc<AtomicUsize>);

impl SharedRoom {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(capacity)))
    }
}

/// Relaxed is enough: the number is all that is published.
impl Room for SharedRoom {
    const IS_SHARED: bool = true;

    fn take(&mut self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    fn give_back(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
