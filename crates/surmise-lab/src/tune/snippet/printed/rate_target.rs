// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{Capped, ConfigError, RateTarget, RateTargetConfig};

/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<RateTarget>, ConfigError> {
    let detector = RateTarget::new(RateTargetConfig {
        interval: Duration::from_millis(100),
        rate: 1e-6,
        gain: 1.0,
    })?;
    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, Duration::from_micros(351_234))
}
