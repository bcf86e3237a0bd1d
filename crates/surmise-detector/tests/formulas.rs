//! Every detector against its published formula, computed anew for each heartbeat from the whole history.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the formulas read best as they are published"
)]

use core::{f64::consts::LN_10, time::Duration};

use statrs::distribution::{ContinuousCDF, Normal};
use surmise_detector::{
    Bertier, BertierConfig, Chen, ChenConfig, Exponential, ExponentialConfig, ExponentialScale,
    FailureDetector, FixedTimeout, JitterScaled, JitterScaledConfig, LateIntervals,
    MinStdDeviation, PhiAccrual, PhiConfig, PhiScale, RateTarget, RateTargetConfig, Satzger,
    SatzgerConfig, TwoWindow, TwoWindowConfig,
};
use surmise_sim::{Arrival, Scenario};

const WINDOW: usize = 50;
const INTERVAL: Duration = Duration::from_millis(100);
const ETA: f64 = 1e8;

/// The fresh arrivals of streams that are calm, lossy, heavy-tailed and stalling.
fn streams() -> Vec<Vec<Arrival>> {
    [Scenario::calm(1), Scenario::lossy(2), Scenario::heavy_tailed(3), Scenario::stalling(4)]
        .map(|scenario| fresh(Scenario { beats: 1500, ..scenario }.arrivals()))
        .to_vec()
}

/// Leaves out what a later heartbeat has overtaken.
fn fresh(mut arrivals: Vec<Arrival>) -> Vec<Arrival> {
    let mut highest = None;
    arrivals.retain(|arrival| {
        let news = highest < Some(arrival.sequence);
        highest = highest.max(Some(arrival.sequence));
        news
    });
    arrivals
}

/// Plays each stream and compares each deadline with a formula over the arrivals so far.
///
/// The formula is given the arrivals up to the newest, and the deadlines that it gave before.
fn follows(
    mut make: impl FnMut() -> Box<dyn FailureDetector>,
    formula: impl Fn(&[Arrival], &[f64]) -> f64,
    tolerance_ns: f64,
) {
    for arrivals in streams() {
        let mut detector = make();
        let mut deadlines = Vec::new();
        for (i, arrival) in arrivals.iter().enumerate() {
            detector.heartbeat(arrival.sequence, arrival.received);
            let deadline = detector.deadline().unwrap().as_nanos() as f64;
            let last = arrival.received.as_nanos() as f64;
            let expected = formula(&arrivals[..=i], &deadlines).max(last);
            let error = (deadline - expected).abs();
            assert!(
                error <= tolerance_ns,
                "after {i} arrivals: {} instead of {} past the last",
                deadline - last,
                expected - last
            );
            deadlines.push(expected);
        }
    }
}

/// The arrival in nanoseconds; a float holds three months of them exactly.
fn at(arrival: &Arrival) -> f64 {
    arrival.received.as_nanos() as f64
}

