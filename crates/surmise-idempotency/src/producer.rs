#[cfg(feature = "serde")]
mod serialize;

use core::mem;

/// Tells a producer's new messages from those that it sends again, by their numbers.
///
/// A producer numbers its messages from 0, and its lives by *epochs*: whoever takes over from it, or it itself after
/// it lost count, has a higher epoch and numbers from 0 again. Each message of an epoch is then accepted once and in
/// order; the earlier epochs' late ones are refused. What is sent again in a higher epoch is another message: a
/// producer that lost count has to find out by itself which of its messages arrived. The window remembers what came of the last `N` messages. A
/// producer that never has more than `N` unanswered gets the same answer to whatever it sends again.
///
/// This is the rule of Kafka's idempotent producer (Gustafson and others, *KIP-98: Exactly Once Delivery and
/// Transactional Messaging*, 2017), which remembers 5. Unlike Kafka's, sequences have 64 bits and do not begin anew after
/// the last; a window that knows nothing accepts 0 and nothing else; and a batch is one message.
///
/// One value watches one producer, allocates nothing, and takes O(1) time a message. It must live as long as
/// the effects of the messages do: keep it with them and write both in one transaction, or a crash in between leaves one
/// without the other. A producer's window can be forgotten when nothing that it sent can arrive any more.
///
/// # Examples
///
/// ```
/// use surmise_idempotency::{Admission, ProducerWindow};
///
/// let mut log = Vec::new();
/// let mut window = ProducerWindow::<usize>::new();
/// for (epoch, sequence, message) in [(0, 0, "a"), (0, 1, "b"), (0, 1, "b"), (0, 3, "d")] {
///     match window.admit(epoch, sequence) {
///         Admission::Accepted(acceptance) => {
///             log.push(message); // If this failed, and returned, the message could be sent again.
///             acceptance.record(log.len() - 1);
///         }
///         Admission::Duplicate(offset) => assert_eq!(offset, Some(&1)),
///         Admission::Gap { expected, offered } => assert_eq!((expected, offered), (2, 3)),
///         Admission::Fenced { .. } => unreachable!("there is one epoch"),
///     }
/// }
/// assert_eq!(log, ["a", "b"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerWindow<T, const N: usize = 5> {
    epoch: u64,
    last: Option<u64>,
    /// That of each message at the remainder of its sequence, if it is among the last `N`.
    results: [Option<T>; N],
}

impl<T, const N: usize> ProducerWindow<T, N> {
    /// Creates a window that knows nothing, and expects the first message of any epoch.
    #[must_use]
    pub const fn new() -> Self {
        Self::at(0, 0)
    }

    /// Creates a window that expects this message, or the first of a higher epoch, and remembers nothing of those before.
    #[must_use]
    pub const fn at(epoch: u64, sequence: u64) -> Self {
        Self { epoch, last: sequence.checked_sub(1), results: [const { None }; N] }
    }

