use core::time::Duration;

use surmise_time::{Instant, WallTime};

use super::super::clocks::Reading;
use crate::{Terms, Ttl};

/// The time that records are counted in: since the first one was written, and never back.
///
/// While the file is open, it goes on with the clock of the leases, whatever is done to the wall clock. Of a time in which the
/// file was not open, it is the wall clock that says how long it was: from what it said with the last record that
/// was written. Where it was set back in between, no time passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileTime {
    /// The clock's time at the opening.
    clock: Instant,
    /// The file's time then.
    opened_at: Instant,
    latest: Instant,
}

/// After this long, all results that are in the file are over; so a wall clock that is centuries wrong leaves centuries to
/// count on.
const LONGEST: Duration = Terms::MAX_RETENTION.saturating_add(Ttl::MAX);

impl FileTime {
    /// Goes on from the file's time and what the wall clock said then.
    pub(super) fn resume(written: Option<(Instant, WallTime)>, reading: Reading) -> Self {
        let opened_at = written
            .map_or(Instant::ORIGIN, |(time, wall)| time + (reading.wall - wall).min(LONGEST));
        Self { clock: reading.now, opened_at, latest: opened_at }
    }

    /// Returns the file's time at one of the clock.
    pub(super) fn at(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(self.opened_at + (now - self.clock));
        self.latest
    }

    /// Returns the file's time at the opening.
    pub(super) const fn opened_at(&self) -> Instant {
        self.opened_at
    }

    pub(super) const fn latest(&self) -> Instant {
        self.latest
    }
}
