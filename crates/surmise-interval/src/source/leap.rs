use core::time::Duration;

use crate::Interval;

/// What a source says about a leap second at the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leap {
    /// There is none.
    None,
    /// The last minute has 61 seconds.
    Insert,
    /// The last minute has 59 seconds.
    Delete,
    /// The source's clock is not synchronised, so that it cannot tell.
    Unsynchronized,
}

impl Leap {
    /// Returns what a leap indicator of NTP says, or `None` if it is not one.
    #[must_use]
    pub const fn from_indicator(indicator: u16) -> Option<Self> {
        match indicator {
            0 => Some(Self::None),
            1 => Some(Self::Insert),
            2 => Some(Self::Delete),
            3 => Some(Self::Unsynchronized),
            _ => None,
        }
    }

    /// Extends an interval by the second that the clock is about to repeat or to leave out.
    ///
    /// From the announcement on, what is extrapolated from a sample holds before as well as after.
    pub(super) fn widen(self, interval: Interval) -> Interval {
        let (earliest, latest) = (interval.earliest(), interval.latest());
        match self {
            Self::Insert => Interval::from_ordered(earliest - SECOND, latest),
            Self::Delete => Interval::from_ordered(earliest, latest + SECOND),
            Self::None | Self::Unsynchronized => interval,
        }
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use surmise_time::WallTime;

    use super::*;

    #[test]
    fn a_leap_second_extends_the_side_on_which_it_falls() {
        let noon = WallTime::from_nanos(1_483_228_790_000_000_000);
        let known = Interval::new(noon, noon).unwrap();
        let before = Interval::new(noon - SECOND, noon).unwrap();
        let after = Interval::new(noon, noon + SECOND).unwrap();
        for (indicator, expected) in [(0, known), (1, before), (2, after), (3, known)] {
            assert_eq!(Leap::from_indicator(indicator).unwrap().widen(known), expected);
        }
        assert_eq!(Leap::from_indicator(4), None);
    }
}
