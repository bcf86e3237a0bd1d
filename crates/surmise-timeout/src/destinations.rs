use alloc::borrow::ToOwned;
use core::{borrow::Borrow, convert::Infallible, fmt, hash::Hash, num::NonZeroUsize};

use lru::LruCache;

/// A bounded table of one value for each destination: a timeout, a budget, a hedge.
///
/// The values come into being as destinations are first used. When there are more destinations than there is
/// room for, the one that was used least recently makes room, and is as good as new when it comes back: that
/// is right for what is learned, and bounds the memory that callers can take up by naming destinations.
///
/// To find a value takes O(1) time. Room is taken as it is needed, and never for more than the capacity.
///
/// # Examples
///
/// ```
/// use core::{num::NonZeroUsize, time::Duration};
/// use surmise_timeout::{AdaptiveTimeout, AdaptiveTimeoutConfig, Destinations, Outcome, Quantile};
///
/// let [floor, ceiling] = [1, 5000].map(Duration::from_millis);
/// let config = AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling);
/// let mut timeouts = Destinations::<String, _>::new(NonZeroUsize::MIN.saturating_add(99));
///
/// let timeout = timeouts.try_get_or_create("db-1:5432", || AdaptiveTimeout::<1000>::new(config))?;
/// timeout.record(Outcome::Completed(Duration::from_millis(20)));
/// assert_eq!(timeouts.get("db-1:5432").map(|timeout| timeout.calls()), Some(1));
/// assert_eq!(timeouts.len(), 1);
/// # Ok::<(), surmise_timeout::AdaptiveTimeoutError>(())
/// ```
pub struct Destinations<K, V> {
    /// Not bounded by itself: it would make its room at once, and a capacity is not to be feared.
    values: LruCache<K, V>,
    capacity: NonZeroUsize,
    evictions: u64,
}

impl<K: Hash + Eq, V> Destinations<K, V> {
    /// Creates a table for so many destinations.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { values: LruCache::unbounded(), capacity, evictions: 0 }
    }

    /// Returns the value of a destination, which is now the most recently used, and makes one if there is none.
    ///
    /// What has to make room for it is dropped.
    pub fn get_or_create<Q>(&mut self, destination: &Q, make: impl FnOnce() -> V) -> &mut V
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.get_or_create_evicting(destination, make).0
    }

    /// Returns the value of a destination, as [`get_or_create`](Self::get_or_create), if one can be made.
    ///
    /// # Errors
    ///
    /// That of `make`. Nothing has changed then.
    pub fn try_get_or_create<Q, E>(
        &mut self,
        destination: &Q,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<&mut V, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.find_or_make(destination, make).map(|(value, _)| value)
    }

    /// Returns the value of a destination, as [`get_or_create`](Self::get_or_create), and what had to make room
    /// for it.
    pub fn get_or_create_evicting<Q>(
        &mut self,
        destination: &Q,
        make: impl FnOnce() -> V,
    ) -> (&mut V, Option<(K, V)>)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        match self.find_or_make(destination, || Ok::<V, Infallible>(make())) {
            Ok(found) => found,
            Err(never) => match never {},
        }
    }

    /// Returns the value of a destination, which is now the most recently used, if there is one.
    pub fn get<Q>(&mut self, destination: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.values.get_mut(destination)
    }

    /// Removes a destination, and returns its value if there was one.
    pub fn remove<Q>(&mut self, destination: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.values.pop(destination)
    }

    /// Returns all destinations and their values, which may be changed, the most recently used first.
    ///
    /// None counts as used by that.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&K, &mut V)> {
        self.values.iter_mut()
    }

    /// Returns all destinations and their values, the most recently used first.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.values.iter()
    }

    /// Returns how many destinations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns for how many destinations there is room.
    #[must_use]
    pub const fn capacity(&self) -> NonZeroUsize {
        self.capacity
    }

    /// Returns how many destinations had to make room. If that grows all the time, the table is too small.
    #[must_use]
    pub const fn evictions(&self) -> u64 {
        self.evictions
    }

    fn find_or_make<Q, E>(
        &mut self,
        destination: &Q,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Found<'_, K, V>, E>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if self.len() < self.capacity.get() || self.values.contains(destination) {
            return Ok((self.values.try_get_or_insert_mut_ref(destination, make)?, None));
        }
        // First of all: if it fails or panics, nothing has made room in vain.
        let value = make()?;
        let evicted = self.values.pop_lru();
        self.evictions = self.evictions.saturating_add(1);
        Ok((self.values.get_or_insert_mut_ref(destination, || value), evicted))
    }
}

/// A value, and what had to make room for it.
type Found<'a, K, V> = (&'a mut V, Option<(K, V)>);

impl<K: fmt::Debug + Hash + Eq, V: fmt::Debug> fmt::Debug for Destinations<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
