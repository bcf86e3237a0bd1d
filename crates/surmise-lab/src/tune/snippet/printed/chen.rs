// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{Capped, Chen, ChenConfig, ConfigError};

/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<Chen<[i64; 1000]>>, ConfigError> {
    let detector = Chen::new(ChenConfig {
        interval: Duration::from_millis(100),
        safety_margin: Duration::from_millis(250),
    })?;
    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, Duration::from_micros(351_234))
}
