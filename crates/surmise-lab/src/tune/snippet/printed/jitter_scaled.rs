use core::time::Duration;

use surmise_detector::{ConfigError, FailureDetector, JitterScaled, JitterScaledConfig};
use surmise_time::Instant;

/// Creates the detector for one peer.
pub fn detector() -> Result<JitterScaled, ConfigError> {
    JitterScaled::new(JitterScaledConfig {
        interval: Duration::from_millis(100),
        factor: 4.56,
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
