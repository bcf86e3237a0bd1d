//! What a detector's deadlines were worth on one trace.

use super::{number::float, schedule::Scale};

/// The sums over the scored arrivals. They are integers, so nothing is lost before the last division.
#[derive(Clone, Debug)]
pub(crate) struct Quality {
    scale: Scale,
    scored: u64,
    first: Option<u64>,
    last: u64,
    detection_sum: i128,
    detection_max: i128,
    mistakes: u64,
    mistake_sum: i128,
}

impl Quality {
    pub(crate) fn new(scale: Scale) -> Self {
        Self {
            scale,
            scored: 0,
            first: None,
            last: 0,
            detection_sum: 0,
            detection_max: i128::MIN,
            mistakes: 0,
            mistake_sum: 0,
        }
    }

    /// Scores the arrival at `at`, after which the detector trusted its peer until `deadline`, and
    /// which was followed by an arrival at `next`.
    pub(crate) fn score(&mut self, at: u64, since: i128, deadline: u64, next: u64) {
        let detection = i128::from(deadline) - since;
        self.scored += 1;
        self.first.get_or_insert(at);
        self.last = next;
        self.detection_sum += detection;
        self.detection_max = self.detection_max.max(detection);
        if let Some(duration) = next.checked_sub(deadline).filter(|&duration| duration > 0) {
            self.mistakes += 1;
            self.mistake_sum += i128::from(duration);
        }
    }

    /// Returns how many arrivals were scored.
    pub(crate) fn scored(&self) -> u64 {
        self.scored
    }

    /// Returns how many of them were followed by a suspicion of the live peer.
    pub(crate) fn mistakes(&self) -> u64 {
        self.mistakes
    }

    /// Returns the mean time from the sending of a beat to its deadline, in seconds.
    pub(crate) fn detection_time(&self) -> f64 {
        self.scale.seconds(self.detection_sum) / float(i128::from(self.scored.max(1)))
    }

    /// Returns the longest time from the sending of a beat to its deadline, in seconds.
    pub(crate) fn detection_time_max(&self) -> f64 {
        if self.scored == 0 { 0.0 } else { self.scale.seconds(self.detection_max) }
    }

    /// Returns the mistakes per second.
    pub(crate) fn mistake_rate(&self) -> f64 {
        // A span of zero leaves no time to err in.
        if self.mistakes == 0 { 0.0 } else { float(self.mistakes.into()) / self.span() }
    }

    /// Returns the mean length of a mistake in seconds, or 0 if there were none.
    pub(crate) fn mistake_duration(&self) -> f64 {
        self.scale.seconds(self.mistake_sum) / float(i128::from(self.mistakes.max(1)))
    }

    /// Returns the share of the time in which the live peer was trusted.
    pub(crate) fn query_accuracy(&self) -> f64 {
        if self.mistakes == 0 {
            return 1.0;
        }
        // One subtraction of integers, so that an accuracy near zero keeps its digits.
        let trusted = i128::from(self.span_ticks()) - self.mistake_sum;
        float(trusted) / float(self.span_ticks().into())
    }

    /// Returns the scored seconds.
    pub(crate) fn span(&self) -> f64 {
        self.scale.seconds(self.span_ticks().into())
    }

    fn span_ticks(&self) -> u64 {
        self.last - self.first.unwrap_or(self.last)
    }
}
