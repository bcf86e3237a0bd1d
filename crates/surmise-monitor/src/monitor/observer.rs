use core::time::Duration;

use surmise_time::Instant;

use crate::MonitorConfig;

/// Keeps the time that the observer was awake: the clock's, less the stalls.
///
/// All that is kept of peers is in this time, so that a stall moves every deadline at once.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    max_gap: Duration,
    settle: Duration,
    /// The latest reading of the clock.
    latest: Option<Instant>,
    stalled_for: Duration,
    /// How many there were, on a circle.
    stalls: u16,
    /// Until when heartbeats may have been queued in the latest stall, in this time.
    settles_at: Instant,
}

/// When something happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The time that the observer was awake.
    pub(crate) awake: Instant,
    /// Which stall was the latest, be it noted or not.
    pub(crate) stall: u16,
    /// Which of those that are noted was the latest.
    pub(crate) noted: u16,
    /// Whether what arrives now was not queued in a stall.
    pub(crate) is_settled: bool,
}

/// No queue takes longer to work off.
const MAX_SETTLE: Duration = Duration::from_secs(60);

impl Observer {
    pub(crate) const fn new(config: &MonitorConfig) -> Self {
        Self {
            max_gap: config.max_poll_gap,
            settle: config.settle,
            latest: None,
            stalled_for: Duration::ZERO,
            stalls: 0,
            settles_at: Instant::ORIGIN,
        }
    }

    /// Notes that the observer is awake at `now`, and returns for how long it was stalled before, if it was.
    #[inline]
    pub(super) fn observe(&mut self, now: Instant) -> Option<Duration> {
        let latest = self.latest.unwrap_or(now);
        let gap = now - latest;
        self.latest = Some(latest.max(now));
        let stall = (gap > self.max_gap).then_some(gap);
        if let Some(gap) = stall {
            self.stalled_for = self.stalled_for.saturating_add(gap);
            self.stalls = self.stalls.wrapping_add(1);
            // The longer the queue took to fill, the longer it takes to work off.
            self.settles_at = self.awake() + self.settle.max((gap / 2).min(MAX_SETTLE));
        }
        stall
    }

    /// Returns the moment of the latest reading.
    #[inline]
    pub(crate) fn moment(&self) -> Moment {
        let awake = self.awake();
        let is_settled = self.settles_at <= awake;
        Moment { awake, stall: self.stalls, noted: self.stalls, is_settled }
    }

    /// Returns the moment of `now`, by the clock, for one who does not tell that the observer is awake.
    ///
    /// A stall that the observer has yet to note counts already: what arrives is queued. But it may as well be that the
    /// observer has just read the clock, in time, and is about to judge by that. So what arrives counts as having come in
    /// the last moment in which there is no stall.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn moment_at(&self, now: Instant) -> Moment {
        let latest = self.latest.unwrap_or(now);
        if now - latest > self.max_gap {
            let awake = latest + self.max_gap - self.stalled_for;
            let stall = self.stalls.wrapping_add(1);
            return Moment { awake, stall, noted: self.stalls, is_settled: false };
        }
        let awake = latest.max(now) - self.stalled_for;
        let is_settled = self.settles_at <= awake;
        Moment { awake, stall: self.stalls, noted: self.stalls, is_settled }
    }

    /// Returns the latest reading of the clock, and for how long the observer was stalled before.
    #[cfg(feature = "std")]
    pub(crate) fn reading(&self) -> (Instant, Duration) {
        (self.latest.unwrap_or(Instant::ORIGIN), self.stalled_for)
    }

    /// Returns the time awake at the latest reading.
    #[inline]
    pub(crate) fn awake(&self) -> Instant {
        self.latest.unwrap_or(Instant::ORIGIN) - self.stalled_for
    }

    /// Returns what the time awake would be if the clock were read now.
    pub(crate) fn awake_at(&self, now: Instant) -> Instant {
        let latest = self.latest.unwrap_or(now);
        let now = if now - latest > self.max_gap { latest } else { latest.max(now) };
        now - self.stalled_for
    }

    /// Returns when the clock would show a time awake, if there were no stall.
    pub(crate) fn clock(&self, awake: Instant) -> Instant {
        awake + self.stalled_for
    }

    /// Returns when the clock has to be read next, in the time awake, lest it is taken for a stall.
    pub(crate) fn next_reading(&self) -> Instant {
        self.awake() + self.max_gap / 2
    }
}
