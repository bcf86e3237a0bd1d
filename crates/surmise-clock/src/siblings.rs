//! Concurrent values of one key.

mod error;

use alloc::vec::Vec;
use core::mem;

pub use self::error::{EntriesError, PutError};
use crate::{CounterOverflow, Dot, VectorClock};

/// The siblings of one key: the values that no other has replaced, and all that has been seen of it.
///
/// In a store whose replicas take writes on their own, two clients may replace the same value. Both
/// new ones are kept as siblings until somebody who has read them writes what shall take their place.
/// [`put`](Self::put) replaces exactly the values that its context has seen, whichever replica takes the
/// write, and replicas that [`sync`](Self::sync) with each other agree on the values that are left.
///
/// One plain version vector a key cannot do that. It does not tell which of two values written at the
/// same replica a reader has seen, so that a store must either lose one of them or keep more and more
/// siblings that were replaced long since.
///
/// This is the dotted version vector set of Almeida, Baquero, Gonçalves, Preguiça and Fonte, "Scalable
/// and Accurate Causality Tracking for Eventually Consistent Stores", DAIS 2014. Of each replica it
/// holds a counter and the values of its last events, so there is one number a replica, however many
/// values there are. The example `versioned_store` plays Dynamo's conflict with it.
///
/// # What a user of it must keep to
///
/// * A context is what [`context`](Self::context) returned, or the merge of several such. Do not build
///   one from the dot that `put` returns: it stands for one event, and a clock that contains it for all
///   events before it too.
/// * Writers read before they write. Each write that has read nothing adds a sibling, and there is no
///   bound: look at [`len`](Self::len), and refuse such writers where they cannot be trusted. Nor may a
///   client change the context that it hands back: a forged one deletes what was never read, or uses up
///   a replica's counter. Keep contexts on the server, or sign them, where clients are not trusted.
/// * A value is put at a replica of which this set has seen all events: at the replica's own set. A
///   replica that lost its state takes a new id. Otherwise two values share a dot, and one of them is lost.
/// * A set without values is kept: its context is what makes a deletion hold, and to drop it is to lose the
///   replica's state.
/// * Its context is not compacted by [`Retirements`](crate::Retirements), whose events are not writes.
///
/// # Examples
///
/// ```
/// use surmise_clock::{DottedVersionVectorSet, VectorClock};
///
/// let mut basket = DottedVersionVectorSet::new();
/// let nothing = VectorClock::new();
/// basket.put(&nothing, &"a", "milk")?;
/// basket.put(&nothing, &"a", "flour")?;
/// assert_eq!(basket.values().collect::<Vec<_>>(), [&"flour", &"milk"]);
///
/// // Somebody who has read both writes what takes their place; a third has read nothing.
/// let read = basket.context().clone();
/// basket.put(&nothing, &"a", "eggs")?;
/// basket.put(&read, &"a", "milk and flour")?;
/// assert_eq!(basket.values().collect::<Vec<_>>(), [&"milk and flour", &"eggs"]);
/// # Ok::<(), surmise_clock::PutError<&str, &str>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize),
    serde(
        try_from = "Vec<(Id, u64, Vec<V>)>",
        bound(
            deserialize = "Id: Ord + Clone + serde::Deserialize<'de>, V: serde::Deserialize<'de>"
        )
    )
)]
pub struct DottedVersionVectorSet<Id, V> {
    /// All events, whether their values are still there or not.
    context: VectorClock<Id>,
    /// For each replica of the context, in the same order, the values of its last events: the oldest
    /// first, and never more than it has events.
    columns: Vec<Vec<V>>,
}

impl<Id, V> DottedVersionVectorSet<Id, V> {
    /// Creates a set without values that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { context: VectorClock::new(), columns: Vec::new() }
    }

    /// Returns what has been seen: the values that are here, and all that they have replaced.
    ///
    /// Hand it out with the values that are read, and take it back with the value that is to replace them.
    #[must_use]
    pub const fn context(&self) -> &VectorClock<Id> {
        &self.context
    }

    /// Returns the number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.iter().map(Vec::len).sum()
    }

    /// Returns whether there are no values, because none was ever seen or all were discarded.
    ///
    /// A set that is empty because all were discarded must be kept: it knows that they were.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.iter().all(Vec::is_empty)
    }

    /// Returns the values: replica by replica in ascending order, and the newest first.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.columns.iter().flat_map(|column| column.iter().rev())
    }

    /// Returns each value together with the event that wrote it, in the order of
    /// [`values`](Self::values).
    pub fn iter(&self) -> impl Iterator<Item = (Dot<&Id>, &V)> {
        self.entries().flat_map(|(replica, counter, values)| {
            let counters = (1..=counter).rev();
            counters
                .zip(values.iter().rev())
                .map(move |(counter, value)| (Dot { replica, counter }, value))
        })
    }

    /// Returns, for each replica in ascending order, how many of its events have been seen, and the
    /// values of the last of them, the oldest first.
    ///
    /// This is all that the set consists of; [`TryFrom`] makes a set of it again.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&Id, u64, &[V])> {
        let columns = self.columns.iter().map(Vec::as_slice);
        self.context
            .iter()
            .zip(columns)
            .map(|((replica, counter), values)| (replica, counter, values))
    }
}

