// needs the crate surmise-detector (or surmise, and write `surmise::detector`)
use core::time::Duration;

use surmise_detector::{ConfigError, FixedTimeout};

/// Creates the detector for one peer.
pub fn detector() -> Result<FixedTimeout, ConfigError> {
    FixedTimeout::new(Duration::from_millis(350))
}
