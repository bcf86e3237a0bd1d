//! The detectors that are compared: their names, the parameter that is swept, and over what.

use core::{fmt, str::FromStr, time::Duration};

use surmise_detector::{
    Bertier, BertierConfig, Chen, ChenConfig, ConfigError, Exponential, ExponentialConfig,
    ExponentialScale, FailureDetector, FixedTimeout, JitterScaled, JitterScaledConfig,
    LateIntervals, MinStdDeviation, PhiAccrual, PhiConfig, PhiScale, RateTarget, RateTargetConfig,
    Satzger, SatzgerConfig, TwoWindow, TwoWindowConfig,
};

use super::{
    number::{float, log_spaced, round, seven_digits},
    text,
    timeline::Timeline,
};

/// The beats that every window holds.
pub(crate) const WINDOW: usize = 1000;

/// The longest time that a detector's configuration takes, in what it takes for nanoseconds.
pub(crate) const MAX_TICKS: u64 = 1 << 47;

/// The longest time that is swept, in intervals.
pub(crate) const SWEPT_INTERVALS: u64 = 60;

/// A kind of detector, in its plain form with one parameter left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Fixed,
    Chen,
    Bertier,
    TwoWindow,
    Phi,
    Exponential,
    Satzger,
    RateTarget,
    JitterScaled,
}

/// A kind of detector and a value for its parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Point {
    pub(crate) kind: Kind,
    pub(crate) parameter: f64,
}

/// A `NAME=VALUE` that is no point.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PointError {
    /// There is no `=`.
    Form,
    /// No detector has this name.
    Name(String),
    /// The value is not a number from 0 up.
    Value(String),
    /// The value, of a parameter that is a time, is not a number of seconds from 0 up.
    Seconds(String),
}

impl Kind {
    /// Every kind, in the order in which results are listed.
    pub(crate) const ALL: [Self; 9] = [
        Self::Fixed,
        Self::Chen,
        Self::Bertier,
        Self::TwoWindow,
        Self::Phi,
        Self::Exponential,
        Self::Satzger,
        Self::RateTarget,
        Self::JitterScaled,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Chen => "chen",
            Self::Bertier => "bertier",
            Self::TwoWindow => "two-window",
            Self::Phi => "phi",
            Self::Exponential => "exponential",
            Self::Satzger => "satzger",
            Self::RateTarget => "rate-target",
            Self::JitterScaled => "jitter-scaled",
        }
    }

    /// Returns the name of the parameter, which is that of the configuration's field.
    pub(crate) fn parameter_name(self) -> &'static str {
        match self {
            Self::Fixed => "timeout",
            Self::Chen | Self::TwoWindow => "safety_margin",
            Self::Bertier => "deviation_weight",
            Self::Phi | Self::Exponential | Self::Satzger => "threshold",
            Self::RateTarget => "rate",
            Self::JitterScaled => "factor",
        }
    }

    /// Returns whether the parameter is a time in seconds.
    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Fixed | Self::Chen | Self::TwoWindow)
    }

    /// Returns the share of heartbeats that a parameter promises to be suspected by mistake, if it
    /// promises one.
    pub(crate) fn nominal_rate(self, parameter: f64) -> Option<f64> {
        match self {
            Self::Phi => Some(10_f64.powf(-parameter)),
            Self::Exponential | Self::Satzger => Some(1.0 - parameter),
            Self::RateTarget => Some(parameter),
            _ => None,
        }
    }

    /// Returns the parameter that promises this rate of mistakes, if any does.
    pub(crate) fn for_nominal_rate(self, rate: f64) -> Option<Point> {
        let parameter = match self {
            Self::Phi => -rate.log10(),
            Self::Exponential | Self::Satzger => 1.0 - rate,
            Self::RateTarget => rate,
            _ => return None,
        };
        Some(Point { kind: self, parameter })
    }

    /// Returns the values that are compared on a trace with this interval in seconds.
    ///
    /// They spread the detection times from about one interval to about [`SWEPT_INTERVALS`], as far as
    /// a detector goes. Times are whole nanoseconds.
    pub(crate) fn sweep(self, interval: f64) -> Vec<Point> {
        let multiples = |first, last| {
            let nanos = log_spaced(first, last, 48).map(|multiple| multiple * interval * 1e9);
            nanos.map(|nanos| float(round(nanos).max(1).into()) / 1e9).collect()
        };
        let parameters: Vec<f64> = match self {
            Self::Fixed => multiples(1.02, 60.0),
            Self::Chen | Self::TwoWindow => multiples(0.01, 59.0),
            Self::Bertier => log_spaced(0.5, 5_000.0, 48).collect(),
            Self::Phi => log_spaced(0.1, 90_000.0, 48).collect(),
            // Closer to one, the last digit of the threshold would move the deadline visibly.
            Self::Exponential => log_spaced(1.02, 23.0, 40).map(|mean| -(-mean).exp_m1()).collect(),
            // Beyond a window's samples only the longest is left. With odd millionths, no share of a
            // window is a whole number of samples, where rounding would decide between two of them.
            Self::Satzger => {
                let odd_millionths =
                    |tail: f64| float((round((1.0 - tail) * 5e5) * 2 - 1).into()) / 1e6;
                log_spaced(0.7, 1.1e-3, 31).map(odd_millionths).chain([1.0]).collect()
            }
            Self::RateTarget => log_spaced(0.4, 1e-6, 40).collect(),
            Self::JitterScaled => log_spaced(0.05, 5_000.0, 48).collect(),
        };
        parameters.into_iter().map(|parameter| Point { kind: self, parameter }).collect()
    }
}

