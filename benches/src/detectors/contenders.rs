use surmise_detector::{
    Bertier, BertierConfig, Chen, ChenConfig, Exponential, ExponentialConfig,
    ExponentiallyWeighted, FixedTimeout, IntervalStorage, JitterScaled, JitterScaledConfig,
    PhiAccrual, PhiConfig, RateTarget, RateTargetConfig, Satzger, SatzgerConfig, TwoWindow,
    TwoWindowConfig, Verdict, sync,
};
use surmise_time::Instant;

use super::{
    AccrualContender, Contender, INTERVAL, Visitor,
    peers::{Chitchat, PhiAccrualFailureDetector, Textbook},
};
use crate::{Made, Origin};

/// Shows every detector to a visitor: ours first, then the peers.
///
/// # Errors
///
/// If a configuration is refused, which would be a mistake here.
pub fn visit_all(visitor: &mut impl Visitor) -> Made<()> {
    accrual(visitor, "phi-1000", || phi(boxed::<u32>()))?;
    accrual(visitor, "phi-128", || phi([0_u32; 128]))?;
    accrual(visitor, "phi-weighted", || phi(ExponentiallyWeighted::over(1000)))?;
    visitor.visit("phi-1000-shared", || Ok(SharedPhi(sync::Shared::new(phi(boxed::<u32>())?))))?;
    accrual(visitor, "exponential", || {
        let config = ExponentialConfig::cassandra(INTERVAL);
        Ok(Exponential::with_storage(config, boxed::<u32>())?)
    })?;
    accrual(visitor, "satzger", || {
        let config = SatzgerConfig::for_interval(INTERVAL);
        Ok(Satzger::with_storage(config, boxed::<u32>())?)
    })?;
    visitor.visit("fixed", || Ok(FixedTimeout::new(2 * INTERVAL)?))?;
    visitor.visit("chen", || {
        let config = ChenConfig { interval: INTERVAL, safety_margin: INTERVAL };
        Ok(Chen::with_storage(config, boxed::<i64>())?)
    })?;
    visitor.visit("two-window", || {
        let config = TwoWindowConfig { interval: INTERVAL, safety_margin: INTERVAL };
        Ok(TwoWindow::with_storage(config, boxed::<i64>())?)
    })?;
    visitor.visit("bertier", || {
        let config = BertierConfig::published(INTERVAL);
        Ok(Bertier::with_storage(config, boxed::<i64>())?)
    })?;
    visitor.visit("rate-target", || {
        let config = RateTargetConfig::for_rate(INTERVAL, 1e-3);
        Ok(RateTarget::new(config)?)
    })?;
    visitor.visit("jitter-scaled", || {
        let config = JitterScaledConfig { interval: INTERVAL, factor: 1.0 };
        Ok(JitterScaled::new(config)?)
    })?;

    accrual(visitor, "chitchat", || Ok(Chitchat::new()))?;
    accrual(visitor, "phi-accrual-failure-detector", || Ok(PhiAccrualFailureDetector::new()?))?;
    accrual(visitor, "textbook", || Ok(Textbook::new()))
}

/// Creates a phi accrual detector with the settings of every bench.
///
/// # Errors
///
/// If the storage is of a size that is refused.
pub fn phi<S: IntervalStorage>(storage: S) -> Made<PhiAccrual<S>> {
    Ok(PhiAccrual::with_storage(PhiConfig::for_interval(INTERVAL), storage)?)
}

/// Returns a window of 1000 samples.
#[must_use]
pub fn boxed<T: Clone + Default>() -> Box<[T]> {
    vec![T::default(); 1000].into_boxed_slice()
}

/// A phi accrual detector that threads share, used by one.
#[derive(Debug)]
struct SharedPhi(sync::Shared<PhiAccrual<Box<[u32]>>>);

impl Contender for SharedPhi {
    const ORIGIN: Origin = Origin::Ours;

    type Beat = surmise_detector::Beat;

    #[inline]
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> surmise_detector::Beat {
        self.0.heartbeat(sequence, now)
    }

    #[inline]
    fn verdict(&self, now: Instant) -> Verdict {
        self.0.verdict(now)
    }
}

fn accrual<C: AccrualContender>(
    visitor: &mut impl Visitor,
    name: &'static str,
    make: impl Fn() -> Made<C>,
) -> Made<()> {
    visitor.visit(name, &make)?;
    visitor.visit_level(name, make)
}
