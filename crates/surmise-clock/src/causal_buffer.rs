//! Delivery in causal order.

mod error;

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::ops::RangeInclusive;

pub use self::error::{Refusal, Refused};
use crate::{CounterOverflow, Dot, VectorClock};

/// A message with the clock of its sending: how many messages of each replica its sender had delivered
/// by then, and which of its own this is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(bound(deserialize = "Id: Ord + serde::Deserialize<'de>, M: serde::Deserialize<'de>"))
)]
#[expect(clippy::exhaustive_structs, reason = "these three are what causal delivery goes by")]
pub struct Stamped<Id, M> {
    /// The replica that sent it.
    pub sender: Id,
    /// What [`CausalBuffer::stamp`] returned there.
    pub clock: VectorClock<Id>,
    /// The message.
    pub message: M,
}

/// What has become of a message that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a message comes in time, too early or again")]
pub enum Arrival {
    /// It can be delivered, and maybe others that had to wait for it.
    Deliverable,
    /// It is held until what its sender had delivered before it is delivered here too.
    Waiting,
    /// It was delivered before, or is held already. It is dropped.
    Duplicate,
}

/// Puts the messages of a group into causal order.
///
/// The members send each message to all others. The network may reorder and duplicate messages; the
/// buffer gives out each one once, and not before those that its sender had delivered or sent before
/// it. So nobody sees an answer before the question. Concurrent messages come in any order, which may
/// differ from member to member.
///
/// This is the causal broadcast of Birman, Schiper and Stephenson, "Lightweight Causal and Atomic Group
/// Multicast", ACM Transactions on Computer Systems 1991: a message of replica `s` stamped `c` is
/// delivered as soon as `c[s] - 1` messages of `s`, and `c[r]` of every other `r`, have been.
///
/// The clocks count messages and nothing else: do not count other events in them.
///
/// # Bounds
///
/// It holds at most `capacity` messages, and one more that can be delivered at once, so that a full
/// buffer still takes what it is waiting for. A message is looked at again only when the one that it
/// waits for comes, and from where the last look ended, so what a message costs grows with the entries of
/// its clock and not with the number that wait.
///
/// Messages that claim what never was are held like any other, and use up the capacity: take messages only
/// from members, and begin anew with [`into_held`](Self::into_held) and [`resume`](Self::resume) without
/// them if one of those lies.
///
/// # What it does not do
///
/// It sends nothing and asks for nothing: [`missing`](Self::missing) says what to ask for, as far as
/// messages that are held tell. Of a lost message that nothing depends on yet, nothing tells: let members
/// exchange [`delivered`](Self::delivered) now and then, send each other the difference, and keep a
/// message until it is in the `delivered` of all.
///
/// A message that nobody has any more blocks all that depend on it; the way out is to copy the state of
/// another member and to [`resume`](Self::resume) at its clock. It trusts the senders' clocks as to who has
/// seen what: one that claims too much is held for ever. Nothing that it is told makes it panic, or deliver
/// a message twice.
///
/// Members that leave stay in its clocks. [`Retirements`](crate::Retirements) count an event of their own,
/// which is no message and would be waited for.
///
/// # Examples
///
/// ```
/// use surmise_clock::{Arrival, CausalBuffer, Stamped};
///
/// let [mut a, mut b, mut c] = ["a", "b", "c"].map(|me| CausalBuffer::new(me, 16));
/// let question = Stamped { sender: "a", clock: a.stamp()?, message: "lunch?" };
/// b.receive(question.clone())?;
/// assert_eq!(b.deliver().map(|stamped| stamped.message), Some("lunch?"));
/// let answer = Stamped { sender: "b", clock: b.stamp()?, message: "yes" };
///
/// // The answer overtakes the question.
/// assert_eq!(c.receive(answer)?, Arrival::Waiting);
/// assert_eq!(c.missing(), [("a", 1..=1)]);
/// assert_eq!(c.deliver(), None);
/// assert_eq!(c.receive(question.clone())?, Arrival::Deliverable);
/// assert_eq!(c.deliver().map(|stamped| stamped.message), Some("lunch?"));
/// assert_eq!(c.deliver().map(|stamped| stamped.message), Some("yes"));
/// assert_eq!(c.receive(question)?, Arrival::Duplicate);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CausalBuffer<Id, M> {
    me: Id,
    capacity: usize,
    /// What the user has taken out, and what this node has sent itself.
    delivered: VectorClock<Id>,
    /// That, and what is ready.
    released: VectorClock<Id>,
    /// The messages that can be delivered, in an order in which they may be.
    ready: VecDeque<Stamped<Id, M>>,
    /// The messages that can not, by the event that each of them is.
    /// With each, the place of its clock's first entry that is lacking: those before it never lack again.
    waiting: BTreeMap<Dot<Id>, (usize, Stamped<Id, M>)>,
    /// Which of them are to be looked at when an event is released: each is listed once, under an event
    /// that it must not precede.
    blocked: BTreeMap<Dot<Id>, Vec<Dot<Id>>>,
}

