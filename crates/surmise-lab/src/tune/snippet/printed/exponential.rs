// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{
    Capped, ConfigError, Exponential, ExponentialConfig, ExponentialScale, LateIntervals,
};

/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<Exponential<[u64; 1000]>>, ConfigError> {
    let detector = Exponential::new(ExponentialConfig {
        threshold: 0.9999877,
        scale: ExponentialScale::Probability,
        interval: Duration::from_millis(100),
        prior_weight: 0,
        late_intervals: LateIntervals::Learn,
    })?;
    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, Duration::from_micros(351_234))
}
