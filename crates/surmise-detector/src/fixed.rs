use core::time::Duration;

use surmise_time::Instant;

use crate::{
    Beat, ConfigError, FailureDetector,
    arrivals::{Arrival, Arrivals, Learner},
    error,
    limits::{MAX_DURATION, MIN_DURATION},
};

/// Suspects a peer that has been silent for a fixed time: `D = A + timeout`.
///
/// The baseline. It learns nothing, so it cannot be misled, and on real traces little beats it at equal
/// detection time; but its timeout must be known beforehand.
///
/// Every operation is O(1); the detector takes 32 bytes.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{FailureDetector, FixedTimeout, Verdict};
/// use surmise_time::Instant;
///
/// let mut peer = FixedTimeout::new(Duration::from_millis(500))?;
/// peer.heartbeat(1, Instant::from_nanos(0));
/// assert_eq!(peer.verdict(Instant::from_nanos(500_000_000)), Verdict::Trust);
/// assert_eq!(peer.verdict(Instant::from_nanos(500_000_001)), Verdict::Suspect);
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FixedTimeout {
    arrivals: Arrivals,
    timeout: u64,
}

impl FixedTimeout {
    /// Creates a detector that allows `timeout` from each heartbeat to the next.
    ///
    /// # Errors
    ///
    /// If `timeout` is zero or longer than about 39 hours.
    pub fn new(timeout: Duration) -> Result<Self, ConfigError> {
        let timeout = error::duration("timeout", timeout, MIN_DURATION, MAX_DURATION)?;
        Ok(Self { arrivals: Arrivals::NONE, timeout })
    }
}

impl FailureDetector for FixedTimeout {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in(sequence, now)
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in_queued(sequence, now)
    }

    fn restart(&mut self) {
        self.arrivals.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        self.arrivals.deadline()
    }
}

impl Learner for FixedTimeout {
    #[inline]
    fn arrivals(&mut self) -> &mut Arrivals {
        &mut self.arrivals
    }

    #[inline]
    fn learn(&mut self, _arrival: &Arrival) {}

    #[inline]
    fn patience(&self) -> u64 {
        self.timeout
    }
}
