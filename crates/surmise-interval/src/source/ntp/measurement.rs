use core::time::Duration;

use surmise_time::Instant;

use super::{NtpConfig, Reply, ReplyError};
use crate::{
    Drift, Interval, Sample,
    source::{SourceError, Unsynchronized},
};

/// An exchange with a server: its reply, and when it was asked and replied on our monotonic clock.
///
/// With T₁ and T₄ the readings before the request was sent and after the reply came, and T₂ and T₃
/// the server's timestamps, δ = (T₄ − T₁) − (T₃ − T₂) is what the ways there and back took
/// together. At T₄, by the server's clock, the time was between T₃ and T₃ + δ; and by the true one,
/// within ε of the middle:
///
/// ε = δ/2 + root delay/2 + root dispersion + precisions + ρ·(T₄ − T₁)
///
/// # Negative delays
///
/// A δ below zero is impossible but for the clocks' rates and precisions. Within what these and the
/// server's own error account for, the time is between T₃ + δ and T₃, which makes the interval
/// wider, and not narrower, than if δ counted as zero. Beyond that it is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    reply: Reply,
    sent: Instant,
    received: Instant,
    config: NtpConfig,
}

impl Measurement {
    /// Creates a measurement from a reply, and readings of the monotonic clock before and after.
    ///
    /// The configuration's `drift` is all that is assumed of that clock: it has to cover what a
    /// daemon slews it by, which [`NtpSource`](super::NtpSource) adds by itself.
    ///
    /// # Errors
    ///
    /// If the server claims to have held the request for longer than we have waited.
    pub fn new(
        reply: Reply,
        sent: Instant,
        received: Instant,
        config: NtpConfig,
    ) -> Result<Self, ReplyError> {
        let measurement = Self { reply, sent, received, config };
        let missing = measurement.missing();
        if missing > measurement.error() {
            let value = u64::try_from(missing.as_nanos()).unwrap_or(u64::MAX);
            return Err(ReplyError::Malformed { what: "negative delay in nanoseconds", value });
        }
        Ok(measurement)
    }

    /// Returns what the server replied.
    #[must_use]
    pub const fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Returns what the ways there and back took together: δ, or zero if it is negative.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.round_trip().saturating_sub(self.reply.held())
    }

    /// Returns how far the middle of the interval can be from the truth: ε.
    #[must_use]
    pub fn uncertainty(&self) -> Duration {
        // One of the two is zero. What is odd is rounded up.
        let width = self.delay() + self.missing();
        ((width + NANOSECOND) / 2).saturating_add(self.error())
    }

    /// Returns the interval in which the time was when the reply came.
    ///
    /// Where a leap second is announced, it extends a second further to the side on which it falls.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let (transmitted, error) = (self.reply.transmit.wall_time(), self.error());
        let earliest = transmitted - self.missing() - error;
        let latest = transmitted + self.delay() + error;
        self.reply.leap.widen(Interval::from_ordered(earliest, latest))
    }

    /// Returns what the exchange says about the time.
    ///
    /// # Errors
    ///
    /// If the server is its own reference and the configuration does not allow that, or if the
    /// reference's age or the uncertainty exceeds the configuration's.
    pub fn sample(&self) -> Result<Sample, SourceError> {
        if self.reply.is_local_reference() && !self.config.trust_local_reference {
            return Err(Unsynchronized::LocalReference.into());
        }
        let (age, max) = (self.reply.reference_age(), self.config.max_reference_age);
        if let Some(age) = age.filter(|&age| age > max) {
            return Err(SourceError::Stale { age, max });
        }
        let (bound, max) = (self.uncertainty(), self.config.max_uncertainty);
        if bound > max {
            return Err(SourceError::Uncertain { bound, max });
        }
        Ok(Sample::new(self.interval(), self.received, self.config.drift))
    }

    /// Returns −δ, or zero if δ is not negative.
    fn missing(&self) -> Duration {
        self.reply.held().saturating_sub(self.round_trip())
    }

    fn round_trip(&self) -> Duration {
        self.received - self.sent
    }

    /// Returns all of ε but the delay.
    fn error(&self) -> Duration {
        // Both clocks may be wrong, and in opposite directions.
        let drift = self.config.drift.max(Drift::NTP).over(self.round_trip());
        let drift = drift.saturating_add(Drift::NTP.over(self.reply.held()));
        let root_delay = self.reply.root_delay.saturating_add(NANOSECOND) / 2;
        let parts = [
            root_delay,
            self.reply.root_dispersion,
            self.reply.clock_precision(),
            OWN_PRECISION,
            drift,
        ];
        parts.into_iter().fold(Duration::ZERO, Duration::saturating_add)
    }
}

const NANOSECOND: Duration = Duration::from_nanos(1);

/// Our clock is read to the nanosecond, and T₃ and T₃ − T₂ have been rounded down to that.
const OWN_PRECISION: Duration = Duration::from_nanos(3);

#[cfg(test)]
mod tests;
