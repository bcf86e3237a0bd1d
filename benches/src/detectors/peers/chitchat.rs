use core::time::Duration;

use surmise_detector::Verdict;
use surmise_time::Instant;

use super::{THRESHOLD, WINDOW};
use crate::{
    Origin,
    detectors::{AccrualContender, Contender},
};

/// The detector of chitchat 0.13, whose own type is private: φ = t / ((Σx + w·prior)/(n + w)), with a
/// running sum over a boxed ring of floats.
///
/// Written from its formula and its defaults: 1000 intervals, a prior of 5 s with weight 5, intervals
/// above 10 s dropped.
#[derive(Clone, Debug)]
pub struct Chitchat {
    intervals: Box<[f64]>,
    next: usize,
    full: bool,
    sum: f64,
    last: Option<Instant>,
}

impl Chitchat {
    /// Creates a detector that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        let intervals = vec![0.0; WINDOW].into_boxed_slice();
        Self { intervals, next: 0, full: false, sum: 0.0, last: None }
    }

    #[inline]
    fn record(&mut self, interval: f64) {
        let Some(slot) = self.intervals.get_mut(self.next) else {
            return;
        };
        if self.full {
            self.sum -= *slot;
        }
        *slot = interval;
        self.sum += interval;
        if self.next == WINDOW - 1 {
            self.full = true;
            self.next = 0;
        } else {
            self.next += 1;
        }
    }
}

impl Default for Chitchat {
    fn default() -> Self {
        Self::new()
    }
}

impl Contender for Chitchat {
    const ORIGIN: Origin = Origin::Peer;

    type Beat = ();

    #[inline]
    fn heartbeat(&mut self, _sequence: u64, now: Instant) {
        if let Some(last) = self.last {
            let interval = now - last;
            if interval <= MAX_INTERVAL {
                self.record(interval.as_secs_f64());
            }
        }
        self.last = Some(now);
    }

    #[inline]
    fn verdict(&self, now: Instant) -> Verdict {
        if self.last.is_none() {
            Verdict::Unknown
        } else if self.suspicion_level(now) <= THRESHOLD {
            Verdict::Trust
        } else {
            Verdict::Suspect
        }
    }
}

impl AccrualContender for Chitchat {
    #[inline]
    fn suspicion_level(&self, now: Instant) -> f64 {
        let Some(last) = self.last else {
            return 0.0;
        };
        let len = if self.full { WINDOW } else { self.next };
        #[expect(clippy::cast_precision_loss, reason = "at most the length of the window")]
        let n = len as f64;
        let mean = (self.sum + PRIOR_WEIGHT * PRIOR_SECONDS) / (n + PRIOR_WEIGHT);
        (now - last).as_secs_f64() / mean
    }
}

const MAX_INTERVAL: Duration = Duration::from_secs(10);
const PRIOR_SECONDS: f64 = 5.0;
const PRIOR_WEIGHT: f64 = 5.0;
