// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{Capped, ConfigError, TwoWindow, TwoWindowConfig};

/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<TwoWindow<[i64; 1000]>>, ConfigError> {
    let detector = TwoWindow::new(TwoWindowConfig {
        interval: Duration::from_millis(100),
        safety_margin: Duration::from_millis(200),
    })?;
    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, Duration::from_micros(351_234))
}
