//! Replicas that have left for good.

mod error;

use alloc::vec::Vec;

pub use self::error::{LearnError, RetireError};
use crate::{CausalOrder, Dot, VectorClock};

/// What allows clocks to leave out a departed replica: the event at which a survivor retired it.
///
/// Every clock that contains the event [`by`](Self::by) has seen the first [`last`](Self::last) events
/// of [`replica`](Self::replica), since whoever retired it had seen them. So an entry that says just
/// this need not be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_structs, reason = "an event, and what it is known to have seen")]
pub struct Tombstone<Id> {
    /// The event at which the replica was retired.
    pub by: Dot<Id>,
    /// The replica that was retired.
    pub replica: Id,
    /// How many of its events had been seen by then.
    pub last: u64,
}

/// The replicas that have left for good, so that clocks need not carry them for ever.
///
/// Retiring a replica is an event of one that survives it, as in Bayou (Petersen, Spreitzer, Terry,
/// Theimer and Demers, "Flexible Update Propagation for Weakly Consistent Replication", SOSP 1997).
/// It leaves a [`Tombstone`]. A clock that contains that event implies the entry of the departed replica,
/// and [`compact`](Self::compact) leaves it out; a clock that does not keeps its entry, or has seen
/// nothing. So what an absent entry means is never in doubt: [`restore`](Self::restore) writes it down
/// again, and clocks stand to each other as they did before.
///
/// # Why not drop the oldest entries?
///
/// Stores that prune clocks by their length or by the age of entries (as Dynamo did, and Riak with
/// `small_vclock` and `young_vclock`) forget that something was seen, and what was forgotten comes
/// back. Let `{a: 1, b: 1}` be the clock of a value that replaced the one of `{a: 1}`, and `a` its oldest
/// entry. Pruned to `{b: 1}`, it no longer descends from `{a: 1}`: the next replica that still holds the old
/// value brings it back as a sibling, as if nobody had ever replaced or deleted it. No age is safe, since
/// no replica is known to have forgotten the old value by then.
///
/// ```
/// use surmise_clock::{CausalOrder, Retirements, VectorClock};
///
/// let old: VectorClock<_> = [("a", 1)].into_iter().collect();
/// let new: VectorClock<_> = [("a", 1), ("b", 1)].into_iter().collect();
/// let pruned: VectorClock<_> = [("b", 1)].into_iter().collect();
/// assert_eq!(old.causal_order(&new), CausalOrder::Before);
/// assert_eq!(old.causal_order(&pruned), CausalOrder::Concurrent);
///
/// // The replica `a` has left, and `b` retires it.
/// let mut retirements = Retirements::new();
/// let mut clock = new.clone();
/// let tombstone = retirements.retire(&mut clock, &"a", &"b")?;
/// assert_eq!((tombstone.last, tombstone.by.counter), (1, 2));
/// retirements.compact(&mut clock);
/// assert_eq!(clock, [("b", 2)].into_iter().collect());
/// assert_eq!(retirements.causal_order(&old, &clock), CausalOrder::Before);
/// assert_eq!(retirements.causal_order(&new, &clock), CausalOrder::Before);
/// # Ok::<(), surmise_clock::RetireError<&str>>(())
/// ```
///
/// # What a user of it must keep to
///
/// * Whoever gets a compacted clock must know the tombstones that it was compacted with: send them before
///   it, or with it.
/// * Compacted clocks may be [`merge`](VectorClock::merge)d as they are. Compare them with
///   [`causal_order`](Self::causal_order), and look at a single entry after [`restore`](Self::restore).
/// * Clocks must be *causally closed*: what contains an event contains all that its replica had seen by
///   then. Clocks are if they come from counting events and from merging whole clocks.
/// * All clocks count the same events, and retiring is one of them: that is for clocks whose events are
///   yours to count. It is not for the context of a [`DottedVersionVectorSet`](crate::DottedVersionVectorSet),
///   where an event is a write, nor for a [`CausalBuffer`](crate::CausalBuffer), where it is a message.
/// * A replica that comes back takes a new id.
///
/// A tombstone stays right even if the replica had not left, or had more events that nobody had seen: an
/// entry that says more than it implies is kept. It then saves less, and nothing else. For the same
/// reason two survivors may retire the same replica without knowing of each other.
///
/// # Examples
///
/// ```
/// use surmise_clock::{Retirements, VectorClock};
///
/// let mut here = Retirements::new();
/// let mut clock: VectorClock<_> = [("a", 7), ("b", 3), ("c", 5)].into_iter().collect();
/// let tombstone = here.retire(&mut clock, &"a", &"b")?;
/// here.compact(&mut clock);
/// assert_eq!(clock, [("b", 4), ("c", 5)].into_iter().collect());
///
/// // Elsewhere, with the tombstone and the clock that followed it.
/// let mut there = Retirements::new();
/// there.learn(tombstone)?;
/// there.restore(&mut clock);
/// assert_eq!(clock.get(&"a"), 7);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Retirements<Id> {
    /// In strictly ascending order of `by`. Following them from event to event leads round in no circle:
    /// else entries that are left out might imply each other, and nothing imply them.
    tombstones: Vec<Tombstone<Id>>,
}