/// The last intervals, each divided by how far the sequence advanced.
fn intervals(arrivals: &[Arrival]) -> Vec<f64> {
    let all = arrivals
        .windows(2)
        .map(|pair| (at(&pair[1]) - at(&pair[0])) / (pair[1].sequence - pair[0].sequence) as f64);
    let all: Vec<f64> = all.collect();
    all[all.len().saturating_sub(WINDOW)..].to_vec()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Chen's expected arrival of the heartbeat after the newest, over a window.
fn expected_next(arrivals: &[Arrival], window: usize) -> f64 {
    let newest = arrivals.last().unwrap();
    let window = &arrivals[arrivals.len().saturating_sub(window)..];
    // Relative to the newest, so that the floats keep their digits.
    let slips =
        window.iter().map(|a| (at(a) - at(newest)) + ETA * (newest.sequence - a.sequence) as f64);
    at(newest) + mean(&slips.collect::<Vec<_>>()) + ETA
}

#[test]
fn fixed_timeout() {
    follows(
        || Box::new(FixedTimeout::new(Duration::from_millis(250)).unwrap()),
        |arrivals, _| at(arrivals.last().unwrap()) + 250e6,
        0.0,
    );
}

#[test]
fn chen() {
    let config = ChenConfig { interval: INTERVAL, safety_margin: Duration::from_millis(30) };
    follows(
        || Box::new(Chen::<[i64; WINDOW]>::new(config).unwrap()),
        |arrivals, _| expected_next(arrivals, WINDOW) + 30e6,
        2.0,
    );
}

#[test]
fn two_window() {
    let config = TwoWindowConfig { interval: INTERVAL, safety_margin: Duration::from_millis(30) };
    follows(
        || Box::new(TwoWindow::<[i64; WINDOW]>::new(config).unwrap()),
        |arrivals, _| expected_next(arrivals, 1).max(expected_next(arrivals, WINDOW)) + 30e6,
        2.0,
    );
}

#[test]
fn bertier() {
    let config = BertierConfig::published(INTERVAL);
    follows(
        || Box::new(Bertier::<[i64; WINDOW]>::new(config).unwrap()),
        |arrivals, _| {
            let (mut delay, mut var) = (0.0, 0.0_f64);
            for i in 1..arrivals.len() {
                let skipped = (arrivals[i].sequence - arrivals[i - 1].sequence - 1) as f64;
                let expected = expected_next(&arrivals[..i], WINDOW) + ETA * skipped;
                let error = at(&arrivals[i]) - expected - delay;
                delay += 0.1 * error;
                var += 0.1 * (error.abs() - var);
            }
            expected_next(arrivals, WINDOW) + delay + 4.0 * var
        },
        20.0,
    );
}

#[test]
fn phi() {
    let z = -Normal::standard().inverse_cdf(1e-6);
    let config = PhiConfig {
        threshold: 6.0,
        min_std_deviation: MinStdDeviation::OfInterval(0.02),
        acceptable_pause: Duration::from_millis(7),
        late_intervals: LateIntervals::Learn,
        ..PhiConfig::for_interval(INTERVAL)
    };
    follows(
        || {
            Box::new(
                PhiAccrual::with_storage(config, vec![0_u64; WINDOW].into_boxed_slice()).unwrap(),
            )
        },
        |arrivals, _| {
            let intervals = intervals(arrivals);
            let (mean, deviation) = match intervals.len() {
                // The estimate, and Akka's guess at the spread.
                0 => (ETA, 0.25 * ETA),
                few @ 1..10 => {
                    assert!(few < 10);
                    (mean(&intervals), deviation(&intervals).max(0.25 * mean(&intervals)))
                }
                _ => (mean(&intervals), deviation(&intervals)),
            };
            at(arrivals.last().unwrap()) + mean + 7e6 + z * deviation.max(0.02 * ETA)
        },
        // The oracle's quantile is good to ten digits.
        50.0,
    );
}

#[test]
fn phi_on_akkas_scale() {
    let config = PhiConfig {
        scale: PhiScale::Akka,
        min_std_deviation: MinStdDeviation::Absolute(Duration::from_millis(20)),
        late_intervals: LateIntervals::Skip,
        ..PhiConfig::for_interval(INTERVAL)
    };
    // y(z) = ln(10⁸ − 1), by bisection.
    let y = (1e8_f64 - 1.0).ln();
    let (mut low, mut high) = (0.0, 20.0);
    for _ in 0..100 {
        let z = 0.5 * (low + high);
        if z * (1.5976 + 0.070566 * z * z) < y { low = z } else { high = z }
    }
    follows(
        || Box::new(PhiAccrual::<[u64; WINDOW]>::new(config).unwrap()),
        |arrivals, deadlines| {
            // Skip what came after its deadline, as far as losses do not explain it.
            let mut learned = Vec::new();
            for (i, pair) in arrivals.windows(2).enumerate() {
                let gap = (pair[1].sequence - pair[0].sequence) as f64;
                let interval = ((at(&pair[1]) - at(&pair[0])) / gap).floor();
                if interval <= deadlines[i] - at(&pair[0]) {
                    learned.push(interval);
                }
            }
            let learned = &learned[learned.len().saturating_sub(WINDOW)..];
            let (mean, deviation) = match learned.len() {
                0 => (ETA, 0.25 * ETA),
                1..10 => (mean(learned), deviation(learned).max(0.25 * mean(learned))),
                _ => (mean(learned), deviation(learned)),
            };
            at(arrivals.last().unwrap()) + mean + low * deviation.max(20e6)
        },
        2.0,
    );
}

#[test]
fn exponential_on_each_scale() {
    let scales = [
        (ExponentialScale::Probability, 0.999, -(0.001_f64.ln())),
        (ExponentialScale::Cassandra, 1.5, 1.5 * LN_10),
        (ExponentialScale::Chitchat, 4.0, 4.0),
    ];
    for (scale, threshold, multiple) in scales {
        for prior_weight in [0, 5] {
            let config = ExponentialConfig {
                threshold,
                scale,
                interval: INTERVAL,
                prior_weight,
                late_intervals: LateIntervals::Learn,
            };
            follows(
                || Box::new(Exponential::<[u64; WINDOW]>::new(config).unwrap()),
                |arrivals, _| {
                    let intervals = intervals(arrivals);
                    let weight = f64::from(prior_weight);
                    let mean = if intervals.is_empty() {
                        ETA
                    } else {
                        let n = intervals.len() as f64;
                        (intervals.iter().sum::<f64>() + weight * ETA) / (n + weight)
                    };
                    at(arrivals.last().unwrap()) + multiple * mean
                },
                8.0,
            );
        }
    }
}

#[test]
fn satzger() {
    for (threshold, rank_of_50) in [(0.07, 4), (0.5, 25), (0.98, 49), (0.99, 50), (1.0, 50)] {
        let config = SatzgerConfig {
            threshold,
            late_intervals: LateIntervals::Learn,
            ..SatzgerConfig::for_interval(INTERVAL)
        };
        follows(
            || Box::new(Satzger::<[u64; WINDOW]>::new(config).unwrap()),
            |arrivals, _| {
                let mut intervals = intervals(arrivals);
                intervals.sort_by(f64::total_cmp);
                let quantile = match intervals.len() {
                    0 => ETA,
                    WINDOW => intervals[rank_of_50 - 1],
                    // The shares have two decimals.
                    n => intervals[((threshold * 100.0).round() as usize * n).div_ceil(100) - 1],
                };
                at(arrivals.last().unwrap()) + 1.5 * quantile
            },
            3.0,
        );
    }
}

#[test]
fn rate_target() {
    let config = RateTargetConfig { interval: INTERVAL, rate: 0.01, gain: 0.5 };
    follows(
        || Box::new(RateTarget::new(config).unwrap()),
        |arrivals, deadlines| {
            let mut l = 0.05_f64.ln();
            for i in 1..arrivals.len() {
                // Deadlines are whole nanoseconds.
                let mistake = at(&arrivals[i]) > deadlines[i - 1].round();
                l += 0.5 * (f64::from(u8::from(mistake)) - 0.01);
                l = l.clamp(1e-5_f64.ln(), 100_f64.ln());
            }
            at(arrivals.last().unwrap()) + ETA * (1.0 + l.exp())
        },
        5.0,
    );
}

#[test]
fn jitter_scaled() {
    let config = JitterScaledConfig { interval: INTERVAL, factor: 3.0 };
    follows(
        || Box::new(JitterScaled::new(config).unwrap()),
        |arrivals, _| {
            let (mut s, mut f, mut b) = (0.0, 0.0, 0.0);
            for i in 1..arrivals.len() {
                let x = ((at(&arrivals[i]) - at(&arrivals[i - 1])) / ETA - 1.0).max(0.0);
                let alpha = |tau: f64| (1.0 - (-1.0 / tau).exp()).max(1.0 / i as f64);
                s += alpha(10_000.0) * (x.min(0.1).powi(4) - s);
                f += alpha(200.0) * (x.min(3.0).powi(2) - f);
                b += alpha(2.0) * (x.min(1.0) - b);
            }
            let jitter = 0.003 + s.powf(0.25) + 0.3 * f.sqrt() + 0.3 * b;
            at(arrivals.last().unwrap()) + ETA * (1.0 + 3.0 * jitter)
        },
        5.0,
    );
}
