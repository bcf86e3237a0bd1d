mod refused;
mod table;

use alloc::borrow::ToOwned;
use core::{borrow::Borrow, fmt, hash::Hash, num::NonZeroUsize};

pub use self::refused::{Refused, WriteRefusal};
pub(crate) use self::table::{Hasher, Table};
use crate::{Pass, Refusal};

/// The values of one resource, each written in one step with the check whether its writer may.
///
/// There is one *floor* under the resource, which a new holder raises before it reads, and for each key the pass of
/// its last write. A write is accepted if its pass may follow both, by [`Pass::check_floor`] and [`Pass::check`]. So
/// nothing that the new holder read can change behind its back, whichever keys the two of them write. Without the
/// floor, a stale holder could still write the keys that the new one has not touched; so a holder that does not
/// [`raise`](Self::raise) gets no more than an order of the writes to each key.
///
/// Tokens belong to one resource, and so does a map. Whoever keeps many resources keeps a map of them: the floors
/// then are where they belong, and no two resources can be mistaken for each other.
///
/// [`sync::FencedMap`](crate::sync::FencedMap) is the same for many threads. A map in memory forgets at a restart, and
/// then lets everybody write. Whoever fills it again does so as a new holder: with a token that is higher than all
/// before, it raises the map first.
///
/// # Removed keys
///
/// A removal is a write, and has to be remembered as one: else a late write would bring the key back. What remains is
/// a tombstone, which is a key and its pass. One that the floor makes superfluous is not kept, that is if
/// its token is lower than the floor's: whoever gets past the floor then has a higher token than the tombstone, and
/// that is always accepted. The same goes if it is the floor's own grant, and the removal had no sequence. So a holder
/// that raises the floor before it writes, and does not number its writes, leaves no tombstones at all.
///
/// # Bounds
///
/// There is room for a fixed number of keys, tombstones included. When it is used up, tombstones that a raised floor
/// made superfluous go, which takes O(capacity) time once for each raise; then only keys that are there can be
/// written. Memory is taken as it is needed: for each key its size, that of its value and 40 bytes or so, times 1.1 to
/// 2.3, since room is doubled when it is used up, and 3.4 while it is.
///
/// All else takes O(1) time but where said. Keys are hashed by foldhash with a seed that an outsider has no easy way to
/// learn; someone who can see how long writes take could still choose keys that collide. Where keys come from
/// such people, use a keyed hash of them, as of SipHash, as the key.
///
/// # Examples
///
/// ```
/// use core::num::NonZeroUsize;
/// use surmise_fence::{FencedMap, FencingToken, Pass, Refusal};
///
/// let [old, new] = [1, 2].map(FencingToken::first);
/// let mut accounts = FencedMap::new(NonZeroUsize::MIN.saturating_add(999));
/// accounts.raise(old.into())?;
/// accounts.write("alice", 10, old.into())?;
///
/// accounts.raise(new.into())?; // The new holder, before it reads.
/// assert_eq!(accounts.get("alice"), Some(&10));
///
/// // The old one wakes up. It may not even write what nobody else has written.
/// let refused = accounts.write("bob", 20, old.into()).unwrap_err();
/// assert_eq!(refused.reason, Refusal::Stale { offered: old, highest: new }.into());
/// assert_eq!((refused.key, refused.value), ("bob", 20));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FencedMap<K, V> {
    table: Table<K, V>,
    capacity: NonZeroUsize,
}