impl<Id: Ord + Clone, V> DottedVersionVectorSet<Id, V> {
    /// Writes a value at a replica, in place of all the values that the context has seen.
    ///
    /// It returns the event that this is. Values that the context has not seen become its siblings.
    /// Without having read anything, use the empty context.
    ///
    /// It takes O(n) time for n replicas, and allocates only for a replica that is new, and for its values.
    ///
    /// # Errors
    ///
    /// If the replica's counter is at its limit, here or in the context. Nothing is changed then, and
    /// the value is handed back.
    pub fn put(
        &mut self,
        context: &VectorClock<Id>,
        replica: &Id,
        value: V,
    ) -> Result<Dot<Id>, PutError<Id, V>> {
        let seen = self.context.get(replica).max(context.get(replica));
        let replica = replica.clone();
        let Some(counter) = seen.checked_add(1) else {
            return Err(PutError { overflow: CounterOverflow { replica }, value });
        };
        self.discard(context);
        let index = self.context.iter().take_while(|(other, _)| **other < replica).count();
        let dot = Dot { replica, counter };
        self.context.record(&dot);
        if seen == 0 {
            self.columns.insert(index, Vec::new());
        }
        if let Some(column) = self.columns.get_mut(index) {
            column.push(value);
        }
        Ok(dot)
    }

    /// Drops all the values that the context has seen, which deletes what its reader knew of.
    ///
    /// The set takes note of the context, so that a value which the reader found elsewhere does not
    /// appear here any more either. (The paper's `discard` leaves that to the event that follows; a
    /// deletion has none.)
    pub fn discard(&mut self, context: &VectorClock<Id>) {
        self.join(context, context.iter().map(|(_, counter)| (counter, Vec::new())));
    }

    /// Takes over all that another set of the same key has seen: its values, and what they replaced.
    ///
    /// This is the join of a lattice: it does not matter how often and in which order sets are synchronised.
    /// It takes O(n log n) time for n replicas, and clones the values that are unseen.
    pub fn sync(&mut self, other: &Self)
    where
        V: Clone,
    {
        // All is cloned before anything is changed, lest a panic on the way leave half a join.
        let unseen: Vec<_> = other
            .entries()
            .map(|(replica, counter, values)| {
                let unseen = counter.saturating_sub(self.context.get(replica));
                let older = values.len().saturating_sub(clamped(unseen));
                let replaced = counter.saturating_sub(values.len() as u64);
                (replaced, values.iter().skip(older).cloned().collect())
            })
            .collect();
        self.join(&other.context, unseen);
    }

    /// Takes note of a context.
    ///
    /// For each of its replicas `news` tells up to which event the values were replaced, and gives the
    /// values of those of its last events that are unseen.
    fn join(&mut self, context: &VectorClock<Id>, news: impl IntoIterator<Item = (u64, Vec<V>)>) {
        let mut ours = self.context.iter().zip(&mut self.columns).peekable();
        let mut added = Vec::new();
        let mut index = 0;
        for ((replica, _), (replaced, mut unseen)) in context.iter().zip(news) {
            while ours.next_if(|((own, _), _)| *own < replica).is_some() {
                index += 1;
            }
            if let Some(((_, counter), column)) = ours.next_if(|((own, _), _)| *own == replica) {
                keep_newest(column, counter.saturating_sub(replaced));
                column.append(&mut unseen);
            } else {
                added.push((index, unseen));
            }
            index += 1;
        }
        drop(ours);
        self.context.merge(context);
        if !added.is_empty() {
            self.insert_columns(added);
        }
    }

    /// Inserts columns so that they come to lie at the given indices, which ascend.
    fn insert_columns(&mut self, added: Vec<(usize, Vec<V>)>) {
        let mut ours = mem::take(&mut self.columns).into_iter();
        let mut added = added.into_iter().peekable();
        let column_at = |index| match added.next_if(|(at, _)| *at == index) {
            Some((_, column)) => column,
            None => ours.next().unwrap_or_default(),
        };
        self.columns = (0..self.context.len()).map(column_at).collect();
    }
}

impl<Id, V> Default for DottedVersionVectorSet<Id, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes what [`entries`](DottedVersionVectorSet::entries) gives.
impl<Id: Ord + Clone, V> TryFrom<Vec<(Id, u64, Vec<V>)>> for DottedVersionVectorSet<Id, V> {
    type Error = EntriesError;

    fn try_from(entries: Vec<(Id, u64, Vec<V>)>) -> Result<Self, EntriesError> {
        let mut set = Self::new();
        for (index, (replica, counter, values)) in entries.into_iter().enumerate() {
            if set.context.iter().next_back().is_some_and(|(last, _)| *last >= replica) {
                return Err(EntriesError::NotAscending { index });
            }
            if counter == 0 {
                return Err(EntriesError::NoEvents { index });
            }
            if values.len() as u64 > counter {
                return Err(EntriesError::TooManyValues { index, counter, values: values.len() });
            }
            set.context.record(&Dot { replica, counter });
            set.columns.push(values);
        }
        Ok(set)
    }
}

/// As its [`entries`](DottedVersionVectorSet::entries): `[["a",2,["flour","milk"]],["b",1,[]]]`.
#[cfg(feature = "serde")]
impl<Id: serde::Serialize, V: serde::Serialize> serde::Serialize for DottedVersionVectorSet<Id, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries())
    }
}

/// Drops all but the newest values.
fn keep_newest<V>(column: &mut Vec<V>, kept: u64) {
    let dropped = column.len().saturating_sub(clamped(kept));
    column.drain(..dropped);
}

/// Turns a count into one of things in memory, of which there are no more than that.
fn clamped(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
