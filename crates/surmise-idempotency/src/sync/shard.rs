use alloc::vec::Vec;
use core::{
    mem,
    ops::{Deref, DerefMut},
    slice,
    task::Waker,
};

use crossbeam_utils::CachePadded;

use super::{
    loom::{Mutex, MutexGuard},
    together::Together,
};
use crate::cache::Table;

/// All keys of a cache.
pub(super) struct Shards<K, V, C>([Shard<K, V, C>; SHARDS]);

/// More than threads are likely to meet in, and in a model enough to tell shards apart.
pub(super) const SHARDS: usize = if cfg!(loom) { 2 } else { 16 };

impl<K, V, C> Shards<K, V, C> {
    pub(super) fn new(keys: [Keys<K, V, C>; SHARDS]) -> Self {
        Self(keys.map(|keys| Shard(CachePadded::new(Mutex::new(keys)))))
    }

    /// Locks a shard. Its number is taken modulo their count.
    #[inline]
    pub(super) fn lock(&self, number: u8) -> Locked<'_, K, V, C> {
        #[expect(clippy::indexing_slicing, reason = "a remainder is less than its divisor")]
        self.0[usize::from(number) % SHARDS].lock()
    }

    pub(super) fn iter(&self) -> slice::Iter<'_, Shard<K, V, C>> {
        self.0.iter()
    }
}

/// Some of the keys of a cache, and who waits for them.
pub(super) struct Shard<K, V, C>(CachePadded<Mutex<Keys<K, V, C>>>);

pub(super) type Keys<K, V, C> = Table<K, V, C, Together>;

impl<K, V, C> Shard<K, V, C> {
    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, K, V, C> {
        Locked { keys: self.0.lock(), woken: Woken(Vec::new()) }
    }
}

/// A shard that is locked. When it is not any more, who is to be woken is woken, also if a key or a result panicked.
pub(super) struct Locked<'a, K, V, C> {
    /// Before the other, as it is dropped before.
    keys: MutexGuard<'a, Keys<K, V, C>>,
    woken: Woken,
}

impl<K, V, C> Drop for Locked<'_, K, V, C> {
    #[inline]
    fn drop(&mut self) {
        let waiters = &mut self.keys.surroundings().waiters;
        if waiters.has_woken() {
            self.woken.0 = waiters.take_woken();
        }
    }
}

impl<K, V, C> Deref for Locked<'_, K, V, C> {
    type Target = Keys<K, V, C>;

    fn deref(&self) -> &Self::Target {
        &self.keys
    }
}

impl<K, V, C> DerefMut for Locked<'_, K, V, C> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.keys
    }
}

/// Who is woken when this is dropped.
struct Woken(Vec<Waker>);

impl Drop for Woken {
    #[inline]
    fn drop(&mut self) {
        if !self.0.is_empty() {
            self.wake();
        }
    }
}

impl Woken {
    #[cold]
    fn wake(&mut self) {
        mem::take(&mut self.0).into_iter().for_each(Waker::wake);
    }
}