impl<K: Eq + Hash, V> FencedMap<K, V> {
    /// Creates a map with room for so many keys, tombstones included.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self { table: Table::new(Hasher::default()), capacity }
    }

    /// Raises the floor to a grant: no write of an earlier one is accepted from now on, whatever its key.
    ///
    /// A new holder does this before it reads what it will go on from, so that what it read stays true. A
    /// write does not raise the floor.
    ///
    /// # Errors
    ///
    /// If the floor is higher, or of another grant with the same token. Nothing is changed then.
    pub fn raise(&mut self, pass: Pass) -> Result<(), Refusal> {
        self.table.raise(pass)?;
        Ok(())
    }

    /// Writes a value if the pass may follow the floor and the last write to the key, and returns the previous value.
    ///
    /// # Errors
    ///
    /// If it may not, or if the key is new and there is no room. Nothing is changed then, and key and value come
    /// back.
    #[inline]
    pub fn write(&mut self, key: K, value: V, pass: Pass) -> Result<Option<V>, Refused<K, V>> {
        let hash = self.table.hash(&key);
        let room = self.room();
        match self.table.write(hash, key, value, pass, || room) {
            Err(refused) if refused.is_full() => self.make_room_and_write(hash, refused, pass),
            result => result,
        }
    }

    /// Removes a key if the pass may follow the floor and the last write to the key, and returns the last value.
    ///
    /// It is a write of no value: also of a key that is not there, since an earlier write to it may be
    /// under way. See [removed keys](Self#removed-keys) for what remains.
    ///
    /// # Errors
    ///
    /// If it may not, or if there is no room for the tombstone of a key that is not there. Nothing is changed then.
    pub fn remove<Q>(&mut self, key: &Q, pass: Pass) -> Result<Option<V>, WriteRefusal>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let hash = self.table.hash(key);
        let room = self.room();
        match self.table.remove(hash, key, pass, || room) {
            Err(WriteRefusal::Full { .. }) => {
                self.table.prune_if_due();
                let room = self.room();
                self.table.remove(hash, key, pass, || room)
            }
            result => result,
        }
    }

    /// Forgets the tombstones that the floor made superfluous, and returns how many there were.
    ///
    /// No write and no removal is answered otherwise for it, now or later; only [`pass`](Self::pass) and
    /// [`tombstones`](Self::tombstones) know of them no more. It takes O(capacity) time if there is any tombstone, and happens by
    /// itself when the map is full.
    pub fn prune(&mut self) -> usize {
        self.table.prune()
    }

    /// Returns the value of a key.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        Some(self.table.entry(self.table.hash(key), key)?.0)
    }

    /// Returns the value of a key, and the pass that it was written with.
    #[must_use]
    pub fn get_with_pass<Q>(&self, key: &Q) -> Option<(&V, Pass)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.table.entry(self.table.hash(key), key)
    }

    /// Returns the pass that a key was last written or removed with, if that is remembered.
    #[must_use]
    pub fn pass<Q>(&self, key: &Q) -> Option<Pass>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.table.pass(self.table.hash(key), key)
    }

    /// Returns all keys with their values and passes; there is no order among them.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V, Pass)> {
        self.table.iter()
    }

    /// Returns the grant to which the floor was raised last; its sequence is 0.
    #[must_use]
    pub const fn floor(&self) -> Option<Pass> {
        self.table.floor()
    }

    /// Returns how many keys have a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.slots() - self.table.tombstones()
    }

    /// Returns whether no key has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many removed keys are remembered, and take room.
    #[must_use]
    pub const fn tombstones(&self) -> usize {
        self.table.tombstones()
    }

    /// Returns for how many keys there is room, tombstones included.
    #[must_use]
    pub const fn capacity(&self) -> NonZeroUsize {
        self.capacity
    }

    /// Tries a write again that found no room, out of line of the usual case.
    #[cold]
    fn make_room_and_write(
        &mut self,
        hash: u64,
        refused: Refused<K, V>,
        pass: Pass,
    ) -> Result<Option<V>, Refused<K, V>> {
        self.table.prune_if_due();
        let room = self.room();
        self.table.write(hash, refused.key, refused.value, pass, || room)
    }

    fn room(&self) -> Result<(), WriteRefusal> {
        let capacity = self.capacity.get();
        if self.table.slots() < capacity { Ok(()) } else { Err(WriteRefusal::Full { capacity }) }
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
