use core::time::Duration;

use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, Quantile,
    sync::SharedAdaptiveTimeout,
    textbook::{P99AndDeviation, TwiceP99},
    window::{BucketedWindow, ExactWindow},
};

use super::{
    Call, Contender, Visitor, WINDOW,
    peers::{AdaptiveTimeoutCrate, DdSketch, HdrHistogram, Sorted},
};
use crate::{Made, Origin};

/// Shows everything that takes in latencies to a visitor: ours first, then the peers.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn visit_all(visitor: &mut impl Visitor) -> Made<()> {
    visitor.visit_timeout("timeout-shared", || Ok(SharedAdaptiveTimeout::new(config())?))?;
    visitor.visit_timeout("timeout", || Ok(AdaptiveTimeout::<WINDOW>::new(config())?))?;
    visitor.visit_timeout("twice-p99-100", || Ok(TwiceP99::new()))?;
    visitor.visit_timeout("p99-and-deviation", || Ok(P99AndDeviation::new()))?;
    visitor.visit_timeout("adaptive-timeout", || Ok(AdaptiveTimeoutCrate::like_ours()?))?;

    let floor = Duration::from_millis(1).as_nanos();
    let floor = u64::try_from(floor)?;
    visitor.visit_window("window-bucketed", || {
        Ok(BucketedWindow::<WINDOW>::new(Quantile::P99, floor))
    })?;
    visitor.visit_window("window-exact", || Ok(ExactWindow::<WINDOW>::new()))?;
    visitor.visit_window("hdrhistogram", || Ok(HdrHistogram::new()?))?;
    visitor.visit_window("sketches-ddsketch", || Ok(DdSketch::new()))?;
    visitor.visit_window("sorted-window", || Ok(Sorted::new()))
}

/// Returns the configuration of every adaptive timeout.
#[must_use]
pub const fn config() -> AdaptiveTimeoutConfig {
    let (floor, ceiling) = (Duration::from_millis(1), Duration::from_secs(60));
    AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling)
}

impl Contender for BucketedWindow<WINDOW> {
    const ORIGIN: Origin = Origin::Ours;

    type Input = u64;

    type Reading = Option<u64>;

    fn input(call: Call) -> u64 {
        nanos(call)
    }

    #[inline]
    fn record(&mut self, nanos: u64) {
        self.push(nanos);
    }

    #[inline]
    fn read(&mut self) -> Option<u64> {
        self.quantile()
    }

    fn duration(reading: Option<u64>) -> Duration {
        Duration::from_nanos(reading.unwrap_or_default())
    }
}

impl Contender for ExactWindow<WINDOW> {
    const ORIGIN: Origin = Origin::Ours;

    type Input = u64;

    type Reading = Option<u64>;

    fn input(call: Call) -> u64 {
        nanos(call)
    }

    #[inline]
    fn record(&mut self, nanos: u64) {
        self.push(nanos);
    }

    #[inline]
    fn read(&mut self) -> Option<u64> {
        self.nearest_rank(Quantile::P99)
    }

    fn duration(reading: Option<u64>) -> Duration {
        Duration::from_nanos(reading.unwrap_or_default())
    }
}

pub(super) fn nanos(call: Call) -> u64 {
    u64::try_from(call.took.as_nanos()).unwrap_or(u64::MAX)
}
