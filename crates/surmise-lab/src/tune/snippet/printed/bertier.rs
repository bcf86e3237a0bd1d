// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{Bertier, BertierConfig, Capped, ConfigError};

/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<Bertier<[i64; 1000]>>, ConfigError> {
    let detector = Bertier::new(BertierConfig {
        interval: Duration::from_millis(100),
        gain: 0.1,
        delay_weight: 1.0,
        deviation_weight: 12.3,
    })?;
    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, Duration::from_micros(351_234))
}