impl<Id, M> CausalBuffer<Id, M> {
    /// Creates the buffer of a replica that has neither sent nor delivered anything.
    ///
    /// A replica that lost its state must take a new id instead: the others would take its messages for
    /// duplicates.
    #[must_use]
    pub const fn new(me: Id, capacity: usize) -> Self {
        Self {
            me,
            capacity,
            delivered: VectorClock::new(),
            released: VectorClock::new(),
            ready: VecDeque::new(),
            waiting: BTreeMap::new(),
            blocked: BTreeMap::new(),
        }
    }

    /// Creates the buffer of a replica that goes on where it was, or where another one is whose state
    /// it has taken over.
    ///
    /// The clock must have what that state has [`delivered`](Self::delivered), and all messages that this
    /// replica has ever stamped. So save the clock that [`stamp`](Self::stamp) returns before it is sent.
    #[must_use]
    pub fn resume(me: Id, delivered: VectorClock<Id>, capacity: usize) -> Self
    where
        Id: Clone,
    {
        Self { released: delivered.clone(), delivered, ..Self::new(me, capacity) }
    }

    /// Returns what has been delivered and stamped so far.
    #[must_use]
    pub const fn delivered(&self) -> &VectorClock<Id> {
        &self.delivered
    }

    /// Returns the number of messages that cannot be delivered yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the number of messages that are held: those that wait, and those that can be delivered.
    #[must_use]
    pub fn held(&self) -> usize {
        self.ready.len() + self.waiting.len()
    }

    /// Returns all messages that are held: those that can be delivered, in causal order, and then those
    /// that wait, by sender.
    ///
    /// A buffer that [`resume`](Self::resume)s elsewhere may receive them again. Of one that was full,
    /// with the place that is kept for what is deliverable, the last may find no place before another is
    /// delivered.
    pub fn into_held(self) -> impl Iterator<Item = Stamped<Id, M>> {
        self.ready.into_iter().chain(self.waiting.into_values().map(|(_, stamped)| stamped))
    }
}

impl<Id: Ord + Clone, M> CausalBuffer<Id, M> {
    /// Counts a message of this replica, and returns the clock to send with it.
    ///
    /// The replica delivers its own message to itself at once, without the buffer.
    ///
    /// # Errors
    ///
    /// If this replica's counter is at its limit. Nothing is changed then.
    pub fn stamp(&mut self) -> Result<VectorClock<Id>, CounterOverflow<Id>> {
        self.delivered.increment(&self.me)?;
        self.released.increment(&self.me)?;
        Ok(self.delivered.clone())
    }

    /// Takes a message from the network.
    ///
    /// # Errors
    ///
    /// If the message must wait and there is no room for it, if its sender did not stamp it, or if it
    /// claims to follow a message that this replica has not sent. Nothing is changed then, and the
    /// message is handed back.
    pub fn receive(&mut self, stamped: Stamped<Id, M>) -> Result<Arrival, Refused<Id, M>> {
        let dot = Self::dot(&stamped);
        if dot.counter == 0 {
            return Err(Refused { stamped, reason: Refusal::NotStamped });
        }
        if self.released.contains(&dot) || self.waiting.contains_key(&dot) {
            return Ok(Arrival::Duplicate);
        }
        let (claimed, sent) = (stamped.clock.get(&self.me), self.delivered.get(&self.me));
        if claimed > sent {
            return Err(Refused { stamped, reason: Refusal::NeverSent { claimed, sent } });
        }
        let blocker = self.blocker(&stamped, 0);
        let room = if blocker.is_some() { self.capacity } else { self.capacity.saturating_add(1) };
        if self.held() >= room {
            let reason = Refusal::Full { capacity: self.capacity };
            return Err(Refused { stamped, reason });
        }
        if let Some((at, blocker)) = blocker {
            self.blocked.entry(blocker).or_default().push(dot.clone());
            self.waiting.insert(dot, (at, stamped));
            Ok(Arrival::Waiting)
        } else {
            self.release(stamped);
            Ok(Arrival::Deliverable)
        }
    }

