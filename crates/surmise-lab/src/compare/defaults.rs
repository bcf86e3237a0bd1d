//! Detectors as they come: our defaults, and those of other systems.

use core::time::Duration;

use surmise_detector::{
    Beat, Bertier, BertierConfig, ConfigError, Exponential, ExponentialConfig, FailureDetector,
    JitterScaled, JitterScaledConfig, LateIntervals, MinStdDeviation, PhiAccrual, PhiConfig,
    PhiScale, Satzger, SatzgerConfig,
};
use surmise_time::Instant;

use super::{
    catalogue::{WINDOW, signed_window, window},
    timeline::Timeline,
};

/// A detector with its default settings.
pub(crate) struct Preset {
    pub(crate) name: &'static str,
    pub(crate) settings: String,
    pub(crate) origin: Origin,
    pub(crate) detector: Box<dyn FailureDetector>,
}

/// Whose defaults they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Ours,
    Peer,
}

/// Returns our defaults, and then other systems'.
pub(crate) fn presets(timeline: &Timeline) -> Result<Vec<Preset>, ConfigError> {
    let mut presets = ours(timeline.interval())?;
    presets.extend(peers(timeline)?);
    Ok(presets)
}

/// Those of detectors that have any: a timeout, a margin or a rate of mistakes is the user's to choose.
fn ours(interval: Duration) -> Result<Vec<Preset>, ConfigError> {
    let preset =
        |name, settings, detector| Preset { name, settings, origin: Origin::Ours, detector };
    let phi = PhiConfig::for_interval(interval);
    let satzger = SatzgerConfig::for_interval(interval);
    let jitter_scaled = JitterScaledConfig::for_interval(interval);
    let deviation = match phi.min_std_deviation {
        MinStdDeviation::OfInterval(share) => format!(", σ at least {share} η"),
        _ => String::new(),
    };
    Ok(vec![
        preset(
            "phi",
            format!("Φ {}{deviation}", phi.threshold),
            Box::new(PhiAccrual::with_storage(phi, window(WINDOW))?),
        ),
        preset(
            "satzger",
            format!("share {}, stretch {}", satzger.threshold, satzger.stretch),
            Box::new(Satzger::with_storage(satzger, window(WINDOW))?),
        ),
        preset(
            "jitter-scaled",
            format!("p {}", jitter_scaled.factor),
            Box::new(JitterScaled::new(jitter_scaled)?),
        ),
    ])
}

/// Returns the formulas of other systems with their defaults, on our types.
///
/// Bertier's published parameters are among them: the deviation weight of our type is the user's
/// promise, like a margin, and has no default of ours.
///
/// Their defects are left out: what is compared is what was meant.
fn peers(timeline: &Timeline) -> Result<Vec<Preset>, ConfigError> {
    let preset = |name, settings: &str, detector| Preset {
        name,
        settings: settings.to_owned(),
        origin: Origin::Peer,
        detector,
    };
    let interval = timeline.interval();
    let time = |millis: u64| Duration::from_nanos(timeline.scale().ticks(millis * 1_000_000));
    let akka = |threshold, acceptable_pause, length, late_intervals| {
        let config = PhiConfig {
            threshold,
            scale: PhiScale::Akka,
            interval,
            min_std_deviation: MinStdDeviation::Absolute(time(100)),
            acceptable_pause,
            late_intervals,
        };
        Ok(unnumbered(PhiAccrual::with_storage(config, window(length))?))
    };
    let bertier = BertierConfig::published(interval);
    let cassandra = ExponentialConfig::cassandra(interval);
    let chitchat = ExponentialConfig::chitchat(time(5_000));
    let aten = SatzgerConfig {
        threshold: 0.99,
        stretch: 1.5,
        interval,
        late_intervals: LateIntervals::Learn,
    };
    Ok(vec![
        preset(
            "Akka",
            "Akka's Φ 8, n 1000, σ at least 100 ms, pause 3 s",
            akka(8.0, time(3_000), WINDOW, LateIntervals::Skip)?,
        ),
        preset(
            "Cassandra",
            "exponential Φ 8, n 1000",
            unnumbered(Exponential::with_storage(cassandra, window(WINDOW))?),
        ),
        preset(
            "chitchat",
            "exponential 8 means, n 1000, prior 5 s with weight 5",
            unnumbered(Exponential::with_storage(chitchat, window(WINDOW))?),
        ),
        preset(
            "Hazelcast",
            "Akka's Φ 10, n 200, σ at least 100 ms",
            akka(10.0, Duration::ZERO, 200, LateIntervals::Learn)?,
        ),
        preset(
            "phi-accrual-failure-detector",
            "Akka's Φ 8, n 100, σ at least 100 ms, pause 3 s",
            akka(8.0, time(3_000), 100, LateIntervals::Learn)?,
        ),
        preset(
            "Bertier, as published",
            "γ 0.1, β 1, φ 4, n 1000",
            Box::new(Bertier::with_storage(bertier, signed_window())?),
        ),
        preset(
            "RabbitMQ aten",
            "share 0.99, stretch 1.5, n 1000",
            unnumbered(Satzger::with_storage(aten, window(WINDOW))?),
        ),
    ])
}

fn unnumbered(detector: impl FailureDetector + 'static) -> Box<dyn FailureDetector> {
    Box::new(Unnumbered { detector, highest: None, count: 0 })
}

/// A detector that is not told of losses, for other systems' heartbeats carry no sequence numbers.
struct Unnumbered<D> {
    detector: D,
    highest: Option<u64>,
    count: u64,
}

impl<D> Unnumbered<D> {
    /// Returns how many heartbeats there were with this one, if it is news.
    fn count(&mut self, sequence: u64) -> Result<u64, Beat> {
        match self.highest {
            Some(highest) if sequence == highest => Err(Beat::Duplicate),
            Some(highest) if sequence < highest => Err(Beat::Stale { highest }),
            _ => {
                self.highest = Some(sequence);
                self.count += 1;
                Ok(self.count)
            }
        }
    }
}

impl<D: FailureDetector> FailureDetector for Unnumbered<D> {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        match self.count(sequence) {
            Ok(count) => self.detector.heartbeat(count, now),
            Err(ignored) => ignored,
        }
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        match self.count(sequence) {
            Ok(count) => self.detector.queued_heartbeat(count, now),
            Err(ignored) => ignored,
        }
    }

    fn restart(&mut self) {
        self.highest = None;
        self.detector.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        self.detector.deadline()
    }
}
