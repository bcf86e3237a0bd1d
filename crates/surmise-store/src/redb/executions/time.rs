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
pub(in crate::redb) struct FileTime {
    /// The clock's time at the opening.
    clock: Instant,
    /// The file's time then.
    opened_at: Instant,
    latest: Instant,
    /// A time of the file, and what the wall clock said then, from which a reopening would go on.
    noted: (Instant, WallTime),
}

/// By how much the clocks can part before that is noted.
const PARTED: Duration = Duration::from_secs(1);

/// After this long, all results that are in the file are over; so a wall clock that is centuries wrong leaves centuries to
/// count on.
const LONGEST: Duration = Terms::MAX_RETENTION.saturating_add(Ttl::MAX);

impl FileTime {
    /// Goes on from the file's time and what the wall clock said then.
    pub(super) fn resume(written: Option<(Instant, WallTime)>, reading: Reading) -> Self {
        let opened_at = written
            .map_or(Instant::ORIGIN, |(time, wall)| time + (reading.wall - wall).min(LONGEST));
        let noted = (opened_at, reading.wall);
        Self { clock: reading.now, opened_at, latest: opened_at, noted }
    }

    /// Returns the file's time at one of the clock.
    pub(super) fn at(&mut self, now: Instant) -> Instant {
        self.latest = self.peek(now);
        self.latest
    }

    /// Returns the file's time at one of the clock, for those who only read.
    pub(in crate::redb) fn peek(&self, now: Instant) -> Instant {
        self.latest.max(self.opened_at + (now - self.clock))
    }

    /// Returns whether the wall clock was set since what was noted last.
    pub(super) fn is_parted(&self, wall: WallTime) -> bool {
        let (time, noted) = self.noted;
        let (ours, forwards, backwards) = (self.latest - time, wall - noted, noted - wall);
        backwards > PARTED || forwards.abs_diff(ours) > PARTED
    }

    /// Notes what the wall clock says, with the file's time, which is returned.
    pub(super) const fn note(&mut self, wall: WallTime) -> Instant {
        self.noted = (self.latest, wall);
        self.latest
    }

    /// Returns the file's time at the opening.
    pub(super) const fn opened_at(&self) -> Instant {
        self.opened_at
    }
}
