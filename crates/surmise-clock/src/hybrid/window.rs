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
        Self { max_offset: step::offset(max_offset), window: step::offset(window) }
    }

    /// Returns the next ceiling, if too little is left below this one.
    pub(crate) fn due(
        self,
        latest: u64,
        ceiling: u64,
        physical: WallTime,
    ) -> Option<HybridTimestamp> {
        let needed = latest.max(step::reading(physical)).saturating_add(self.max_offset);
        if ceiling >= needed.saturating_add(self.window / 2) {
            return None;
        }
        // At least one stamp more, for whoever wants no window.
        let next = needed.saturating_add(self.window.max(1)).min(step::MAX_CEILING);
        HybridTimestamp::from_nanos(next)
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
