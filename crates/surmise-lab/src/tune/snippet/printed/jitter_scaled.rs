// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{Capped, ConfigError, JitterScaled, JitterScaledConfig};

/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<JitterScaled>, ConfigError> {
    let detector = JitterScaled::new(JitterScaledConfig {
        interval: Duration::from_millis(100),
        factor: 4.56,
    })?;
    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, Duration::from_micros(351_234))
}
