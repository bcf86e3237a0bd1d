//! What a configuration that `tune` printed does on a trace, by the definitions of the README.

use core::time::Duration;

use serde_json::Value;
use surmise_detector::{
    Bertier, BertierConfig, Capped, Chen, ChenConfig, Exponential, ExponentialConfig,
    ExponentialScale, FailureDetector, FixedTimeout, JitterScaled, JitterScaledConfig,
    LateIntervals, MinStdDeviation, PhiAccrual, PhiConfig, PhiScale, RateTarget, RateTargetConfig,
    Satzger, SatzgerConfig, TwoWindow, TwoWindowConfig,
};
use surmise_time::Instant;

use super::networks::Row;

/// What came of a trace, or of several. Times are in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) mistakes: u64,
    pub(crate) span: f64,
    pub(crate) detection_time_max: f64,
}

impl Measured {
    pub(crate) fn add(&mut self, other: Self) {
        self.mistakes += other.mistakes;
        self.span += other.span;
        self.detection_time_max = self.detection_time_max.max(other.detection_time_max);
    }

    pub(crate) fn mistakes_per_day(&self) -> f64 {
        self.mistakes as f64 / self.span * 86_400.0
    }
}

/// Replays a candidate of `--json` on a trace, from `from` nanoseconds after its first fresh arrival on, with whose
/// very first heartbeats it learns.
pub(crate) fn measure(candidate: &Value, interval: f64, rows: &[Row], from: u64) -> Measured {
    let limit = Duration::from_secs_f64(candidate["limit_s"].as_f64().unwrap());
    let peer = detector(candidate, Duration::from_secs_f64(interval));
    let mut peer = Capped::new(peer, limit).unwrap();
    let mut arrived: Vec<(u64, u64, u64)> =
        rows.iter().filter_map(|row| Some((row.received?, row.sequence, row.truly_sent))).collect();
    arrived.sort_unstable();
    let mut highest = None;
    let fresh: Vec<_> = arrived
        .into_iter()
        .filter(|&(_, sequence, _)| {
            highest.replace(sequence.max(highest.unwrap_or(0))) < Some(sequence)
        })
        .collect();
    let fastest =
        fresh.iter().map(|&(at, _, sent)| i128::from(at) - i128::from(sent)).min().unwrap();
    let start = fresh[0].0 + from;
    let mut measured =
        Measured { span: (fresh[fresh.len() - 1].0 - start) as f64 / 1e9, ..Measured::default() };
    for pair in fresh.windows(2) {
        let [(at, sequence, sent), (next, ..)] = *pair else { unreachable!() };
        let now = Instant::from_nanos(at);
        peer.heartbeat(sequence, now);
        let deadline = peer.deadline().unwrap().as_nanos();
        // One nanosecond of trust is none.
        let deadline = if deadline <= at + 1 { at } else { deadline };
        if at < start {
            continue;
        }
        let detection = i128::from(deadline) - i128::from(sent) - fastest;
        measured.detection_time_max = measured.detection_time_max.max(detection as f64 / 1e9);
        measured.mistakes += u64::from(next > deadline);
    }
    measured
}

/// Makes the detector that a candidate of `--json` names.
fn detector(candidate: &Value, interval: Duration) -> Box<dyn FailureDetector> {
    let value = candidate["parameter"].as_f64().unwrap();
    let time = || Duration::from_secs_f64(value);
    let late_intervals = LateIntervals::Learn;
    match candidate["detector"].as_str().unwrap() {
        "fixed" => Box::new(FixedTimeout::new(time()).unwrap()),
        "chen" => {
            let config = ChenConfig { interval, safety_margin: time() };
            Box::new(Chen::<[i64; 1000]>::new(config).unwrap())
        }
        "two-window" => {
            let config = TwoWindowConfig { interval, safety_margin: time() };
            Box::new(TwoWindow::<[i64; 1000]>::new(config).unwrap())
        }
        "bertier" => {
            let config =
                BertierConfig { deviation_weight: value, ..BertierConfig::published(interval) };
            Box::new(Bertier::<[i64; 1000]>::new(config).unwrap())
        }
        "phi" => {
            let config = PhiConfig {
                threshold: value,
                scale: PhiScale::Normal,
                interval,
                min_std_deviation: MinStdDeviation::Absolute(Duration::ZERO),
                acceptable_pause: Duration::ZERO,
                late_intervals,
            };
            Box::new(PhiAccrual::<[u64; 1000]>::new(config).unwrap())
        }
        "exponential" => {
            let config = ExponentialConfig {
                threshold: value,
                scale: ExponentialScale::Probability,
                interval,
                prior_weight: 0,
                late_intervals,
            };
            Box::new(Exponential::<[u64; 1000]>::new(config).unwrap())
        }
        "satzger" => {
            let config = SatzgerConfig { threshold: value, stretch: 1.5, interval, late_intervals };
            Box::new(Satzger::<[u64; 1000]>::new(config).unwrap())
        }
        "rate-target" => {
            Box::new(RateTarget::new(RateTargetConfig::for_rate(interval, value)).unwrap())
        }
        "jitter-scaled" => {
            let config = JitterScaledConfig { interval, factor: value };
            Box::new(JitterScaled::new(config).unwrap())
        }
        name => panic!("{name} is no detector"),
    }
}
