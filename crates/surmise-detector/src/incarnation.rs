use surmise_time::Instant;

use crate::{AccrualDetector, Beat, FailureDetector, Verdict};

/// A detector whose peer says with each heartbeat which of its lives it is in.
///
/// A process that restarts counts its heartbeats from the start again, and the old count would make all
/// of them stale. So it sends an incarnation, too: a number that is higher after each restart, such as
/// its boot time. Heartbeats of a higher incarnation [restart](FailureDetector::restart) the detector,
/// those of a lower one are stragglers of a dead process and are ignored.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{Beat, FixedTimeout, Incarnated};
/// use surmise_time::Instant;
///
/// let mut peer = Incarnated::new(FixedTimeout::new(Duration::from_secs(1))?);
/// let now = Instant::ORIGIN;
/// assert_eq!(peer.heartbeat_of(1, 500, now), Beat::First);
/// assert_eq!(peer.heartbeat_of(2, 0, now), Beat::First);
/// assert_eq!(peer.heartbeat_of(1, 501, now), Beat::Stale { highest: 0 });
/// assert_eq!(peer.heartbeat_of(2, 1, now), Beat::Fresh { lost: 0, suspected: false });
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
///
/// Many threads share one as any other detector, by
/// [`Shared::update`](crate::sync::Shared::update).
#[derive(Clone, Debug)]
pub struct Incarnated<D> {
    detector: D,
    incarnation: u64,
    highest: u64,
}

impl<D: FailureDetector> Incarnated<D> {
    /// Wraps a detector that has seen no heartbeat yet.
    #[must_use]
    pub const fn new(detector: D) -> Self {
        Self { detector, incarnation: 0, highest: 0 }
    }

    /// Takes in the heartbeat with this sequence number, sent in this incarnation of the peer, which
    /// arrived at `now`.
    pub fn heartbeat_of(&mut self, incarnation: u64, sequence: u64, now: Instant) -> Beat {
        if incarnation < self.incarnation {
            return Beat::Stale { highest: self.highest };
        }
        if incarnation > self.incarnation {
            self.detector.restart();
            self.incarnation = incarnation;
        }
        self.heartbeat(sequence, now)
    }

    /// Returns the highest incarnation seen, 0 before the first.
    #[must_use]
    pub const fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// Returns the detector.
    #[must_use]
    pub const fn detector(&self) -> &D {
        &self.detector
    }

    /// Takes the detector back.
    #[must_use]
    pub fn into_inner(self) -> D {
        self.detector
    }
}

/// Without an incarnation, a heartbeat counts as one of the highest seen.
impl<D: FailureDetector> FailureDetector for Incarnated<D> {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        let beat = self.detector.heartbeat(sequence, now);
        if matches!(beat, Beat::First | Beat::Fresh { .. }) {
            self.highest = sequence;
        }
        beat
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        let beat = self.detector.queued_heartbeat(sequence, now);
        if matches!(beat, Beat::First | Beat::Fresh { .. }) {
            self.highest = sequence;
        }
        beat
    }

    fn restart(&mut self) {
        self.detector.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        self.detector.deadline()
    }

    fn verdict(&self, now: Instant) -> Verdict {
        self.detector.verdict(now)
    }
}

impl<D: AccrualDetector> AccrualDetector for Incarnated<D> {
    fn suspicion_level(&self, now: Instant) -> f64 {
        self.detector.suspicion_level(now)
    }
}
