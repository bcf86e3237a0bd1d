use core::time::Duration;

use super::RttError;
use crate::duration::nanos_up_to;

/// How to come from round-trip times to a probe timeout.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::rtt::QuicRttConfig;
///
/// // The other side says how long it delays acknowledgements at most, and the path was used before.
/// let config = QuicRttConfig {
///     max_ack_delay: Duration::from_millis(5),
///     initial_rtt: Duration::from_millis(40),
///     ..QuicRttConfig::default()
/// };
/// assert_eq!(config.granularity, Duration::from_millis(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct QuicRttConfig {
    /// The round-trip time before the first is known, more than zero: 333 ms by default (kInitialRtt).
    pub initial_rtt: Duration,
    /// What timers tell apart, more than zero: 1 ms by default (kGranularity). The timeout exceeds the smoothed
    /// round-trip time by at least that.
    pub granularity: Duration,
    /// How long the other side delays acknowledgements at most: 25 ms by default. It is a part of the timeout
    /// once the handshake is confirmed.
    pub max_ack_delay: Duration,
}

/// What RFC 9002 recommends, and the delay that RFC 9000 assumes if the other side says nothing.
impl Default for QuicRttConfig {
    fn default() -> Self {
        Self {
            initial_rtt: Duration::from_millis(333),
            granularity: Duration::from_millis(1),
            max_ack_delay: Duration::from_millis(25),
        }
    }
}

/// QUIC's probe timeout, from round-trip times without what the other side says it waited.
///
/// This is section 5 and 6.2.1 of Iyengar and Swett, "QUIC Loss Detection and Congestion Control", [RFC 9002], 2021,
/// in whole nanoseconds and rounded down at each step, as its implementations do. Durations of more than 2³¹ s,
/// which is 68 years, count as that.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::rtt::{QuicRtt, QuicRttConfig, RttError};
///
/// let millis = Duration::from_millis;
/// let mut rtt = QuicRtt::new(QuicRttConfig::default())?;
/// rtt.update(millis(80), Duration::ZERO);
/// rtt.confirm_handshake();
/// assert_eq!(rtt.pto(), millis(80 + 4 * 40 + 25));
///
/// // This one took 96 ms, of which the other side had it lie for 16.
/// rtt.update(millis(96), millis(16));
/// assert_eq!((rtt.smoothed_rtt(), rtt.rttvar()), (millis(80), millis(30)));
///
/// rtt.timed_out();
/// assert_eq!(rtt.pto(), 2 * millis(80 + 4 * 30 + 25));
/// rtt.acknowledged();
/// assert_eq!(rtt.pto(), millis(80 + 4 * 30 + 25));
/// # Ok::<(), RttError>(())
/// ```
///
/// [RFC 9002]: https://www.rfc-editor.org/rfc/rfc9002
#[derive(Clone, Debug)]
pub struct QuicRtt {
    smoothed: u64,
    rttvar: u64,
    latest: u64,
    min: u64,
    granularity: u64,
    max_ack_delay: u64,
    /// What of acknowledgement delays is believed, and what the timeout allows for them.
    believed: u64,
    allowed: u64,
    /// How many timeouts have passed in a row.
    timeouts: u32,
    has_sample: bool,
}

impl QuicRtt {
    /// Creates an estimator that goes by the initial round-trip time, for a handshake that is to come.
    ///
    /// # Errors
    ///
    /// If the granularity or the initial round-trip time is zero.
    pub fn new(config: QuicRttConfig) -> Result<Self, RttError> {
        if config.granularity.is_zero() {
            return Err(RttError::ZeroGranularity);
        }
        if config.initial_rtt.is_zero() {
            return Err(RttError::ZeroInitialRtt);
        }
        let initial = limited(config.initial_rtt);
        Ok(Self {
            smoothed: initial,
            rttvar: initial / 2,
            latest: 0,
            min: 0,
            granularity: limited(config.granularity),
            max_ack_delay: limited(config.max_ack_delay),
            believed: u64::MAX,
            allowed: 0,
            timeouts: 0,
            has_sample: false,
        })
    }

