use core::time::Duration;

use surmise_time::WallTime;

use super::{CeilingReached, HybridTimestamp, step};

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
        let needed = latest.max(step::reading(physical)).saturating_add(self.max_offset);
        if ceiling >= needed.saturating_add(self.window.div_ceil(2)) {
            return None;
        }
        let next = needed.saturating_add(self.window).min(step::MAX_CEILING);
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

    #[test]
    fn a_ceiling_is_due_below_the_offset_and_half_a_window() {
        let window = Window::new(Duration::from_nanos(10), Duration::from_nanos(100));
        let due = |latest, ceiling, physical| {
            let due = window.due(latest, ceiling, WallTime::from_nanos(physical));
            due.map(HybridTimestamp::as_nanos)
        };
        assert_eq!(due(0, 0, 1000), Some(1110));
        assert_eq!(due(0, 1110, 1050), None, "half a window is left");
        assert_eq!(due(0, 1110, 1051), Some(1161));
        assert_eq!(due(2000, 2060, 1000), None);
        assert_eq!(due(2001, 2060, 1000), Some(2111), "the clock is ahead");
        assert_eq!(due(u64::MAX, 0, 0), Some(step::MAX_CEILING));
        assert_eq!(due(u64::MAX, step::MAX_CEILING, 0), None, "there is no higher one");
    }

    #[test]
    fn without_a_window_there_is_still_room_for_a_stamp() {
        let window = Window::new(Duration::ZERO, Duration::ZERO);
        let now = WallTime::from_nanos(7);
        assert_eq!(window.due(0, 0, now).map(HybridTimestamp::as_nanos), Some(8));
        assert_eq!(window.due(7, 8, now), None);
        assert_eq!(window.due(8, 8, now).map(HybridTimestamp::as_nanos), Some(9));
    }
}
