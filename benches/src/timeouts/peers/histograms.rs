use core::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use sketches_ddsketch::{Config, DDSketch};

use super::P99;
use crate::{
    Origin,
    timeouts::{Call, Contender},
};

/// The crate `hdrhistogram` 7, from a microsecond to a minute, with three digits. It never forgets.
#[derive(Clone, Debug)]
pub struct HdrHistogram(Histogram<u64>);

impl HdrHistogram {
    /// Creates an empty histogram.
    ///
    /// # Errors
    ///
    /// If the crate refuses the limits.
    pub fn new() -> Result<Self, CreationError> {
        Histogram::new_with_bounds(1, 60_000_000, 3).map(Self)
    }
}

impl Contender for HdrHistogram {
    const ORIGIN: Origin = Origin::Peer;

    type Input = u64;

    type Reading = u64;

    fn input(call: Call) -> u64 {
        u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX)
    }

    #[inline]
    fn record(&mut self, micros: u64) {
        self.0.saturating_record(micros);
    }

    #[inline]
    fn read(&mut self) -> u64 {
        self.0.value_at_quantile(P99)
    }

    fn duration(reading: u64) -> Duration {
        Duration::from_micros(reading)
    }
}

/// The crate `sketches-ddsketch` 0.4 with its default of 1 %. It never forgets.
#[derive(Clone)]
pub struct DdSketch(DDSketch);

impl DdSketch {
    /// Creates an empty sketch.
    #[must_use]
    pub fn new() -> Self {
        Self(DDSketch::new(Config::defaults()))
    }
}

impl Default for DdSketch {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for DdSketch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DdSketch").finish_non_exhaustive()
    }
}

impl Contender for DdSketch {
    const ORIGIN: Origin = Origin::Peer;

    type Input = f64;

    type Reading = f64;

    fn input(call: Call) -> f64 {
        call.took.as_secs_f64()
    }

    #[inline]
    fn record(&mut self, seconds: f64) {
        self.0.add(seconds);
    }

    #[inline]
    fn read(&mut self) -> f64 {
        self.0.quantile(P99).ok().flatten().unwrap_or_default()
    }

    fn duration(reading: f64) -> Duration {
        Duration::from_secs_f64(reading)
    }
}
