use core::{error::Error, fmt, time::Duration};

use surmise_time::WallTime;

/// What is known of a point in time: it is not before `earliest` and not after `latest`.
///
/// Of two events the one happened first, for certain, whose interval ends before the other's begins.
/// Where intervals overlap, nothing is known of their order. This is TrueTime's `TTinterval` (Corbett et
/// al., "Spanner: Google's Globally-Distributed Database", OSDI 2012).
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_interval::Interval;
/// use surmise_time::WallTime;
///
/// let wall = WallTime::from_nanos(1_795_230_725_000_000_000);
/// let now = Interval::around(wall, Duration::from_millis(4));
/// assert_eq!(now.uncertainty(), Duration::from_millis(4));
/// assert!(now.after(wall - Duration::from_millis(5)));
/// assert!(!now.after(wall) && !now.before(wall), "nobody can tell");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Interval {
    earliest: WallTime,
    latest: WallTime,
}

impl Interval {
    /// Creates an interval from its ends, which both belong to it.
    ///
    /// # Errors
    ///
    /// If it would end before it begins.
    pub const fn new(earliest: WallTime, latest: WallTime) -> Result<Self, InvertedInterval> {
        if earliest.as_nanos() > latest.as_nanos() {
            return Err(InvertedInterval { earliest, latest });
        }
        Ok(Self { earliest, latest })
    }

    /// Creates an interval whose ends are known to be in order.
    pub(crate) const fn from_ordered(earliest: WallTime, latest: WallTime) -> Self {
        debug_assert!(earliest.as_nanos() <= latest.as_nanos(), "an interval ends after it begins");
        Self { earliest, latest }
    }

    /// Creates an interval from its middle and how far it extends to either side.
    ///
    /// It saturates at the ends of [`WallTime`].
    #[must_use]
    pub fn around(middle: WallTime, uncertainty: Duration) -> Self {
        Self { earliest: middle - uncertainty, latest: middle + uncertainty }
    }

    /// Returns the earliest that it can be.
    #[must_use]
    pub const fn earliest(&self) -> WallTime {
        self.earliest
    }

    /// Returns the latest that it can be.
    #[must_use]
    pub const fn latest(&self) -> WallTime {
        self.latest
    }

    /// Returns how far the middle can be from the truth: half of the interval, rounded up.
    ///
    /// Spanner's ε.
    #[must_use]
    pub fn uncertainty(&self) -> Duration {
        let nanos = self.latest.as_nanos() - self.earliest.as_nanos();
        Duration::from_nanos(nanos.div_ceil(2))
    }

    /// Returns the middle of the interval, rounded down: the best guess, if there must be one.
    #[must_use]
    pub const fn middle(&self) -> WallTime {
        let (earliest, latest) = (self.earliest.as_nanos(), self.latest.as_nanos());
        WallTime::from_nanos(earliest + (latest - earliest) / 2)
    }

    /// Returns whether `time` has passed for certain. Spanner's `TT.after`.
    #[must_use]
    pub const fn after(&self, time: WallTime) -> bool {
        self.earliest.as_nanos() > time.as_nanos()
    }

    /// Returns whether `time` has not come for certain. Spanner's `TT.before`.
    #[must_use]
    pub const fn before(&self, time: WallTime) -> bool {
        self.latest.as_nanos() < time.as_nanos()
    }

    /// Returns whether `time` is possible.
    #[must_use]
    pub const fn contains(&self, time: WallTime) -> bool {
        !self.after(time) && !self.before(time)
    }

    /// Returns whether this was before the other for certain.
    #[must_use]
    pub const fn definitely_before(&self, other: &Self) -> bool {
        self.before(other.earliest)
    }

    /// Returns whether a time is possible in both, so that neither was before the other for certain.
    #[must_use]
    pub const fn overlaps(&self, other: &Self) -> bool {
        !self.definitely_before(other) && !other.definitely_before(self)
    }

    /// Returns the times that are possible in both, or `None` if there are none: then one is wrong.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let earliest = self.earliest.max(other.earliest);
        Self::new(earliest, self.latest.min(other.latest)).ok()
    }
}

/// The two ends, in seconds since the Unix epoch.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}]", self.earliest, self.latest)
    }
}

/// An interval would end before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvertedInterval {
    /// Where it would begin.
    pub earliest: WallTime,
    /// Where it would end.
    pub latest: WallTime,
}

impl fmt::Display for InvertedInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an interval cannot end at {} and begin at {}", self.latest, self.earliest)
    }
}

impl Error for InvertedInterval {}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Interval {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "Interval", deny_unknown_fields)]
        struct Ends {
            earliest: WallTime,
            latest: WallTime,
        }

        let Ends { earliest, latest } = Ends::deserialize(deserializer)?;
        Self::new(earliest, latest).map_err(serde::de::Error::custom)
    }
}
