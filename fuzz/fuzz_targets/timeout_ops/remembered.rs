//! The calls that a timeout of one owner goes by, as a list.

use core::time::Duration;
use std::collections::VecDeque;

use surmise_timeout::{AdaptiveTimeoutConfig, Outcome};

pub(crate) struct Remembered {
    floor: u64,
    /// How long an eighth of the age is, after which calls are forgotten.
    eighth: Option<u64>,
    calls: VecDeque<Call>,
    /// When time began, once that is known.
    began: Option<u64>,
    /// How many eighths have passed since.
    passed: u64,
}

struct Call {
    bucket: u64,
    is_answered: bool,
    /// In which eighth it was over.
    eighth: u64,
}

impl Remembered {
    /// Creates a list of no calls, for a configuration that is accepted.
    pub(crate) fn new(config: &AdaptiveTimeoutConfig) -> Self {
        Self {
            floor: nanos(config.floor),
            eighth: config.max_age.map(|max_age| nanos(max_age) / 8),
            calls: VecDeque::new(),
            began: None,
            passed: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Takes in how a call went, and returns whether that says anything.
    pub(crate) fn record(&mut self, outcome: Outcome) -> bool {
        let (nanos, is_answered) = match outcome {
            Outcome::Completed(took) => (nanos(took), true),
            // At the end of a bucket, it is as long as all that is in it.
            Outcome::TimedOut(waited) | Outcome::Cancelled(waited) => {
                (nanos(waited).saturating_sub(1), false)
            }
            Outcome::FailedFast => return false,
        };
        let bucket = bucket(self.floor, nanos);
        let is_answered_so_soon = |call: &Call| call.is_answered && call.bucket <= bucket;
        let is_cancelled = matches!(outcome, Outcome::Cancelled(_));
        if is_cancelled && !self.calls.iter().any(is_answered_so_soon) {
            return false;
        }
        if self.calls.len() == 1000 {
            self.calls.pop_front();
        }
        self.calls.push_back(Call { bucket, is_answered, eighth: self.passed });
        true
    }

    pub(crate) fn advance(&mut self, now: u64) {
        let Some(eighth) = self.eighth else { return };
        let began = *self.began.get_or_insert(now);
        self.passed = self.passed.max(now.saturating_sub(began) / eighth);
        while self.calls.front().is_some_and(|oldest| oldest.eighth + 8 <= self.passed) {
            self.calls.pop_front();
        }
    }
}

/// Returns which of 192 buckets a duration is in: eight to each power of two, from eight 32ths of the floor on.
fn bucket(floor: u64, nanos: u64) -> u64 {
    let units = nanos >> floor.ilog2().saturating_sub(5);
    let octave = u64::from(units.max(8).ilog2()) - 3;
    (8 * octave + (units >> octave)).min(191)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
