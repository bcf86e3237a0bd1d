use surmise_detector::{AccrualDetector, FailureDetector, Verdict};
use surmise_time::Instant;

use crate::{Made, Origin};

/// A detector that is measured: one of ours or a peer's.
pub trait Contender {
    /// Who wrote it.
    const ORIGIN: Origin;

    /// What it says of a heartbeat.
    type Beat;

    /// Takes in a heartbeat.
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Self::Beat;

    /// Returns what to think of the peer at `now`.
    fn verdict(&self, now: Instant) -> Verdict;
}

/// One that has a level of suspicion.
pub trait AccrualContender: Contender {
    /// Returns the level of suspicion at `now`.
    fn suspicion_level(&self, now: Instant) -> f64;
}

impl<D: FailureDetector> Contender for D {
    const ORIGIN: Origin = Origin::Ours;

    type Beat = surmise_detector::Beat;

    #[inline]
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> surmise_detector::Beat {
        FailureDetector::heartbeat(self, sequence, now)
    }

    #[inline]
    fn verdict(&self, now: Instant) -> Verdict {
        FailureDetector::verdict(self, now)
    }
}

impl<D: AccrualDetector> AccrualContender for D {
    #[inline]
    fn suspicion_level(&self, now: Instant) -> f64 {
        AccrualDetector::suspicion_level(self, now)
    }
}

/// Does something with every contender, whatever its type.
pub trait Visitor {
    /// Visits a detector.
    ///
    /// # Errors
    ///
    /// If `make` fails.
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()>;

    /// Visits a detector again, for its level of suspicion, if it has one.
    ///
    /// # Errors
    ///
    /// If `make` fails.
    fn visit_level<C: AccrualContender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()>;
}
