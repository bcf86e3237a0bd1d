use core::time::Duration;

use surmise_detector::{ConfigError, FailureDetector, LateIntervals, Satzger, SatzgerConfig};
use surmise_time::Instant;

/// Creates the detector for one peer.
pub fn detector() -> Result<Satzger<[u64; 1000]>, ConfigError> {
    Satzger::new(SatzgerConfig {
        threshold: 0.992369,
        stretch: 1.5,
        interval: Duration::from_millis(100),
        late_intervals: LateIntervals::Learn,
    })
}

/// Returns until when to trust the peer: ask this instead of the detector.
/// (A `Monitor` asks the detector itself, and so waits without this limit.)
///
/// `last` is when the last heartbeat arrived that the detector did not ignore.
pub fn deadline(peer: &impl FailureDetector, last: Instant) -> Option<Instant> {
    Some(peer.deadline()?.min(last + LIMIT))
}

/// No heartbeat vouches for the peer for longer, whatever the detector has learned.
const LIMIT: Duration = Duration::from_micros(351_234);
