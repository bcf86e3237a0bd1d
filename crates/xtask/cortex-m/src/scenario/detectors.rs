mod stream;

use core::fmt;

use surmise_detector::{
    AccrualDetector, Bertier, BertierConfig, Chen, ChenConfig, ConfigError, Exponential,
    ExponentialConfig, ExponentialScale, ExponentiallyWeighted, FailureDetector, FixedTimeout,
    JitterScaled, JitterScaledConfig, PhiAccrual, PhiConfig, PhiScale, RateTarget,
    RateTargetConfig, Satzger, SatzgerConfig, TwoWindow, TwoWindowConfig, phi_from_z, z_from_phi,
};

use self::stream::{Event, INTERVAL, Stream};
use super::{random::Random, report::Report};

/// Reports what every detector makes of one stream of heartbeats, and what the numerics beneath give.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    numerics(report)?;
    // These configurations are valid on every platform, or the crate's own tests would fail.
    detectors(report).expect("the configurations are valid")?;
    accrual_detectors(report).expect("the configurations are valid")
}

fn numerics(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(2);
    let (mut z, mut phi) = (-45.0, 1e-300);
    for number in 0..1000 {
        report.float("phi_from_z", number, phi_from_z(z))?;
        report.float("z_from_phi", number, z_from_phi(phi))?;
        report.float("phi_from_bits", number, phi_from_z(f64::from_bits(random.next())))?;
        // Dense about the middle, sparse in the tail; and φ from 1e-300 to 1e5.
        z += if z < 45.0 { 0.1171875 } else { 9.5 };
        phi *= 2.02;
    }
    Ok(())
}

fn detectors(report: &mut Report<'_>) -> Result<fmt::Result, ConfigError> {
    let chen = ChenConfig { interval: INTERVAL, safety_margin: INTERVAL / 2 };
    let two_window = TwoWindowConfig { interval: INTERVAL, safety_margin: INTERVAL / 2 };
    let bertier = BertierConfig::published(INTERVAL);
    let rate_target = RateTargetConfig::for_rate(INTERVAL, 0.01);
    let jitter_scaled = JitterScaledConfig::for_interval(INTERVAL);
    let detectors: [(&str, &mut dyn FailureDetector); 6] = [
        ("fixed", &mut FixedTimeout::new(2 * INTERVAL)?),
        ("chen", &mut Chen::<[i64; 32]>::new(chen)?),
        ("two_window", &mut TwoWindow::<[i64; 32]>::new(two_window)?),
        ("bertier", &mut Bertier::<[i64; 32]>::new(bertier)?),
        ("rate_target", &mut RateTarget::new(rate_target)?),
        ("jitter_scaled", &mut JitterScaled::new(jitter_scaled)?),
    ];
    Ok(detectors.into_iter().try_for_each(|(name, detector)| deadlines(report, name, detector)))
}

fn accrual_detectors(report: &mut Report<'_>) -> Result<fmt::Result, ConfigError> {
    let phi = PhiConfig::for_interval(INTERVAL);
    let akka = PhiConfig { scale: PhiScale::Akka, ..phi };
    let chitchat = ExponentialConfig::chitchat(INTERVAL);
    let exponential = ExponentialConfig {
        threshold: 0.9,
        scale: ExponentialScale::Probability,
        prior_weight: 0,
        ..chitchat
    };
    let satzger = SatzgerConfig { threshold: 0.9, ..SatzgerConfig::for_interval(INTERVAL) };
    let weighted = ExponentiallyWeighted::over(50);
    let detectors: [(&str, &mut dyn AccrualDetector); 7] = [
        ("phi_u32", &mut PhiAccrual::<[u32; 64]>::new(phi)?),
        ("phi_u64", &mut PhiAccrual::<[u64; 64]>::new(phi)?),
        ("phi_weighted", &mut PhiAccrual::with_storage(phi, weighted)?),
        ("phi_akka", &mut PhiAccrual::<[u32; 64]>::new(akka)?),
        ("exponential", &mut Exponential::with_storage(exponential, weighted)?),
        ("chitchat", &mut Exponential::<[u32; 64]>::new(chitchat)?),
        ("satzger", &mut Satzger::<[u32; 64]>::new(satzger)?),
    ];
    Ok(detectors.into_iter().try_for_each(|(name, detector)| levels(report, name, detector)))
}

fn deadlines(
    report: &mut Report<'_>,
    name: &str,
    detector: &mut dyn FailureDetector,
) -> fmt::Result {
    let mut stream = Stream::new();
    (0..BEATS).try_for_each(|number| {
        match stream.next() {
            Event::Heartbeat { sequence, now } => _ = detector.heartbeat(sequence, now),
            Event::Restart => detector.restart(),
        }
        report.deadline(name, number, detector.deadline())
    })
}

fn levels(report: &mut Report<'_>, name: &str, detector: &mut dyn AccrualDetector) -> fmt::Result {
    let mut stream = Stream::new();
    (0..BEATS).try_for_each(|number| {
        match stream.next() {
            Event::Heartbeat { sequence, now } => {
                report.float(name, number, detector.suspicion_level(now))?;
                detector.heartbeat(sequence, now);
                report.float(name, number, detector.suspicion_level(now + INTERVAL))?;
            }
            Event::Restart => detector.restart(),
        }
        report.deadline(name, number, detector.deadline())
    })
}

const BEATS: u64 = 400;
