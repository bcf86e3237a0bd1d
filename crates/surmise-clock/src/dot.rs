use core::fmt;

/// One event: the `counter`-th of a replica.
///
/// A replica counts its events from 1. A dot whose counter is 0 stands for no event, and every clock
/// contains it.
///
/// Dots are ordered by replica and then by counter, which is an order to sort by and not a causal one.
///
/// # Examples
///
/// ```
/// use surmise_clock::Dot;
///
/// let third = Dot { replica: "a", counter: 3 };
/// assert!(third < Dot { replica: "a", counter: 4 });
/// assert_eq!(third.to_string(), "a:3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_structs, reason = "a dot is a replica and a counter, by definition")]
pub struct Dot<Id> {
    /// The replica at which it happened.
    pub replica: Id,
    /// Which of the replica's events it was, from 1.
    pub counter: u64,
}

/// The replica, a colon and the counter.
impl<Id: fmt::Display> fmt::Display for Dot<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.replica, self.counter)
    }
}