impl<Id> Retirements<Id> {
    /// Creates a set without tombstones.
    #[must_use]
    pub const fn new() -> Self {
        Self { tombstones: Vec::new() }
    }

    /// Returns the tombstones, in ascending order of the events that left them.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Tombstone<Id>> {
        self.tombstones.iter()
    }

    /// Returns the number of tombstones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tombstones.len()
    }

    /// Returns whether there are no tombstones.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tombstones.is_empty()
    }
}

impl<Id: Ord + Clone> Retirements<Id> {
    /// Retires a departed replica by an event of a survivor, and leaves a tombstone.
    ///
    /// The clock is the survivor's own. The event is counted in it.
    ///
    /// # Errors
    ///
    /// If both are the same replica; if the survivor was retired itself; if the clock has no events of
    /// the departed replica, or none that came after its known retirement; if the survivor's counter is
    /// at its limit, or behind what is known of it. Nothing is changed then.
    pub fn retire<const N: usize>(
        &mut self,
        clock: &mut VectorClock<Id, N>,
        departed: &Id,
        by: &Id,
    ) -> Result<Tombstone<Id>, RetireError<Id>> {
        if departed == by {
            return Err(RetireError::BySelf { replica: by.clone() });
        }
        if let Some(tombstone) = self.of(by).next() {
            return Err(RetireError::ByRetired { tombstone: tombstone.clone() });
        }
        let mut seen = clock.clone();
        self.restore(&mut seen);
        let last = seen.get(departed);
        if last == 0 {
            return Err(RetireError::NothingSeen { replica: departed.clone() });
        }
        if let Some(tombstone) = self.of(departed).find(|tombstone| tombstone.last >= last) {
            return Err(RetireError::AlreadyRetired { tombstone: tombstone.clone() });
        }
        let counter = seen.increment(by).map_err(RetireError::Overflow)?;
        let by = Dot { replica: by.clone(), counter };
        let tombstone = Tombstone { by, replica: departed.clone(), last };
        self.learn(tombstone.clone()).map_err(RetireError::Contradicted)?;
        clock.record(&tombstone.by);
        Ok(tombstone)
    }

    /// Takes over a tombstone from another node. Returns whether it is news.
    ///
    /// Takes as long as [`restore`](Self::restore): n tombstones of strangers take O(n² log n).
    ///
    /// # Errors
    ///
    /// If it contradicts those that are known: one of the nodes does not tell the truth, or it has lost
    /// its state and counts events anew. Nothing is changed then.
    pub fn learn(&mut self, tombstone: Tombstone<Id>) -> Result<bool, LearnError<Id>> {
        let index = match self.tombstones.binary_search_by(|known| known.by.cmp(&tombstone.by)) {
            Ok(index) => {
                let known = self.tombstones.get(index).filter(|known| **known != tombstone);
                return known.cloned().map_or(Ok(false), |known| {
                    Err(LearnError::Conflict { known, learned: tombstone })
                });
            }
            Err(index) => index,
        };
        let retired = (tombstone.replica.clone(), tombstone.last);
        let mut past = VectorClock::<Id>::from_iter([retired]);
        self.restore(&mut past);
        if tombstone.by.replica == tombstone.replica || past.contains(&tombstone.by) {
            return Err(LearnError::Circular { learned: tombstone });
        }
        self.tombstones.insert(index, tombstone);
        Ok(true)
    }

