use core::time::Duration;

use surmise_time::WallTime;

use super::{CeilingReached, HybridTimestamp, step};

/// The room below the ceiling of a clock that is far ahead, in nanoseconds: less than it takes to restart.
const ROOM_AHEAD: u64 = 1_000_000;

/// How far a durable ceiling is put beyond what is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// What remote stamps may be ahead: they must find room below the ceiling.
    max_offset: u64,
    window: u64,
}

impl Window {
    pub(crate) const fn new(max_offset: Duration, window: Duration) -> Self {
        let window = match step::offset(window) {
            // Room for one stamp at least, or none could ever be given.
            0 => 1,
            window => window,
        };
        Self { max_offset: step::offset(max_offset), window }
    }

    /// Returns the next ceiling, if too little is left below this one.
    pub(crate) fn due(
        self,
        latest: u64,
        ceiling: u64,
        physical: WallTime,
    ) -> Option<HybridTimestamp> {
        let acceptable = step::reading(physical) + self.max_offset;
        let (needed, window) = if latest <= acceptable {
            (acceptable, self.window)
        } else {
            // The clock is so far ahead that others refuse its stamps, and goes on by a nanosecond for each.
            // More room would let it run away if it is restarted again and again.
            (latest, self.window.min(ROOM_AHEAD))
        };
        if ceiling > needed.saturating_add(window.div_ceil(2)) {
            return None;
        }
        let next = needed.saturating_add(window).saturating_add(1).min(step::MAX_CEILING);
        HybridTimestamp::from_nanos(next).filter(|next| next.as_nanos() > ceiling)
    }
}

/// Refuses a stamp above a ceiling; both are nanoseconds, and 0 is no ceiling at all.
#[inline]
pub(crate) fn below(stamp: u64, ceiling: u64) -> Result<(), CeilingReached> {
    match HybridTimestamp::from_nanos(stamp) {
        Some(stamp) if stamp.as_nanos() > ceiling => {
            Err(CeilingReached { stamp, ceiling: HybridTimestamp::from_nanos(ceiling) })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(window: Window, latest: u64, ceiling: u64, physical: u64) -> Option<u64> {
        let due = window.due(latest, ceiling, WallTime::from_nanos(physical));
        due.map(HybridTimestamp::as_nanos)
    }

    #[test]
    fn a_ceiling_is_due_at_the_offset_and_half_a_window() {
        let window = Window::new(Duration::from_nanos(10), Duration::from_nanos(100));
        assert_eq!(due(window, 0, 0, 1000), Some(1111));
        assert_eq!(due(window, 0, 1111, 1050), None, "more than half a window is left");
        assert_eq!(due(window, 0, 1111, 1051), Some(1162));
        assert_eq!(due(window, 1010, 0, 1000), Some(1111), "the clock is ahead by the offset");
        assert_eq!(due(window, u64::MAX, 0, 0), Some(step::MAX_CEILING));
        assert_eq!(due(window, u64::MAX, step::MAX_CEILING, 0), None, "there is no higher one");
    }

    #[test]
    fn a_clock_far_ahead_gets_little_room() {
        let window = Window::new(Duration::from_nanos(10), Duration::from_secs(1));
        assert_eq!(due(window, 1011, 0, 1000), Some(1011 + ROOM_AHEAD + 1));
        assert_eq!(due(window, 1011, 1011 + ROOM_AHEAD / 2 + 1, 1000), None);
        assert_eq!(due(window, 1011, 1011 + ROOM_AHEAD / 2, 1000), Some(1011 + ROOM_AHEAD + 1));
        let narrow = Window::new(Duration::from_nanos(10), Duration::from_nanos(100));
        assert_eq!(due(narrow, 1011, 0, 1000), Some(1112));
    }

    #[test]
    fn without_a_window_there_is_still_room_for_a_stamp() {
        let window = Window::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(due(window, 0, 0, 7), Some(9));
        assert_eq!(due(window, 7, 9, 7), None);
        assert_eq!(due(window, 8, 9, 7), Some(10));
    }
}