    /// Takes in a round-trip time, and for how much of it the other side says that it delayed its acknowledgement.
    ///
    /// It is the time since the largest packet was sent that is newly acknowledged, if any of those elicits
    /// acknowledgements. Packets are never sent twice under one number, so that it is never ambiguous. For
    /// Initial packets the delay is zero, whatever the acknowledgement says.
    ///
    /// No more of the delay is believed than the round trip exceeds the shortest that was seen, or the other side
    /// could make it seem shorter than the path is; and of the first, nothing.
    #[inline]
    pub fn update(&mut self, latest: Duration, ack_delay: Duration) {
        let latest = limited(latest);
        self.latest = latest;
        if !self.has_sample {
            return self.begin();
        }
        self.min = self.min.min(latest);
        let delay = limited(ack_delay).min(self.believed);
        let adjusted = if latest - self.min >= delay { latest - delay } else { latest };
        let deviation = self.smoothed.abs_diff(adjusted);
        self.rttvar = (3 * self.rttvar + deviation) / 4;
        self.smoothed = (7 * self.smoothed + adjusted) / 8;
    }

    /// Doubles the timeout, because it passed without an acknowledgement.
    pub const fn timed_out(&mut self) {
        self.timeouts = self.timeouts.saturating_add(1);
    }

    /// Ends the doubling, because something was acknowledged that had not been before.
    ///
    /// That is apart from [`update`](Self::update) because not every acknowledgement has a round-trip time, and because
    /// a client that does not know whether the server takes its address for valid leaves the doubling as it is.
    pub const fn acknowledged(&mut self) {
        self.timeouts = 0;
    }

    /// Makes the other side's greatest delay count, because the handshake is confirmed.
    ///
    /// From here on the timeout is that of application data, which the other side may acknowledge late by that, and
    /// no greater delay is believed.
    pub const fn confirm_handshake(&mut self) {
        (self.believed, self.allowed) = (self.max_ack_delay, self.max_ack_delay);
    }

    /// Forgets round trips that were shorter than the latest, as is due after persistent congestion: the path
    /// may be another.
    pub const fn restart_min_rtt(&mut self) {
        self.min = self.latest;
    }

    /// Returns the probe timeout, doubled for each that passed without an acknowledgement; it saturates.
    #[must_use]
    #[inline]
    pub fn pto(&self) -> Duration {
        let mut pto = self.smoothed + self.granularity.max(4 * self.rttvar) + self.allowed;
        if self.timeouts > 0 {
            pto = pto.saturating_mul(1_u64.checked_shl(self.timeouts).unwrap_or(u64::MAX));
        }
        Duration::from_nanos(pto)
    }

    /// Returns the newest round-trip time, with the delay of its acknowledgement, once there is one.
    #[must_use]
    pub fn latest_rtt(&self) -> Option<Duration> {
        self.has_sample.then(|| Duration::from_nanos(self.latest))
    }

    /// Returns the shortest round-trip time, with the delay of its acknowledgement, once there is one.
    #[must_use]
    pub fn min_rtt(&self) -> Option<Duration> {
        self.has_sample.then(|| Duration::from_nanos(self.min))
    }

    /// Returns the smoothed round-trip time, which is the initial one before the first.
    #[must_use]
    pub const fn smoothed_rtt(&self) -> Duration {
        Duration::from_nanos(self.smoothed)
    }

    /// Returns how much round-trip times vary, which is half the initial one before the first.
    #[must_use]
    pub const fn rttvar(&self) -> Duration {
        Duration::from_nanos(self.rttvar)
    }

    #[cold]
    const fn begin(&mut self) {
        (self.min, self.smoothed, self.rttvar) = (self.latest, self.latest, self.latest / 2);
        self.has_sample = true;
    }
}

/// The longest duration: seven times as much, and one more, still fits.
const LONGEST_SECONDS: u64 = 1 << 31;

#[inline]
const fn limited(duration: Duration) -> u64 {
    nanos_up_to(duration, LONGEST_SECONDS)
}

#[cfg(test)]
mod tests;