    /// Takes out the next message, if there is one that can be delivered.
    ///
    /// Call it until there is none. Only what was taken out counts as seen by the messages that are
    /// stamped from then on.
    pub fn deliver(&mut self) -> Option<Stamped<Id, M>> {
        let stamped = self.ready.pop_front()?;
        self.delivered.record(&Self::dot(&stamped));
        Some(stamped)
    }

    /// Returns the messages that others wait for and that are not here: ranges of each replica's
    /// messages, in ascending order.
    ///
    /// They may still be on their way, so wait a while before asking for them again. A range is what a
    /// sender claims, up to `u64::MAX`: ask for it as a range. Takes O(n log n) with n entries in the clocks that
    /// are held.
    #[must_use]
    pub fn missing(&self) -> Vec<(Id, RangeInclusive<u64>)> {
        let clocks = self.waiting.values().map(|(_, stamped)| &stamped.clock);
        let entries = clocks.chain([&self.released]).flat_map(VectorClock::iter);
        let needed: VectorClock<Id> =
            entries.map(|(replica, counter)| (replica.clone(), counter)).collect();
        let mut missing = Vec::new();
        for (replica, last) in needed.iter() {
            let mut known = self.released.get(replica);
            let dot = |counter| Dot { replica: replica.clone(), counter };
            for held in self.waiting.range(dot(known)..=dot(last)).map(|(dot, _)| dot.counter) {
                if held - known > 1 {
                    missing.push((replica.clone(), known + 1..=held - 1));
                }
                known = held;
            }
            if last > known {
                missing.push((replica.clone(), known + 1..=last));
            }
        }
        missing
    }

    /// Makes a message ready, and with it all that waited for nothing else.
    fn release(&mut self, stamped: Stamped<Id, M>) {
        // What becomes ready on the way is appended, and gets its turn without recursion.
        let mut next = self.ready.len();
        self.ready.push_back(stamped);
        while let Some(stamped) = self.ready.get(next) {
            let dot = Self::dot(stamped);
            self.released.record(&dot);
            for waiting in self.blocked.remove(&dot).unwrap_or_default() {
                self.look_again(waiting);
            }
            next += 1;
        }
    }

    /// Makes a waiting message ready, or files it under the next event that it waits for.
    fn look_again(&mut self, waiting: Dot<Id>) {
        let Some((from, stamped)) = self.waiting.remove(&waiting) else { return };
        if let Some((at, blocker)) = self.blocker(&stamped, from) {
            self.blocked.entry(blocker).or_default().push(waiting.clone());
            self.waiting.insert(waiting, (at, stamped));
        } else {
            self.ready.push_back(stamped);
        }
    }

    /// Returns an event that must be released before a message can be, and its place in the message's clock,
    /// of which the entries before `from` are known not to lack.
    ///
    /// The events of a replica are released one by one, so none is passed over.
    fn blocker(&self, stamped: &Stamped<Id, M>, from: usize) -> Option<(usize, Dot<Id>)> {
        let entries = stamped.clock.iter().enumerate().skip(from);
        let mut lacking = entries.filter_map(|(at, (replica, counter))| {
            let own = *replica == stamped.sender;
            let counter = if own { counter - 1 } else { counter };
            (self.released.get(replica) < counter)
                .then(|| (at, Dot { replica: replica.clone(), counter }))
        });
        lacking.next()
    }

    /// Returns which event the sending of a message was.
    fn dot(stamped: &Stamped<Id, M>) -> Dot<Id> {
        let counter = stamped.clock.get(&stamped.sender);
        Dot { replica: stamped.sender.clone(), counter }
    }
}
