#[cfg(all(test, loom))]
mod loom_tests;

use alloc::{borrow::ToOwned, boxed::Box, vec::Vec};
use core::{
    array,
    borrow::Borrow,
    fmt,
    hash::{BuildHasher, Hash},
    num::NonZeroUsize,
};

use crossbeam_utils::CachePadded;

use super::loom::{AtomicU64, AtomicUsize, Mutex, Ordering};
use crate::{
    Pass, Refusal, Refused, WriteRefusal,
    map::{Hasher, Table},
};

/// A [`FencedMap`](crate::FencedMap) that many threads share.
///
/// Its keys are divided among 16 shards, each with a copy of the floor behind the same lock: a write holds the lock
/// of one shard while it checks and writes. [`raise`](Self::raise) holds the locks of all at once, so that it
/// happens at one moment for all keys. Once it returned, no write of an earlier holder can land anywhere.
///
/// The bound is that of the whole map, however its keys are divided. A map without keys takes about 2 KiB, so that
/// for many small resources a [`FencedMap`](crate::FencedMap) behind one lock is better.
///
/// Under a lock run the `Hash`, `Eq`, `Clone`, `ToOwned` and `Drop` of keys and the `Clone` of values. They must not use
/// the map.
///
/// # Examples
///
/// ```
/// use core::num::NonZeroUsize;
/// use surmise_fence::{FencingToken, sync::FencedMap};
///
/// let [old, new] = [1, 2].map(FencingToken::first);
/// let accounts = FencedMap::new(NonZeroUsize::MIN.saturating_add(999));
/// std::thread::scope(|scope| {
///     // Which of the two comes first does not matter: the new holder knows what it read.
///     scope.spawn(|| accounts.write("alice", 10, old.into()));
///     let holder = scope.spawn(|| {
///         accounts.raise(new.into())?;
///         let balance = accounts.get("alice").unwrap_or(0);
///         accounts.write("alice", balance + 1, new.into())
///             .map_err(|refused| Box::<dyn core::error::Error + Send + Sync>::from(refused.reason))
///     });
///     assert!(holder.join().is_ok_and(|written| written.is_ok()));
/// });
/// assert!(matches!(accounts.get("alice"), Some(1 | 11)));
/// ```
pub struct FencedMap<K, V> {
    shards: Box<[Shard<K, V>; SHARDS]>,
    hasher: Hasher,
    room: CachePadded<Room>,
    capacity: NonZeroUsize,
}

struct Room {
    /// How many slots no shard has taken.
    free: AtomicUsize,
    /// How often the floor was raised. It is counted with all shards locked.
    raises: AtomicU64,
    /// Up to which raise all that it made superfluous is forgotten.
    pruned: AtomicU64,
}

/// All shards have the same floor whenever none is locked.
type Shard<K, V> = CachePadded<Mutex<Table<K, V>>>;

/// More than threads are likely to meet in, and in a model enough to tell shards apart.
const SHARDS: usize = if cfg!(loom) { 2 } else { 16 };

/// The bits of a hash that choose the shard begin here. A table looks at the lowest bits, as many as it has
/// slots, and at the highest 7, or on a 32-bit machine those below the 32nd. Of each shard's keys those still differ.
const SHARD_BITS: u32 = 48;

