//! The definitions, as literally as they can be written.

use statrs::function::erf::erfc;

use super::traces::Row;

pub(crate) const DETECTORS: [&str; 9] = [
    "fixed",
    "chen",
    "bertier",
    "two-window",
    "phi",
    "exponential",
    "satzger",
    "rate-target",
    "jitter-scaled",
];

const WARM_UP: usize = 100;
const WINDOW: usize = 1000;

/// The fresh arrivals of a trace. Times are nanoseconds since the first of them.
pub(crate) struct Naive {
    arrivals: Vec<f64>,
    sequences: Vec<f64>,
    sent: Vec<f64>,
    interval: f64,
    /// After each arrival, the mean of A − η·s over the window.
    offsets: Vec<f64>,
    /// After each arrival, the last intervals, the shortest first, with their mean and deviation.
    windows: Vec<(Vec<f64>, f64, f64)>,
}

pub(crate) struct Score {
    pub(crate) detection_time: f64,
    pub(crate) detection_time_max: f64,
    pub(crate) mistakes: u64,
    pub(crate) mistake_rate: f64,
    pub(crate) mistake_duration: f64,
    pub(crate) query_accuracy: f64,
    pub(crate) scored: u64,
    pub(crate) span: f64,
}

impl Naive {
    pub(crate) fn new(rows: &[Row], same_clock: bool) -> Self {
        let mut arrived: Vec<(u64, Row)> =
            rows.iter().filter_map(|row| Some((row.received?, *row))).collect();
        arrived.sort_by_key(|(received, row)| (*received, row.sequence));
        let mut fresh: Vec<(u64, Row)> = Vec::new();
        for beat in arrived {
            if fresh.iter().all(|(_, seen)| seen.sequence < beat.1.sequence) {
                fresh.push(beat);
            }
        }
        let origin = fresh[0].0;
        let arrivals: Vec<f64> = fresh.iter().map(|(at, _)| (at - origin) as f64).collect();
        let first_sequence = fresh[0].1.sequence;
        let sequences: Vec<f64> =
            fresh.iter().map(|(_, row)| (row.sequence - first_sequence) as f64).collect();

        let known: Option<Vec<i128>> =
            fresh.iter().map(|(_, row)| Some(i128::from(row.sent?) - i128::from(origin))).collect();
        let sent = known.map(|sent| {
            let delays = fresh.iter().zip(&sent);
            let fastest =
                delays.map(|((at, _), sent)| i128::from(at - origin) - sent).min().unwrap();
            let shift = if same_clock { 0 } else { fastest };
            sent.iter().map(|sent| (sent + shift) as f64).collect()
        });
        let interval =
            sending_interval(rows).unwrap_or_else(|| median(ratios(&arrivals, &sequences)));
        let sent = sent.unwrap_or_else(|| arrivals.clone());
        let mut naive =
            Self { arrivals, sequences, sent, interval, offsets: vec![], windows: vec![] };
        naive.offsets = (0..naive.arrivals.len()).map(|i| naive.offset(i)).collect();
        naive.windows = (0..naive.arrivals.len()).map(|i| naive.window(i)).collect();
        naive
    }

    pub(crate) fn score(&self, detector: &str, parameter: f64) -> Score {
        let deadlines = self.deadlines(detector, parameter);
        let last = self.arrivals.len() - 1;
        let mut detection = Vec::new();
        let mut durations = Vec::new();
        for (i, deadline) in deadlines.iter().enumerate().take(last).skip(WARM_UP) {
            let deadline = deadline.max(self.arrivals[i]);
            detection.push(deadline - self.sent[i]);
            if self.arrivals[i + 1] > deadline {
                durations.push(self.arrivals[i + 1] - deadline);
            }
        }
        let span = self.arrivals[last] - self.arrivals[WARM_UP];
        let wrong: f64 = durations.iter().sum();
        let mistakes = durations.len();
        Score {
            detection_time: mean(&detection) / 1e9,
            detection_time_max: detection.iter().copied().fold(f64::MIN, f64::max) / 1e9,
            mistakes: mistakes as u64,
            mistake_rate: mistakes as f64 / (span / 1e9),
            mistake_duration: if mistakes == 0 { 0.0 } else { mean(&durations) / 1e9 },
            query_accuracy: 1.0 - wrong / span,
            scored: detection.len() as u64,
            span: span / 1e9,
        }
    }

    fn deadlines(&self, detector: &str, parameter: f64) -> Vec<f64> {
        let margin = parameter * 1e9;
        let each = |deadline: &dyn Fn(usize) -> f64| {
            (0..self.arrivals.len()).map(deadline).collect::<Vec<f64>>()
        };
        match detector {
            "fixed" => each(&|i| self.arrivals[i] + margin),
            "chen" => each(&|i| self.expected(i, self.sequences[i] + 1.0) + margin),
            "two-window" => each(&|i| {
                let by_last = self.arrivals[i] + self.interval;
                by_last.max(self.expected(i, self.sequences[i] + 1.0)) + margin
            }),
            "bertier" => self.bertier(parameter),
            "phi" => {
                let z = z_from_phi(parameter);
                each(&|i| self.arrivals[i] + self.windows[i].1 + z * self.windows[i].2)
            }
            "exponential" => {
                each(&|i| self.arrivals[i] - self.windows[i].1 * (1.0 - parameter).ln())
            }
            "satzger" => each(&|i| {
                let window = &self.windows[i].0;
                let rank = (parameter * window.len() as f64).ceil() as usize;
                self.arrivals[i] + 1.5 * window[rank - 1]
            }),
            "rate-target" => self.rate_target(parameter),
            "jitter-scaled" => self.jitter_scaled(parameter),
            _ => panic!("unknown detector {detector}"),
        }
    }

