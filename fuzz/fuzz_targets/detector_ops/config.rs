use arbitrary::Arbitrary;
use surmise_detector::{
    Bertier, BertierConfig, Chen, ChenConfig, ConfigError, Exponential, ExponentialConfig,
    ExponentialScale, ExponentiallyWeighted, FixedTimeout, JitterScaled, JitterScaledConfig,
    MinStdDeviation, PhiAccrual, PhiConfig, PhiScale, RateTarget, RateTargetConfig, Satzger,
    SatzgerConfig, TwoWindow, TwoWindowConfig,
};
use surmise_fuzz::Span;

use crate::{
    knob::{Late, Number, boxed},
    model::{self, Op},
};

/// A detector and its configuration, valid or not.
#[derive(Arbitrary, Debug)]
pub(crate) enum AnyConfig {
    Fixed { timeout: Span },
    Chen { interval: Span, safety_margin: Span, window: u8 },
    TwoWindow { interval: Span, safety_margin: Span, window: u8 },
    Bertier { interval: Span, gain: Number, weights: [Number; 2], window: u8 },
    RateTarget { interval: Span, rate: Number, gain: Number },
    JitterScaled { interval: Span, factor: Number },
    Satzger { threshold: Number, stretch: Number, interval: Span, late: Late, window: u8 },
    Phi { config: AnyPhi, storage: Storage },
    Exponential { config: AnyExponential, storage: Storage },
}

#[derive(Arbitrary, Debug)]
pub(crate) struct AnyPhi {
    threshold: Number,
    akka: bool,
    interval: Span,
    min_std_deviation: Result<Span, Number>,
    acceptable_pause: Span,
    late: Late,
}

#[derive(Arbitrary, Debug)]
pub(crate) struct AnyExponential {
    threshold: Number,
    scale: Result<bool, ()>,
    interval: Span,
    prior_weight: u16,
    late: Late,
}

#[derive(Arbitrary, Debug)]
pub(crate) enum Storage {
    Inline32,
    Inline64,
    Boxed32(u8),
    Boxed64(u8),
    ExponentiallyWeighted(u16),
}

impl AnyConfig {
    /// Makes the detector and drives it through the calls.
    pub(crate) fn run(self, ops: &[Op]) -> Result<(), ConfigError> {
        match self {
            Self::Fixed { timeout } => model::drive(FixedTimeout::new(timeout.into())?, ops),
            Self::Chen { interval, safety_margin, window } => {
                let (interval, safety_margin) = (interval.into(), safety_margin.into());
                let config = ChenConfig { interval, safety_margin };
                model::drive(Chen::with_storage(config, boxed(window))?, ops);
            }
            Self::TwoWindow { interval, safety_margin, window } => {
                let (interval, safety_margin) = (interval.into(), safety_margin.into());
                let config = TwoWindowConfig { interval, safety_margin };
                model::drive(TwoWindow::with_storage(config, boxed(window))?, ops);
            }
            Self::Bertier { interval, gain, weights: [delay, deviation], window } => {
                let config = BertierConfig {
                    interval: interval.into(),
                    gain: gain.into(),
                    delay_weight: delay.into(),
                    deviation_weight: deviation.into(),
                };
                model::drive(Bertier::with_storage(config, boxed(window))?, ops);
            }
            Self::RateTarget { interval, rate, gain } => {
                let (interval, rate, gain) = (interval.into(), rate.into(), gain.into());
                model::drive(RateTarget::new(RateTargetConfig { interval, rate, gain })?, ops);
            }
            Self::JitterScaled { interval, factor } => {
                let (interval, factor) = (interval.into(), factor.into());
                model::drive(JitterScaled::new(JitterScaledConfig { interval, factor })?, ops);
            }
            Self::Satzger { threshold, stretch, interval, late, window } => {
                let config = SatzgerConfig {
                    threshold: threshold.into(),
                    stretch: stretch.into(),
                    interval: interval.into(),
                    late_intervals: late.into(),
                };
                let detector = Satzger::with_storage(config, boxed::<u32>(window))?;
                model::drive_accrual(detector, config.threshold, ops);
            }
            Self::Phi { config, storage } => phi(config.into(), storage, ops)?,
            Self::Exponential { config, storage } => exponential(config.into(), storage, ops)?,
        }
        Ok(())
    }
}

impl From<AnyPhi> for PhiConfig {
    fn from(any: AnyPhi) -> Self {
        Self {
            threshold: any.threshold.into(),
            scale: if any.akka { PhiScale::Akka } else { PhiScale::Normal },
            interval: any.interval.into(),
            min_std_deviation: match any.min_std_deviation {
                Ok(span) => MinStdDeviation::Absolute(span.into()),
                Err(share) => MinStdDeviation::OfInterval(share.into()),
            },
            acceptable_pause: any.acceptable_pause.into(),
            late_intervals: any.late.into(),
        }
    }
}

impl From<AnyExponential> for ExponentialConfig {
    fn from(any: AnyExponential) -> Self {
        Self {
            threshold: any.threshold.into(),
            scale: match any.scale {
                Ok(true) => ExponentialScale::Cassandra,
                Ok(false) => ExponentialScale::Chitchat,
                Err(()) => ExponentialScale::Probability,
            },
            interval: any.interval.into(),
            prior_weight: any.prior_weight,
            late_intervals: any.late.into(),
        }
    }
}

fn phi(config: PhiConfig, storage: Storage, ops: &[Op]) -> Result<(), ConfigError> {
    let threshold = config.threshold;
    match storage {
        Storage::Inline32 => {
            model::drive_accrual(PhiAccrual::<[u32; 3]>::new(config)?, threshold, ops);
        }
        Storage::Inline64 => {
            model::drive_accrual(PhiAccrual::<[u64; 3]>::new(config)?, threshold, ops);
        }
        Storage::Boxed32(length) => {
            let detector = PhiAccrual::with_storage(config, boxed::<u32>(length))?;
            model::drive_accrual(detector, threshold, ops);
        }
        Storage::Boxed64(length) => {
            let detector = PhiAccrual::with_storage(config, boxed::<u64>(length))?;
            model::drive_accrual(detector, threshold, ops);
        }
        Storage::ExponentiallyWeighted(beats) => {
            let storage = ExponentiallyWeighted::over(beats);
            model::drive_accrual(PhiAccrual::with_storage(config, storage)?, threshold, ops);
        }
    }
    Ok(())
}

fn exponential(config: ExponentialConfig, storage: Storage, ops: &[Op]) -> Result<(), ConfigError> {
    let threshold = config.threshold;
    match storage {
        Storage::Inline32 => {
            model::drive_accrual(Exponential::<[u32; 3]>::new(config)?, threshold, ops);
        }
        Storage::Inline64 => {
            model::drive_accrual(Exponential::<[u64; 3]>::new(config)?, threshold, ops);
        }
        Storage::Boxed32(length) => {
            let detector = Exponential::with_storage(config, boxed::<u32>(length))?;
            model::drive_accrual(detector, threshold, ops);
        }
        Storage::Boxed64(length) => {
            let detector = Exponential::with_storage(config, boxed::<u64>(length))?;
            model::drive_accrual(detector, threshold, ops);
        }
        Storage::ExponentiallyWeighted(beats) => {
            let storage = ExponentiallyWeighted::over(beats);
            model::drive_accrual(Exponential::with_storage(config, storage)?, threshold, ops);
        }
    }
    Ok(())
}
