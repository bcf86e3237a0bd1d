use core::{mem, time::Duration};

use hdrhistogram::{CreationError, Histogram};
use surmise_time::Instant;

use super::{Attempt, Estimator};
use crate::timeouts::config;

/// What tower 0.5 goes by to send hedges, taken for a timeout: a histogram is filled for a minute and read
/// during the next, in milliseconds rounded up, with three digits. Only what is answered is recorded.
///
/// Written from its source, where it is private.
pub(super) struct Rolling {
    read: Histogram<u64>,
    write: Histogram<u64>,
    rotated: Instant,
}

impl Rolling {
    const PERIOD: Duration = Duration::from_secs(60);

    /// With fewer, tower sends no hedges, and this waits for as long as it may.
    const MIN_DATA_POINTS: u64 = 100;

    pub(super) fn new() -> Result<Self, CreationError> {
        Ok(Self { read: Histogram::new(3)?, write: Histogram::new(3)?, rotated: Instant::ORIGIN })
    }

    fn rotate(&mut self, now: Instant) {
        while now - self.rotated >= Self::PERIOD {
            mem::swap(&mut self.read, &mut self.write);
            self.write.clear();
            self.rotated += Self::PERIOD;
        }
    }
}

impl Estimator for Rolling {
    fn wait(&mut self, _: u64, now: Instant) -> Duration {
        self.rotate(now);
        if self.read.len() < Self::MIN_DATA_POINTS {
            return config().ceiling;
        }
        Duration::from_millis(self.read.value_at_quantile(0.99))
    }

    fn record(&mut self, attempt: Attempt, now: Instant) {
        self.rotate(now);
        if attempt.is_answered() {
            let millis =
                u64::try_from(attempt.took.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
            self.write.saturating_record(millis);
        }
    }
}