    fn offset(&self, i: usize) -> f64 {
        let from = (i + 1).saturating_sub(WINDOW);
        let offset = |j: usize| self.arrivals[j] - self.interval * self.sequences[j];
        mean(&(from..=i).map(offset).collect::<Vec<f64>>())
    }

    fn window(&self, i: usize) -> (Vec<f64>, f64, f64) {
        let from = i.saturating_sub(WINDOW);
        let mut window = ratios(&self.arrivals[from..=i], &self.sequences[from..=i]);
        if i == 0 {
            window.push(self.interval);
        }
        window.sort_by(f64::total_cmp);
        let middle = mean(&window);
        let squares: Vec<f64> = window.iter().map(|x| (x - middle).powi(2)).collect();
        (window, middle, mean(&squares).sqrt())
    }

    /// Returns when a beat is expected by the window of arrivals up to the `i`th.
    fn expected(&self, i: usize, sequence: f64) -> f64 {
        self.offsets[i] + sequence * self.interval
    }

    fn bertier(&self, weight: f64) -> Vec<f64> {
        let (mut delay, mut deviation) = (0.0, 0.0);
        let deadline = |i: usize| {
            if i > 0 {
                let expected = self.expected(i - 1, self.sequences[i]);
                let error: f64 = self.arrivals[i] - expected - delay;
                delay += 0.1 * error;
                deviation += 0.1 * (error.abs() - deviation);
            }
            self.expected(i, self.sequences[i] + 1.0) + delay + weight * deviation
        };
        (0..self.arrivals.len()).map(deadline).collect()
    }

    fn rate_target(&self, rate: f64) -> Vec<f64> {
        let mut margin = 0.05_f64.ln();
        let mut deadlines: Vec<f64> = Vec::new();
        for (i, arrival) in self.arrivals.iter().enumerate() {
            if i > 0 {
                let late = if *arrival > deadlines[i - 1] { 1.0 } else { 0.0 };
                margin = (margin + late - rate).clamp(1e-5_f64.ln(), 100_f64.ln());
            }
            deadlines.push(arrival + self.interval * (1.0 + margin.exp()));
        }
        deadlines
    }

    fn jitter_scaled(&self, factor: f64) -> Vec<f64> {
        let (mut slow, mut fast, mut burst) = (0.0, 0.0, 0.0);
        let deadline = |i: usize| {
            if i > 0 {
                let elapsed = self.arrivals[i] - self.arrivals[i - 1];
                let excess = (elapsed / self.interval - 1.0).max(0.0);
                let weight = |beats: f64| (1.0 - (-1.0 / beats).exp()).max(1.0 / i as f64);
                slow += weight(10_000.0) * (excess.min(0.1).powi(4) - slow);
                fast += weight(200.0) * (excess.min(3.0).powi(2) - fast);
                burst += weight(2.0) * (excess.min(1.0) - burst);
            }
            let jitter: f64 = 0.003 + slow.powf(0.25) + 0.3 * fast.sqrt() + 0.3 * burst;
            self.arrivals[i] + self.interval * (1.0 + factor * jitter)
        };
        (0..self.arrivals.len()).map(deadline).collect()
    }
}

/// Returns the median of the intervals between the sending of a beat and of the next.
fn sending_interval(rows: &[Row]) -> Option<f64> {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| row.sequence);
    rows.dedup_by_key(|row| row.sequence);
    let intervals: Vec<f64> = rows
        .windows(2)
        .filter(|pair| pair[1].sequence == pair[0].sequence + 1)
        .filter_map(|pair| Some((pair[1].sent? - pair[0].sent?) as f64))
        .collect();
    (!intervals.is_empty()).then(|| median(intervals))
}

fn ratios(arrivals: &[f64], sequences: &[f64]) -> Vec<f64> {
    let pairs = arrivals.windows(2).zip(sequences.windows(2));
    pairs.map(|(at, number)| (at[1] - at[0]) / (number[1] - number[0])).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Finds z by bisection.
fn z_from_phi(phi: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 1e4);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if phi_from_z(middle) < phi { low = middle } else { high = middle }
    }
    low
}

/// Returns −log₁₀ of the normal tail; far out by Laplace's continued fraction.
fn phi_from_z(z: f64) -> f64 {
    if z < 6.0 {
        return -(erfc(z / core::f64::consts::SQRT_2) / 2.0).log10();
    }
    let fraction = (1..=200).rev().fold(z, |tail, k| z + f64::from(k) / tail);
    let logarithm = -z * z / 2.0 - (2.0 * core::f64::consts::PI).sqrt().ln() - fraction.ln();
    -logarithm / core::f64::consts::LN_10
}
