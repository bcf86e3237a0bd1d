// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{Capped, ConfigError, LateIntervals, Satzger, SatzgerConfig};

/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<Satzger<[u64; 1000]>>, ConfigError> {
    let detector = Satzger::new(SatzgerConfig {
        threshold: 0.992369,
        stretch: 1.5,
        interval: Duration::from_millis(100),
        late_intervals: LateIntervals::Learn,
    })?;
    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, Duration::from_micros(351_234))
}
