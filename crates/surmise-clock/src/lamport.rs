use core::{error::Error, fmt};

/// Lamport's logical clock: a counter that every message pushes past its sender's.
///
/// If one event happened before another, its time is less. The converse does not hold: a lesser time
/// says nothing about what knew of what. To tell concurrent events from ordered ones takes a vector
/// clock.
///
/// The clock trusts its peers: whoever sends a time of almost [`LamportTime::MAX`] uses up the counter of
/// all who witness it. Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", CACM
/// 1978; the rules are IR1 ([`tick`](Self::tick)) and IR2 ([`witness`](Self::witness)).
///
/// [`sync::AtomicLamportClock`](crate::sync::AtomicLamportClock) is the same for many threads.
///
/// # Examples
///
/// ```
/// use surmise_clock::LamportClock;
///
/// let (mut ours, mut theirs) = (LamportClock::new(), LamportClock::new());
/// let sent = ours.tick()?;
/// theirs.tick()?;
/// let received = theirs.witness(sent)?;
/// assert!(sent < received);
/// # Ok::<(), surmise_clock::LamportOverflow>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LamportClock(LamportTime);

impl LamportClock {
    /// Creates a clock at which nothing has happened.
    #[must_use]
    pub const fn new() -> Self {
        Self(LamportTime(0))
    }

    /// Creates a clock that goes on after a time, as after a restart.
    #[must_use]
    pub const fn resume(latest: LamportTime) -> Self {
        Self(latest)
    }

    /// Returns the time of an event here: something that happens, or a message that is sent.
    ///
    /// # Errors
    ///
    /// If there is no later time. Nothing is changed then.
    #[inline]
    pub fn tick(&mut self) -> Result<LamportTime, LamportOverflow> {
        self.witness(LamportTime(0))
    }

    /// Returns the time at which a message is received that was sent at `remote`.
    ///
    /// # Errors
    ///
    /// If there is no time later than both. Nothing is changed then.
    #[inline]
    pub fn witness(&mut self, remote: LamportTime) -> Result<LamportTime, LamportOverflow> {
        self.0 = self.0.after(remote)?;
        Ok(self.0)
    }

    /// Returns the time of the latest event, 0 if there was none.
    #[must_use]
    pub const fn latest(&self) -> LamportTime {
        self.0
    }
}

/// A time of a [`LamportClock`]: how long a chain of events led to this one, at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct LamportTime(u64);

impl LamportTime {
    /// The latest time, after which a clock only fails.
    pub const MAX: Self = Self(u64::MAX);

    /// Creates a time from its number.
    #[must_use]
    pub const fn new(time: u64) -> Self {
        Self(time)
    }

    /// Returns the time's number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the time after this and another one.
    #[inline]
    fn after(self, remote: Self) -> Result<Self, LamportOverflow> {
        match self.max(remote).0.checked_add(1) {
            Some(next) => Ok(Self(next)),
            None => Err(LamportOverflow { latest: self, remote }),
        }
    }
}

/// The number alone.
impl fmt::Display for LamportTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A Lamport time with the node that it was given at: a total order of events.
///
/// By time, then by node. It agrees with causality, and where causality says nothing, all nodes still
/// agree on it.
///
/// # Examples
///
/// ```
/// use surmise_clock::{LamportTime, LamportTimestamp};
///
/// let a = LamportTimestamp { time: LamportTime::new(4), node: "b" };
/// let b = LamportTimestamp { time: LamportTime::new(5), node: "a" };
/// assert!(a < b);
/// assert!(LamportTimestamp { time: a.time, node: "a" } < a);
/// assert_eq!(a.to_string(), "4@b");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_structs, reason = "a time and a node, by definition")]
pub struct LamportTimestamp<Node> {
    /// When it happened.
    pub time: LamportTime,
    /// Where it happened; it decides between equal times.
    pub node: Node,
}

/// The time, `@` and the node.
impl<Node: fmt::Display> fmt::Display for LamportTimestamp<Node> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.time, self.node)
    }
}

/// There is no Lamport time after [`LamportTime::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LamportOverflow {
    /// The clock's own latest time.
    pub latest: LamportTime,
    /// The time that was to be witnessed, 0 if there was none.
    pub remote: LamportTime,
}

impl fmt::Display for LamportOverflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no time is later than both {} and {}", self.latest, self.remote)
    }
}

impl Error for LamportOverflow {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_later_than_all_that_led_to_it() {
        let mut clock = LamportClock::new();
        assert_eq!(clock.latest().get(), 0);
        assert_eq!(clock.tick().unwrap().get(), 1);
        assert_eq!(clock.witness(LamportTime::new(7)).unwrap().get(), 8);
        assert_eq!(clock.witness(LamportTime::new(8)).unwrap().get(), 9);
        assert_eq!(clock.witness(LamportTime::new(3)).unwrap().get(), 10);
        assert_eq!(LamportClock::resume(clock.latest()), clock);
    }

    #[test]
    fn the_last_time_is_an_error_and_changes_nothing() {
        let mut clock = LamportClock::resume(LamportTime::new(5));
        let error = clock.witness(LamportTime::MAX).unwrap_err();
        assert_eq!((error.latest.get(), error.remote), (5, LamportTime::MAX));
        assert_eq!(clock.latest().get(), 5);

        assert_eq!(clock.witness(LamportTime::new(u64::MAX - 1)), Ok(LamportTime::MAX));
        assert!(clock.tick().is_err());
        assert_eq!(clock.latest(), LamportTime::MAX);
    }
}