    /// Forgets the tombstone that an event left, and returns it.
    ///
    /// That is safe only once *every* clock, wherever it is kept, saved, backed up or under way, contains
    /// that event and has been compacted, and nobody asks a clock whether it contains an event of the departed
    /// replica any more. Nodes that still know the tombstone must not send it again. Usually it costs less
    /// than finding that out.
    pub fn forget(&mut self, by: &Dot<Id>) -> Option<Tombstone<Id>> {
        let index = self.tombstones.binary_search_by(|tombstone| tombstone.by.cmp(by)).ok()?;
        Some(self.tombstones.remove(index))
    }

    /// Leaves out of a clock all that the rest of it implies.
    ///
    /// What is left depends only on what the clock has seen, not on how much was left out before. It
    /// takes as long as [`restore`](Self::restore).
    pub fn compact<const N: usize>(&self, clock: &mut VectorClock<Id, N>) {
        self.restore(clock);
        // An entry that says more than its tombstone is not implied. One that implies another may be
        // left out itself: what implies it is left, since there are no circles.
        let implied = self.tombstones.iter().filter(|tombstone| {
            clock.get(&tombstone.replica) == tombstone.last && clock.contains(&tombstone.by)
        });
        let mut implied: Vec<&Id> = implied.map(|tombstone| &tombstone.replica).collect();
        if implied.is_empty() {
            return;
        }
        implied.sort_unstable();
        let kept = clock.iter().filter(|(replica, _)| implied.binary_search(replica).is_err());
        *clock = kept.map(|(replica, counter)| (replica.clone(), counter)).collect();
    }

    /// Writes down in a clock all that it implies.
    ///
    /// Takes O(n log n) with n tombstones and replicas, besides the insertion of entries.
    pub fn restore<const N: usize>(&self, clock: &mut VectorClock<Id, N>) {
        let contained = self.tombstones.iter().filter(|tombstone| clock.contains(&tombstone.by));
        let mut pending: Vec<&Tombstone<Id>> = contained.collect();
        // Each comes up once: when the event that left it is found to be contained.
        while let Some(Tombstone { replica, last, .. }) = pending.pop() {
            let before = clock.get(replica);
            if clock.record(&Dot { replica: replica.clone(), counter: *last }) {
                pending.extend(self.left_by(replica, before, *last));
            }
        }
    }

    /// Returns how what the first clock has seen stands to what the second has seen, whether they are
    /// compacted or not.
    #[must_use]
    pub fn causal_order<const N: usize>(
        &self,
        first: &VectorClock<Id, N>,
        second: &VectorClock<Id, N>,
    ) -> CausalOrder {
        let (mut first, mut second) = (first.clone(), second.clone());
        self.restore(&mut first);
        self.restore(&mut second);
        first.causal_order(&second)
    }

    /// Returns the tombstones that a replica's events left, from after one up to another.
    fn left_by(&self, replica: &Id, after: u64, up_to: u64) -> &[Tombstone<Id>] {
        let end_of = |counter: u64| {
            self.tombstones.partition_point(|Tombstone { by, .. }| {
                by.replica.cmp(replica).then(by.counter.cmp(&counter)).is_le()
            })
        };
        self.tombstones.get(end_of(after)..end_of(up_to)).unwrap_or_default()
    }

    /// Returns the tombstones of a replica.
    fn of(&self, replica: &Id) -> impl Iterator<Item = &Tombstone<Id>> {
        self.tombstones.iter().filter(move |tombstone| tombstone.replica == *replica)
    }
}

impl<Id> Default for Retirements<Id> {
    fn default() -> Self {
        Self::new()
    }
}

/// As the sequence of its tombstones.
#[cfg(feature = "serde")]
impl<Id: serde::Serialize> serde::Serialize for Retirements<Id> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.tombstones.serialize(serializer)
    }
}

/// Tombstones that contradict each other are refused. Takes as long as to [`learn`](Retirements::learn) them one
/// by one: bound their number if they come from outside.
#[cfg(feature = "serde")]
impl<'de, Id> serde::Deserialize<'de> for Retirements<Id>
where
    Id: Ord + Clone + core::fmt::Debug + serde::Deserialize<'de>,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut retirements = Self::new();
        for tombstone in Vec::deserialize(deserializer)? {
            retirements.learn(tombstone).map_err(serde::de::Error::custom)?;
        }
        Ok(retirements)
    }
}
