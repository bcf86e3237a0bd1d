//! Chen's configurator, for delays of which only the variance is known.

/// The problem, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    /// D: the detection time.
    pub(super) detection: u64,
    /// T_MR^L: the recurrence time to be met.
    pub(super) recurrence: f64,
    /// T_M^U: the duration of mistakes to be met.
    pub(super) mistake: f64,
    /// The shortest interval allowed, at least a thousandth of D.
    pub(super) min_interval: u64,
    /// p_L, below 1.
    pub(super) loss: f64,
    /// V(D), in ns².
    pub(super) variance: f64,
}

impl Problem {
    /// Returns the largest η that meets the contract.
    pub(super) fn largest_interval(&self) -> Option<u64> {
        self.segments().find_map(|(low, high)| {
            let meets = |&interval: &u64| self.recurrence_time(interval) >= self.recurrence;
            let mut met = samples(low, high).find(meets)?;
            // The sample above it, where there is one, did not meet it: narrow the gap down.
            let above = samples(low, high).take_while(|&sample| sample > met).last();
            let mut refused = above.unwrap_or(met);
            while refused - met > 1 {
                let middle = met + (refused - met) / 2;
                if meets(&middle) { met = middle } else { refused = middle }
            }
            Some(met)
        })
    }

    /// Returns the longest T_MR that any interval yields, in nanoseconds.
    pub(super) fn best_recurrence(&self) -> f64 {
        self.segments()
            .flat_map(|(low, high)| samples(low, high))
            .map(|interval| self.recurrence_time(interval))
            .fold(0.0, f64::max)
    }

    /// Returns the shortest T_D up to `limit` that would do, with all else equal.
    pub(super) fn best_detection_time(&self, limit: u64) -> Option<u64> {
        let attains = |detection| (Self { detection, ..*self }).largest_interval().is_some();
        let limit = limit.min(self.min_interval.saturating_mul(MAX_BEATS));
        let (mut short, mut long) = (self.detection, self.detection);
        while !attains(long) {
            if long == limit {
                return None;
            }
            short = long;
            long = long.saturating_mul(2).min(limit);
        }
        while long - short > 1 + long / 1_000_000_000 {
            let middle = short + (long - short) / 2;
            if attains(middle) { long = middle } else { short = middle }
        }
        Some(long)
    }

    /// Returns the ranges of intervals with the same number of heartbeats in D, the largest first.
    ///
    /// f is continuous, but between these ranges it has peaks, and without variance it jumps there.
    fn segments(&self) -> impl Iterator<Item = (u64, u64)> {
        let Self { detection, min_interval, .. } = *self;
        let max_interval = self.max_interval();
        (1..=MAX_BEATS).filter_map(move |beats| {
            let low = detection.div_ceil(beats).max(min_interval);
            let high = match beats - 1 {
                0 => detection,
                fewer => detection.div_ceil(fewer) - 1,
            };
            let high = high.min(max_interval);
            (low <= high).then_some((low, high))
        })
    }

    /// Returns η_max = min(γ·T_M^U, D) with γ = (1 − p)·D²/(V + D²).
    fn max_interval(&self) -> u64 {
        let squared = float(self.detection) * float(self.detection);
        let gamma = (1.0 - self.loss) * squared / (self.variance + squared);
        truncate(gamma * self.mistake).min(self.detection)
    }

    /// Returns f(η), the T_MR that is certain at this interval, in nanoseconds:
    /// f(η) = η·∏ (V + (D − jη)²)/(V + p(D − jη)²), over j from 1 to ⌈D/η⌉ − 1.
    pub(super) fn recurrence_time(&self, interval: u64) -> f64 {
        let mut product = float(interval);
        let mut left = self.detection.saturating_sub(interval);
        while left > 0 {
            let squared = float(left) * float(left);
            // Without variance and loss, no heartbeat is ever missed.
            product *= (self.variance + squared) / (self.variance + self.loss * squared);
            left = left.saturating_sub(interval);
        }
        product
    }
}

/// Returns some intervals of a range, from its upper end down to its lower one.
fn samples(low: u64, high: u64) -> impl Iterator<Item = u64> {
    let step = ((high - low) / SAMPLES).max(1);
    let below = (1..=SAMPLES).map(move |i| high.saturating_sub(i * step)).filter(move |&s| s > low);
    core::iter::once(high).chain(below).chain((low < high).then_some(low))
}

#[expect(clippy::cast_precision_loss, reason = "durations of 39 hours at most are exact")]
fn float(nanos: u64) -> f64 {
    nanos as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn truncate(nanos: f64) -> u64 {
    nanos as u64
}

/// The most heartbeats in a detection time.
pub(super) const MAX_BEATS: u64 = 1000;

/// How many intervals of a range are tried.
const SAMPLES: u64 = 8;

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    /// Looks at every single interval.
    fn exhaustive(problem: &Problem) -> Option<u64> {
        let max = problem.max_interval();
        (problem.min_interval..=max)
            .rev()
            .find(|&interval| problem.recurrence_time(interval) >= problem.recurrence)
    }

    quickcheck! {
        fn the_largest_interval_is_found(
            detection: u16, recurrence: u32, mistake: u16, loss: u8, deviation: u8
        ) -> bool {
            let detection = u64::from(detection % 3000) + 10;
            let deviation = f64::from(deviation) / 8.0;
            let problem = Problem {
                detection,
                recurrence: f64::from(recurrence),
                mistake: f64::from(mistake) * 4.0,
                min_interval: detection.div_ceil(20),
                loss: f64::from(loss % 100) / 100.0,
                variance: deviation * deviation,
            };
            let found = problem.largest_interval();
            let best = exhaustive(&problem);
            // What is found always meets the contract. A peak between samples may be passed over, but
            // not one at the end of a range.
            found.is_none_or(|found| {
                problem.recurrence_time(found) >= problem.recurrence && Some(found) <= best
            }) && (problem.variance > 0.0 || found == best)
                && (found.is_some() || best.is_none() || problem.variance > 0.0)
        }
    }

    #[test]
    fn a_whole_number_of_intervals_has_no_phantom_heartbeat() {
        // f at D/2 is η/p, not η/p²; at D it is η.
        let problem = Problem {
            detection: 1_000_000_000,
            recurrence: 49.7e9,
            mistake: f64::INFINITY,
            min_interval: 1_000_000,
            loss: 0.01,
            variance: 0.0,
        };
        assert_eq!(problem.recurrence_time(1_000_000_000), 1e9);
        assert_eq!(problem.recurrence_time(500_000_000), 0.5e9 / 0.01);
        assert_eq!(problem.largest_interval(), Some(999_999_999));
    }
}
