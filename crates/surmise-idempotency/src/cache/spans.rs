use core::time::Duration;

use surmise_time::Instant;

use crate::{CacheConfig, Keep};

/// The lengths of time of a configuration, ready to be added: nanoseconds, or 584 years where there are more.
#[derive(Clone, Copy)]
pub(super) struct Spans {
    lease: u64,
    retention: u64,
    brief_retention: u64,
}

impl Spans {
    pub(super) fn new(config: &CacheConfig) -> Self {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            lease: nanos(config.lease),
            retention: nanos(config.retention),
            brief_retention: nanos(config.brief_retention),
        }
    }

    /// Returns when a lease is over that begins now.
    #[inline]
    pub(super) const fn lease_from(&self, now: Instant) -> Instant {
        after(now, self.lease)
    }

    /// Returns when a retention is over that begins now.
    #[inline]
    pub(super) const fn retention_from(&self, now: Instant, keep: Keep) -> Instant {
        match keep {
            Keep::Long => after(now, self.retention),
            Keep::Briefly => after(now, self.brief_retention),
        }
    }
}

#[inline]
const fn after(now: Instant, nanos: u64) -> Instant {
    Instant::from_nanos(now.as_nanos().saturating_add(nanos))
}