    /// Says what to do about a message.
    ///
    /// Nothing is changed until what came of the message is [recorded](Acceptance::record).
    #[inline]
    pub fn admit(&mut self, epoch: u64, sequence: u64) -> Admission<'_, T, N> {
        if epoch < self.epoch {
            return Admission::Fenced { offered: epoch, current: self.epoch };
        }
        let last = if epoch == self.epoch { self.last } else { None };
        if last.is_some_and(|last| sequence <= last) {
            return Admission::Duplicate(self.result(sequence));
        }
        // It does not overflow: the sequence is higher than the last one.
        let expected = last.map_or(0, |last| last.saturating_add(1));
        if sequence > expected {
            return Admission::Gap { expected, offered: sequence };
        }
        Admission::Accepted(Acceptance { window: self, epoch, sequence })
    }

    /// Refuses the earlier epochs' messages from now on, and returns whether this one is the latest.
    ///
    /// Whoever takes over from another producer does so before it looks at what that one did: else a late message
    /// of it is accepted in between.
    #[must_use = "if there was a higher epoch, another producer has taken over"]
    pub fn fence(&mut self, epoch: u64) -> bool {
        if epoch > self.epoch {
            // As in `record`: the results are dropped when the window is whole again.
            let _earlier_epoch = mem::replace(self, Self::at(epoch, 0));
        }
        epoch >= self.epoch
    }

    /// Returns the epoch of the message that was recorded last, or with which the window was made or fenced.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the sequence that is expected next in this epoch; none if there is no higher one.
    #[must_use]
    pub const fn next_sequence(&self) -> Option<u64> {
        match self.last {
            Some(last) => last.checked_add(1),
            None => Some(0),
        }
    }

    /// Returns the messages whose results are remembered, the oldest first: the last of this epoch, `N` at most.
    ///
    /// A window [`at`](Self::at) the first of them in which all are recorded is equal to this one.
    pub fn remembered(&self) -> impl Iterator<Item = (u64, &T)> {
        let results = u64::try_from(N).unwrap_or(u64::MAX);
        let sequences = self.last.map(|last| last.saturating_sub(results)..=last);
        let result = |sequence| Some((sequence, self.result(sequence)?));
        sequences.into_iter().flatten().filter_map(result)
    }

    /// Returns what came of a message of this epoch, if it is remembered.
    #[inline]
    fn result(&self, sequence: u64) -> Option<&T> {
        let age = self.last?.checked_sub(sequence)?;
        let is_within = usize::try_from(age).is_ok_and(|age| age < N);
        self.results.get(slot::<N>(sequence)?)?.as_ref().filter(|_| is_within)
    }

    fn record(&mut self, epoch: u64, sequence: u64, result: T) {
        // A result is dropped only when the window is whole again: that is not this crate's, and may panic.
        let _earlier_epoch =
            (epoch != self.epoch).then(|| mem::replace(&mut self.results, [const { None }; N]));
        self.epoch = epoch;
        self.last = Some(sequence);
        let _forgotten = self.put(sequence, result);
    }

    /// Puts a result where that of an earlier message may lie.
    fn put(&mut self, sequence: u64, result: T) -> Option<T> {
        self.results.get_mut(slot::<N>(sequence)?)?.replace(result)
    }
}

impl<T, const N: usize> Default for ProducerWindow<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// What to do about a message: the answer to [`ProducerWindow::admit`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "only what is accepted may be carried out"]
#[expect(clippy::exhaustive_enums, reason = "whoever asked must know what to do")]
pub enum Admission<'a, T, const N: usize = 5> {
    /// It is the next one: carry it out, and record what came of it.
    Accepted(Acceptance<'a, T, N>),
    /// It was carried out before. Answer with what came of it; if that is no longer remembered, that it was done is
    /// all there is to say.
    Duplicate(Option<&'a T>),
    /// Messages before it are missing: they were lost, or are late. Carry out none, and have the producer send again
    /// from the expected one on.
    Gap {
        /// The sequence that comes next; 0 in an epoch that is new.
        expected: u64,
        /// The message's sequence.
        offered: u64,
    },
    /// Another producer took over from this one, which should stop.
    Fenced {
        /// The message's epoch.
        offered: u64,
        /// The epoch of the window.
        current: u64,
    },
}

/// A message that comes next, and is to be carried out.
///
/// The window lets nobody else in meanwhile. Dropped, it changes nothing: the message failed, and is accepted when it
/// is sent again. Who carries a message out and forgets to record it carries it out again when it is sent again, but
/// soon notices, as each later one is a [`Gap`](Admission::Gap).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a message that is carried out and not recorded is carried out again"]
pub struct Acceptance<'a, T, const N: usize = 5> {
    window: &'a mut ProducerWindow<T, N>,
    epoch: u64,
    sequence: u64,
}

impl<T, const N: usize> Acceptance<'_, T, N> {
    /// Remembers that the message was carried out, and what came of it.
    ///
    /// The first message of a new epoch fences those before it.
    pub fn record(self, result: T) {
        self.window.record(self.epoch, self.sequence, result);
    }
}

/// Returns where the result of a message lies, if any does.
#[inline]
fn slot<const N: usize>(sequence: u64) -> Option<usize> {
    let results = u64::try_from(N).ok()?;
    usize::try_from(sequence.checked_rem(results)?).ok()
}
