use alloc::collections::VecDeque;

use surmise_detector::Verdict;
use surmise_time::Instant;

use super::{THRESHOLD, WINDOW};
use crate::{
    Origin,
    detectors::{AccrualContender, Contender, INTERVAL},
};

/// The φ accrual detector as one writes it down from the paper: a queue of intervals, whose mean and
/// standard deviation every query computes anew.
#[derive(Clone, Debug)]
pub struct Textbook {
    intervals: VecDeque<f64>,
    last: Option<Instant>,
}

impl Textbook {
    /// Creates a detector that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { intervals: VecDeque::with_capacity(WINDOW), last: None }
    }
}

impl Default for Textbook {
    fn default() -> Self {
        Self::new()
    }
}

impl Contender for Textbook {
    const ORIGIN: Origin = Origin::Peer;

    type Beat = ();

    #[inline]
    fn heartbeat(&mut self, _sequence: u64, now: Instant) {
        if let Some(last) = self.last {
            if self.intervals.len() == WINDOW {
                self.intervals.pop_front();
            }
            self.intervals.push_back((now - last).as_secs_f64());
        }
        self.last = Some(now);
    }

    #[inline]
    fn verdict(&self, now: Instant) -> Verdict {
        if self.last.is_none() {
            Verdict::Unknown
        } else if self.suspicion_level(now) < THRESHOLD {
            Verdict::Trust
        } else {
            Verdict::Suspect
        }
    }
}

impl AccrualContender for Textbook {
    #[inline]
    fn suspicion_level(&self, now: Instant) -> f64 {
        let Some(last) = self.last.filter(|_| !self.intervals.is_empty()) else {
            return 0.0;
        };
        #[expect(clippy::cast_precision_loss, reason = "a window of 2⁵³ would not fit any machine")]
        let n = self.intervals.len() as f64;
        let mean = self.intervals.iter().sum::<f64>() / n;
        let variance = self.intervals.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let deviation = variance.sqrt().max(0.1 * INTERVAL.as_secs_f64());
        let z = ((now - last).as_secs_f64() - mean) / deviation;
        // The logistic fit that Akka made popular.
        let e = (-z * (1.5976 + 0.070566 * z * z)).exp();
        if z > 0.0 { -(e / (1.0 + e)).log10() } else { -(1.0 - 1.0 / (1.0 + e)).log10() }
    }
}
