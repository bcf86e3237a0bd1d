use alloc::vec::Vec;
use core::{
    mem,
    ops::{Deref, DerefMut},
    task::Waker,
};

use crossbeam_utils::CachePadded;

use super::{
    loom::{Mutex, MutexGuard},
    together::Together,
};
use crate::cache::Table;

/// Some of the keys of a cache, and who waits for them.
pub(super) struct Shard<K, V, C>(CachePadded<Mutex<Keys<K, V, C>>>);

type Keys<K, V, C> = Table<K, V, C, Together>;

impl<K, V, C> Shard<K, V, C> {
    pub(super) fn new(keys: Keys<K, V, C>) -> Self {
        Self(CachePadded::new(Mutex::new(keys)))
    }

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
        self.woken.0 = self.keys.surroundings().waiters.take_woken();
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
        mem::take(&mut self.0).into_iter().for_each(Waker::wake);
    }
}