impl<K: Eq + Hash, V> FencedMap<K, V> {
    /// Creates a map with room for so many keys, tombstones included.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        let hasher = Hasher::default();
        let shard = |_| CachePadded::new(Mutex::new(Table::new(hasher.clone())));
        let shards = Box::new(array::from_fn(shard));
        let room = CachePadded::new(Room {
            free: AtomicUsize::new(capacity.get()),
            raises: AtomicU64::new(0),
            pruned: AtomicU64::new(0),
        });
        Self { shards, hasher, room, capacity }
    }

    /// Raises the floor to a grant, as [`FencedMap::raise`](crate::FencedMap::raise): once this returned, no write
    /// of an earlier one lands, whatever its key.
    ///
    /// # Errors
    ///
    /// If the floor is higher, or of another grant with the same token. Nothing is changed then.
    pub fn raise(&self, pass: Pass) -> Result<(), Refusal> {
        // All lock in this order, and whoever locks one shard only never waits for another meanwhile.
        let mut tables = self.shards.each_ref().map(|shard| shard.lock());
        let mut is_higher = false;
        for table in &mut tables {
            // The floors are the same, so if any is too high, it is the first.
            is_higher = table.raise(pass)?;
        }
        if is_higher {
            self.room.raises.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Writes a value, as [`FencedMap::write`](crate::FencedMap::write).
    ///
    /// # Errors
    ///
    /// If the pass may not follow the floor or the last write to the key, or if the key is new and there is no room.
    /// Nothing is changed then, and key and value come back.
    #[inline]
    pub fn write(&self, key: K, value: V, pass: Pass) -> Result<Option<V>, Refused<K, V>> {
        let hash = self.hasher.hash_one(&key);
        match self.try_write(hash, key, value, pass) {
            Err(refused) if refused.is_full() => self.make_room_and_write(hash, refused, pass),
            result => result,
        }
    }

    /// Removes a key, as [`FencedMap::remove`](crate::FencedMap::remove).
    ///
    /// # Errors
    ///
    /// If the pass may not follow the floor or the last write to the key, or if there is no room for the tombstone of
    /// a key that is not there. Nothing is changed then.
    pub fn remove<Q>(&self, key: &Q, pass: Pass) -> Result<Option<V>, WriteRefusal>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        match self.try_remove(key, pass) {
            Err(WriteRefusal::Full { .. }) if self.find_room() => self.try_remove(key, pass),
            result => result,
        }
    }

    /// Forgets the tombstones that the floor made superfluous, as [`FencedMap::prune`](crate::FencedMap::prune), shard
    /// by shard, and returns how many there were.
    pub fn prune(&self) -> usize {
        self.prune_by(Table::prune)
    }

    /// Returns a copy of the value of a key.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        V: Clone,
    {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).lock().entry(hash, key).map(|(value, _)| value.clone())
    }

    /// Returns a copy of the value of a key, and the pass that it was written with.
    #[must_use]
    pub fn get_with_pass<Q>(&self, key: &Q) -> Option<(V, Pass)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        V: Clone,
    {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).lock().entry(hash, key).map(|(value, pass)| (value.clone(), pass))
    }

    /// Returns the pass that a key was last written or removed with, if that is remembered.
    #[must_use]
    pub fn pass<Q>(&self, key: &Q) -> Option<Pass>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).lock().pass(hash, key)
    }

    /// Returns copies of all keys with their values and passes, shard by shard; there is no order among them.
    ///
    /// Others may write meanwhile, unless the caller is the holder and raised the floor: then what it gets is what
    /// there is. It takes O(n) time and room, and locks each shard in turn.
    #[must_use]
    pub fn snapshot(&self) -> Vec<(K, V, Pass)>
    where
        K: Clone,
        V: Clone,
    {
        let mut entries = Vec::new();
        for shard in &*self.shards {
            let table = shard.lock();
            entries
                .extend(table.iter().map(|(key, value, pass)| (key.clone(), value.clone(), pass)));
        }
        entries
    }

    /// Returns the grant to which the floor was raised last; its sequence is 0.
    #[must_use]
    pub fn floor(&self) -> Option<Pass> {
        self.shard(0).lock().floor()
    }

    /// Returns how many keys have a value. Others may come and go meanwhile.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sum(|table| table.slots() - table.tombstones())
    }

    /// Returns whether no key has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many removed keys are remembered, and take room.
    #[must_use]
    pub fn tombstones(&self) -> usize {
        self.sum(|table| table.tombstones())
    }

    /// Returns for how many keys there is room, tombstones included.
    #[must_use]
    pub const fn capacity(&self) -> NonZeroUsize {
        self.capacity
    }

    #[inline]
    fn try_write(
        &self,
        hash: u64,
        key: K,
        value: V,
        pass: Pass,
    ) -> Result<Option<V>, Refused<K, V>> {
        self.shard(hash).lock().write(hash, key, value, pass, || self.claim())
    }

    /// Tries a write again that found no room, out of line of the usual case.
    #[cold]
    fn make_room_and_write(
        &self,
        hash: u64,
        refused: Refused<K, V>,
        pass: Pass,
    ) -> Result<Option<V>, Refused<K, V>> {
        if !self.find_room() {
            return Err(refused);
        }
        self.try_write(hash, refused.key, refused.value, pass)
    }

    fn try_remove<Q>(&self, key: &Q, pass: Pass) -> Result<Option<V>, WriteRefusal>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        let mut table = self.shard(hash).lock();
        let before = table.slots();
        let result = table.remove(hash, key, pass, || self.claim());
        self.give_back(before.saturating_sub(table.slots()));
        result
    }

    /// Forgets what is superfluous, if the floor was raised since that was done last, and returns whether there is room.
    ///
    /// Otherwise it takes no lock, since a full map may be asked for room by everybody, all the time.
    #[cold]
    fn find_room(&self) -> bool {
        // Whoever reads this number and then locks a shard finds it raised so often, or more often.
        let raises = self.room.raises.load(Ordering::Relaxed);
        // Who finds that another thread pruned also finds the room that it made.
        if self.room.pruned.load(Ordering::Acquire) < raises {
            self.prune_by(Table::prune_if_due);
            self.room.pruned.fetch_max(raises, Ordering::Release);
        }
        self.room.free.load(Ordering::Relaxed) > 0
    }

    /// Who comes to a shard later finds what it gave back, even if somebody else pruned it.
    fn prune_by(&self, prune: impl Fn(&mut Table<K, V>) -> usize) -> usize {
        self.sum(|table| {
            let pruned = prune(table);
            self.give_back(pruned);
            pruned
        })
    }

    fn sum(&self, count: impl Fn(&mut Table<K, V>) -> usize) -> usize {
        self.shards.iter().map(|shard| count(&mut shard.lock())).sum()
    }

    /// Takes a slot.
    ///
    /// Relaxed is enough here and below: the number is all that is published.
    #[cold]
    fn claim(&self) -> Result<(), WriteRefusal> {
        let one_less = |free: usize| free.checked_sub(1);
        match self.room.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
            Ok(_) => Ok(()),
            Err(_) => Err(WriteRefusal::Full { capacity: self.capacity.get() }),
        }
    }

    fn give_back(&self, slots: usize) {
        if slots > 0 {
            self.room.free.fetch_add(slots, Ordering::Relaxed);
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard<K, V> {
        let [bits, ..] = (hash >> SHARD_BITS).to_le_bytes();
        #[expect(clippy::indexing_slicing, reason = "a remainder is less than its divisor")]
        &self.shards[usize::from(bits) % SHARDS]
    }
}

impl<K: Eq + Hash, V> fmt::Debug for FencedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FencedMap")
            .field("floor", &self.floor())
            .field("len", &self.len())
            .field("tombstones", &self.tombstones())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::FencingToken;

    /// Everybody who is refused for want of room would otherwise lock all shards.
    #[test]
    fn a_full_map_looks_for_room_once_after_each_raise() {
        let [old, new] = [1, 2].map(|epoch| Pass::from(FencingToken::first(epoch)));
        let map = FencedMap::new(NonZeroUsize::MIN);
        map.remove(&0, old).unwrap();
        assert!(map.write(1, (), old).unwrap_err().is_full());
        // The map was not told.
        for shard in &*map.shards {
            assert_eq!(shard.lock().raise(new), Ok(true));
        }
        assert!(map.write(1, (), new).unwrap_err().is_full(), "all shards were locked");
        assert!(matches!(map.remove(&1, new.with_sequence(1)), Err(WriteRefusal::Full { .. })));
        assert_eq!(map.tombstones(), 1);

        let newest = Pass::from(FencingToken::first(3));
        for _ in 0..2 {
            map.raise(newest).unwrap();
        }
        assert_eq!(map.room.raises.load(Ordering::Relaxed), 1);
        assert_eq!(map.write(1, (), newest).unwrap(), None);
        assert_eq!(map.room.pruned.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn keys_that_follow_each_other_are_divided_evenly() {
        let map = FencedMap::new(NonZeroUsize::MIN.saturating_add(16_000));
        for key in 0..16_000_u64 {
            map.write(key, (), FencingToken::first(1).into()).unwrap();
        }
        let counts: Vec<usize> = map.shards.iter().map(|shard| shard.lock().slots()).collect();
        // Of 16 counts with σ = 31, none in 10⁸ such maps is so far off.
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
