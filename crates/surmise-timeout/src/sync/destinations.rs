use alloc::{borrow::ToOwned, boxed::Box, sync::Arc, vec::Vec};
use core::{
    borrow::Borrow,
    convert::Infallible,
    fmt,
    hash::{BuildHasher, Hash},
    iter,
    num::NonZeroUsize,
};

use crossbeam_utils::CachePadded;

use super::loom::Mutex;
use crate::Destinations;

/// A bounded table of one value for each destination, as [`Destinations`], that many threads share.
///
/// It consists of shards, each behind a lock that is held for a look-up and no longer: not while a value is made,
/// used or dropped. Of each shard the destination that was used least recently makes room. A value that had to make
/// room lives on for those who hold it.
///
/// Keys are hashed, compared and cloned under the lock, and [`remove`](Self::remove) drops one under it. All that is
/// to be quick, and must not use the table: it would wait for itself for ever.
///
/// A shard has room for 64 to 127 destinations, or more in a large table; below 128 destinations there is only
/// one. With several shards, some are full before others: with room for a quarter more destinations than there are,
/// hardly any has to make room.
///
/// # Examples
///
/// ```
/// use core::{num::NonZeroUsize, time::Duration};
/// use surmise_timeout::{
///     AdaptiveTimeoutConfig, Outcome, Quantile,
///     sync::{SharedAdaptiveTimeout, SharedDestinations},
/// };
///
/// let [floor, ceiling] = [1, 5000].map(Duration::from_millis);
/// let config = AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling);
/// let timeouts = SharedDestinations::<String, _>::new(NonZeroUsize::MIN.saturating_add(99));
///
/// let timeout = timeouts.try_get_or_create("db-1:5432", || SharedAdaptiveTimeout::new(config))?;
/// timeout.record(Outcome::Completed(Duration::from_millis(20)));
/// assert!(timeout.current() < ceiling);
/// # Ok::<(), surmise_timeout::AdaptiveTimeoutError>(())
/// ```
pub struct SharedDestinations<K, V> {
    shard: Shard<K, V>,
    others: Box<[Shard<K, V>]>,
    /// Other than the tables' own, so that the destinations of a shard are not those that collide there.
    hasher: lru::DefaultHasher,
    capacity: NonZeroUsize,
}

type Shard<K, V> = CachePadded<Mutex<Destinations<K, Arc<V>>>>;

/// More than threads are likely to meet in.
const MOST_SHARDS: usize = 16;

/// For how many destinations there is room in a shard, unless there is only one.
const LEAST_ROOM: usize = 64;

impl<K: Hash + Eq, V> SharedDestinations<K, V> {
    /// Creates a table for so many destinations.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        let shards = (capacity.get() / LEAST_ROOM).clamp(1, MOST_SHARDS);
        let (each, over) = (capacity.get() / shards, capacity.get() % shards);
        let shard = |nth| {
            let room = NonZeroUsize::new(each + usize::from(nth < over)).unwrap_or(capacity);
            CachePadded::new(Mutex::new(Destinations::new(room)))
        };
        let others = (1..shards).map(shard).collect();
        Self { shard: shard(0), others, hasher: lru::DefaultHasher::default(), capacity }
    }

    /// Returns the value of a destination, which is now the most recently used, and makes one if there is none.
    ///
    /// Threads that use a new destination at the same time may each make a value: all are returned the same
    /// one, and the others are dropped.
    pub fn get_or_create<Q>(&self, destination: &Q, make: impl FnOnce() -> V) -> Arc<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        match self.try_get_or_create(destination, || Ok::<V, Infallible>(make())) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// Returns the value of a destination, as [`get_or_create`](Self::get_or_create), if one can be made.
    ///
    /// # Errors
    ///
    /// That of `make`. Nothing has changed then.
    pub fn try_get_or_create<Q, E>(
        &self,
        destination: &Q,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Arc<V>, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(value) = self.get(destination) {
            return Ok(value);
        }
        let made = Arc::new(make()?);
        let mut shard = self.shard_of(destination).lock();
        let (value, evicted) = shard.get_or_create_evicting(destination, || Arc::clone(&made));
        let value = Arc::clone(value);
        // Only then is dropped what is no longer needed: that may take a while, or use this table.
        drop(shard);
        drop((made, evicted));
        Ok(value)
    }

    /// Returns the value of a destination, which is now the most recently used, if there is one.
    #[must_use]
    pub fn get<Q>(&self, destination: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shard_of(destination).lock().get(destination).map(|value| Arc::clone(value))
    }

    /// Removes a destination, and returns its value if there was one. The table's key is dropped under the lock.
    pub fn remove<Q>(&self, destination: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shard_of(destination).lock().remove(destination)
    }

    /// Returns all destinations and their values, shard by shard; there is no order among them.
    ///
    /// None counts as used by that. It takes O(n) time and room, and locks each shard in turn, while its keys are cloned.
    #[must_use]
    pub fn snapshot(&self) -> Vec<(K, Arc<V>)>
    where
        K: Clone,
    {
        let mut entries = Vec::new();
        for shard in self.shards() {
            let shard = shard.lock();
            entries.extend(shard.iter().map(|(key, value)| (key.clone(), Arc::clone(value))));
        }
        entries
    }

    /// Returns how many destinations there are. Others may come and go meanwhile.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards().map(|shard| shard.lock().len()).sum()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns for how many destinations there is room.
    #[must_use]
    pub const fn capacity(&self) -> NonZeroUsize {
        self.capacity
    }

    /// Returns how many destinations had to make room. If that grows all the time, the table is too small.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        let evictions = self.shards().map(|shard| shard.lock().evictions());
        evictions.fold(0, u64::saturating_add)
    }

    fn shards(&self) -> impl Iterator<Item = &Shard<K, V>> {
        iter::once(&self.shard).chain(&self.others)
    }

    fn shard_of<Q: Hash + ?Sized>(&self, destination: &Q) -> &Shard<K, V> {
        let shards = self.others.len() as u64 + 1;
        let nth = usize::try_from(self.hasher.hash_one(destination) % shards).ok();
        nth.and_then(|nth| self.others.get(nth)).unwrap_or(&self.shard)
    }
}

impl<K: Hash + Eq, V> fmt::Debug for SharedDestinations<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = f.debug_struct("SharedDestinations");
        table.field("len", &self.len()).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::thread;

    use super::*;

    #[test]
    fn loom_a_destination_has_one_value() {
        loom::model(|| {
            let table = loom::sync::Arc::new(SharedDestinations::<u8, u8>::new(NonZeroUsize::MIN));
            let other = loom::sync::Arc::clone(&table);
            let other = thread::spawn(move || other.get_or_create(&1, || 1));
            let value = table.get_or_create(&1, || 2);
            let other = other.join().unwrap();
            assert!(Arc::ptr_eq(&value, &other));
            assert_eq!((table.len(), table.evictions()), (1, 0));
        });
    }

    #[test]
    fn loom_there_is_never_more_than_one_where_there_is_room_for_one() {
        loom::model(|| {
            let table = loom::sync::Arc::new(SharedDestinations::<u8, u8>::new(NonZeroUsize::MIN));
            let other = loom::sync::Arc::clone(&table);
            let other = thread::spawn(move || *other.get_or_create(&1, || 1));
            let value = *table.get_or_create(&2, || 2);
            assert_eq!(table.len(), 1);
            assert_eq!((value, other.join().unwrap()), (2, 1));
            assert_eq!((table.len(), table.evictions()), (1, 1));
        });
    }
}
