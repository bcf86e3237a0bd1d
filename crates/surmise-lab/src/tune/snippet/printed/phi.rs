// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{
    Capped, ConfigError, LateIntervals, MinStdDeviation, PhiAccrual, PhiConfig, PhiScale,
};

/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<PhiAccrual<[u64; 1000]>>, ConfigError> {
    let detector = PhiAccrual::new(PhiConfig {
        threshold: 8.0,
        scale: PhiScale::Normal,
        interval: Duration::from_millis(100),
        min_std_deviation: MinStdDeviation::Absolute(Duration::ZERO),
        acceptable_pause: Duration::ZERO,
        late_intervals: LateIntervals::Learn,
    })?;
    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, Duration::from_micros(351_234))
}
