use core::{fmt, time::Duration};

use adaptive_timeout::{AdaptiveTimeout, Instant, LatencyTracker, ParseError, TimeoutConfig};

use super::P99;
use crate::{
    Origin,
    timeouts::{Call, Contender, TimeoutContender},
};

/// The crate `adaptive-timeout` 0.0.1-alpha.4, with one destination.
///
/// It remembers a minute, in ten parts. Only latencies can be recorded: of what timed out it is not told. But
/// it waits twice as long for each further attempt, and the call after one that timed out is taken for that.
pub struct AdaptiveTimeoutCrate {
    tracker: LatencyTracker<u32, At>,
    timeout: AdaptiveTimeout,
    attempt: u32,
    now: At,
}

impl AdaptiveTimeoutCrate {
    /// Creates one with the crate's defaults: twice the quantile 0.9999, and at least 250 ms.
    #[must_use]
    pub fn new() -> Self {
        Self::with(AdaptiveTimeout::default())
    }

    /// Creates one that is configured as ours are: p99 and no safety factor, between 1 ms and a minute.
    ///
    /// # Errors
    ///
    /// If the crate cannot read the limits.
    pub fn like_ours() -> Result<Self, ParseError> {
        let backoff = "1ms..60s".parse()?;
        let config = TimeoutConfig { backoff, quantile: P99, safety_factor: 1.0 };
        Ok(Self::with(AdaptiveTimeout::new(config)))
    }

    fn with(timeout: AdaptiveTimeout) -> Self {
        let now = At(surmise_time::Instant::ORIGIN);
        Self { tracker: LatencyTracker::default(), timeout, attempt: 1, now }
    }

    /// Returns the timeout of the next call, in milliseconds.
    #[inline]
    pub fn select(&mut self, now: surmise_time::Instant) -> u64 {
        self.timeout.select_timeout_ms(&mut self.tracker, &[DESTINATION], self.attempt, At(now))
    }

    /// Takes in that a call was answered.
    #[inline]
    pub fn answered(&mut self, millis: u64, at: surmise_time::Instant) {
        self.now = At(at);
        self.tracker.record_latency_ms(&DESTINATION, millis, self.now);
        self.attempt = 1;
    }

    /// Takes in that a call timed out.
    #[inline]
    pub fn timed_out(&mut self) {
        self.attempt += 1;
    }
}

impl Default for AdaptiveTimeoutCrate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AdaptiveTimeoutCrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveTimeoutCrate").finish_non_exhaustive()
    }
}

impl Contender for AdaptiveTimeoutCrate {
    const ORIGIN: Origin = Origin::Peer;

    type Input = (u64, surmise_time::Instant);

    type Reading = u64;

    fn input(call: Call) -> Self::Input {
        (u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX), call.at)
    }

    #[inline]
    fn record(&mut self, (millis, at): Self::Input) {
        self.answered(millis, at);
    }

    #[inline]
    fn read(&mut self) -> u64 {
        self.select(self.now.0)
    }

    fn duration(reading: u64) -> Duration {
        Duration::from_millis(reading)
    }
}

impl TimeoutContender for AdaptiveTimeoutCrate {
    #[inline]
    fn call(&mut self, (millis, at): Self::Input) -> bool {
        let is_given_up = millis >= self.select(at);
        if is_given_up {
            self.timed_out();
        } else {
            self.answered(millis, at);
        }
        is_given_up
    }
}

/// An instant as the crate takes it.
#[derive(Clone, Copy)]
struct At(surmise_time::Instant);

impl Instant for At {
    #[inline]
    fn duration_since(&self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }

    #[inline]
    fn add_duration(&self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

const DESTINATION: u32 = 1;