impl Point {
    /// Returns the parameter in nanoseconds if it is a time, else 0.
    pub(crate) fn nanos(self) -> u64 {
        if self.kind.is_time() { round(self.parameter * 1e9) } else { 0 }
    }

    /// Returns whether the detector's clock is wide enough for a time that was swept.
    pub(crate) fn fits(self, timeline: &Timeline) -> bool {
        !self.kind.is_time() || timeline.scale().ticks_from_seconds(self.parameter) <= MAX_TICKS
    }

    /// Returns the point that is in fact replayed: a time is a whole number of the timeline's ticks, and
    /// a factor has the seven digits that its detector keeps.
    pub(crate) fn on(self, timeline: &Timeline) -> Self {
        let parameter = if self.kind.is_time() {
            let ticks = timeline.scale().ticks_from_seconds(self.parameter);
            timeline.scale().seconds(ticks.into())
        } else if self.kind == Kind::JitterScaled {
            seven_digits(self.parameter)
        } else {
            self.parameter
        };
        Self { parameter, ..self }
    }

    /// Creates the detector, to be told of times in the timeline's ticks.
    pub(crate) fn detector(
        self,
        timeline: &Timeline,
    ) -> Result<Box<dyn FailureDetector>, ConfigError> {
        let interval = timeline.interval();
        let value = self.parameter;
        let time = || Duration::from_nanos(timeline.scale().ticks_from_seconds(value));
        Ok(match self.kind {
            Kind::Fixed => Box::new(FixedTimeout::new(time())?),
            Kind::Chen => {
                let config = ChenConfig { interval, safety_margin: time() };
                Box::new(Chen::with_storage(config, signed_window())?)
            }
            Kind::TwoWindow => {
                let config = TwoWindowConfig { interval, safety_margin: time() };
                Box::new(TwoWindow::with_storage(config, signed_window())?)
            }
            Kind::Bertier => {
                let config = BertierConfig {
                    interval,
                    gain: 0.1,
                    delay_weight: 1.0,
                    deviation_weight: value,
                };
                Box::new(Bertier::with_storage(config, signed_window())?)
            }
            Kind::Phi => {
                Box::new(PhiAccrual::with_storage(plain_phi(interval, value), window(WINDOW))?)
            }
            Kind::Exponential => {
                let config = plain_exponential(interval, value);
                Box::new(Exponential::with_storage(config, window(WINDOW))?)
            }
            Kind::Satzger => {
                let late_intervals = LateIntervals::Learn;
                let config =
                    SatzgerConfig { threshold: value, stretch: 1.5, interval, late_intervals };
                Box::new(Satzger::with_storage(config, window(WINDOW))?)
            }
            Kind::RateTarget => {
                Box::new(RateTarget::new(RateTargetConfig { interval, rate: value, gain: 1.0 })?)
            }
            Kind::JitterScaled => {
                Box::new(JitterScaled::new(JitterScaledConfig { interval, factor: value })?)
            }
        })
    }
}

/// Returns the configuration of phi with nothing added to Hayashibara's formula.
pub(crate) fn plain_phi(interval: Duration, threshold: f64) -> PhiConfig {
    PhiConfig {
        threshold,
        scale: PhiScale::Normal,
        interval,
        min_std_deviation: MinStdDeviation::Absolute(Duration::ZERO),
        acceptable_pause: Duration::ZERO,
        late_intervals: LateIntervals::Learn,
    }
}

/// Returns the configuration of the exponential detector whose threshold is a probability.
pub(crate) fn plain_exponential(interval: Duration, threshold: f64) -> ExponentialConfig {
    ExponentialConfig {
        threshold,
        scale: ExponentialScale::Probability,
        interval,
        prior_weight: 0,
        late_intervals: LateIntervals::Learn,
    }
}

/// Returns a window for intervals.
pub(crate) fn window(length: usize) -> Box<[u64]> {
    vec![0; length].into_boxed_slice()
}

/// Returns a window for expected arrivals.
pub(crate) fn signed_window() -> Box<[i64]> {
    vec![0; WINDOW].into_boxed_slice()
}

impl FromStr for Point {
    type Err = PointError;

    fn from_str(text: &str) -> Result<Self, PointError> {
        let (name, value) = text.split_once('=').ok_or(PointError::Form)?;
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| PointError::Name(name.to_owned()))?;
        match value.parse() {
            Ok(parameter) if (0.0..f64::INFINITY).contains(&parameter) => {
                Ok(Self { kind, parameter })
            }
            _ if kind.is_time() => Err(PointError::Seconds(value.to_owned())),
            _ => Err(PointError::Value(value.to_owned())),
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind.is_time() {
            f.write_str(&text::time(self.parameter))
        } else {
            f.write_str(&text::significant(self.parameter))
        }
    }
}

impl fmt::Display for PointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => write!(f, "must be NAME=VALUE, as in phi=8"),
            Self::Name(name) => {
                let names = Kind::ALL.map(Kind::name).join(", ");
                write!(f, "no detector is called {name:?}; there are {names}")
            }
            Self::Value(value) => write!(f, "{value:?} is not a number from 0 up"),
            Self::Seconds(value) => {
                write!(f, "{value:?} is not a number of seconds from 0 up, as in fixed=0.5")
            }
        }
    }
}

impl core::error::Error for PointError {}

#[cfg(test)]
mod tests;
