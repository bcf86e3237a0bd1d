use core::time::Duration;

use surmise_time::Instant;

use crate::{
    Beat, ConfigError, FailureDetector,
    arrivals::{Arrival, Arrivals, Learner},
    error, float,
    limits::{MAX_DURATION, MIN_DURATION},
};

/// Keeps the share of heartbeats that are suspected wrongly at a given rate, whatever the network does.
///
/// The margin beyond the interval is a multiple e^l of it. Every mistake widens it, every punctual
/// heartbeat narrows it a little, so that in the long run ε of the heartbeats come too late:
///
/// > l ← clamp(l + γ·(\[A > D\] − ε), ln 1e-5, ln 100),  D = A + η·(1 + e^l)
///
/// This is adaptive conformal inference (Gibbs, Candès, *Adaptive conformal inference under distribution
/// shift*, NeurIPS 2021) applied to the logarithm of the margin. Its one parameter means what it says:
/// at one heartbeat every η, "one mistake every M" is ε = η/M, or
/// [`RateTargetConfig::for_recurrence`].
///
/// # What is promised
///
/// On *any* sequence of arrivals, the first n heartbeats contain at most
///
/// > ε·n + ln(m_max/m₀)/γ + 1
///
/// mistakes, as long as the margin stays below its cap m_max = 100 intervals, counting the mistake that
/// takes it there; m₀ = 0.05 is where it starts. No assumption of independence or of any distribution is
/// made.
///
/// *Proof.* While the cap is not reached, a mistake adds γ·(1 − ε) to l and any other heartbeat takes
/// away at most γ·ε, so M mistakes in n heartbeats leave l ≥ ln m₀ + γ·(M − ε·n). Before the mistake
/// that reaches the cap, l < ln m_max, so M − 1 < ε·n + ln(m_max/m₀)/γ. ∎
///
/// A silence of more than 101 intervals is a mistake under any margin. A restarted peer is one, too,
/// unless it is [reported](FailureDetector::restart).
///
/// # What it costs
///
/// The deadline oscillates: it probes towards the network's limit all the time, and every probe that
/// goes too far is a mistake. A smaller γ is calmer and slower to adapt. 56 bytes; O(1), with one
/// exponential a heartbeat.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{FailureDetector, RateTarget, RateTargetConfig};
/// use surmise_time::Instant;
///
/// // One wrong suspicion in a thousand heartbeats.
/// let config = RateTargetConfig::for_rate(Duration::from_millis(100), 1e-3);
/// let mut peer = RateTarget::new(config)?;
/// peer.heartbeat(1, Instant::ORIGIN);
/// assert_eq!(peer.deadline(), Some(Instant::ORIGIN + Duration::from_millis(105)));
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RateTarget {
    arrivals: Arrivals,
    interval: f64,
    rate: f64,
    gain: f64,
    ln_margin: f64,
}

/// How a [`RateTarget`] detector is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct RateTargetConfig {
    /// η, the interval at which the peer sends. From 1 ns to 39 hours.
    pub interval: Duration,
    /// ε, the share of heartbeats that may be suspected wrongly, from 1e-12 to 0.5. Higher means faster
    /// and more mistakes.
    pub rate: f64,
    /// γ, by how much a mistake widens the logarithm of the margin, from 0.001 to 10. At 1 the rate is
    /// kept most closely; 0.3 to 0.5 gives calmer deadlines.
    pub gain: f64,
}

impl RateTargetConfig {
    /// Returns a configuration for heartbeats at this interval, of which a share `rate` may be suspected
    /// wrongly, with γ = 1.
    #[must_use]
    pub const fn for_rate(interval: Duration, rate: f64) -> Self {
        Self { interval, rate, gain: 1.0 }
    }

    /// Returns a configuration for heartbeats at this interval, with one mistake in each `recurrence`
    /// on average: ε = η/M.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use surmise_detector::RateTargetConfig;
    ///
    /// let hour = Duration::from_secs(3600);
    /// let config = RateTargetConfig::for_recurrence(Duration::from_secs(1), hour);
    /// assert_eq!(config.rate, 1.0 / 3600.0);
    /// ```
    #[must_use]
    pub fn for_recurrence(interval: Duration, recurrence: Duration) -> Self {
        Self::for_rate(interval, interval.as_secs_f64() / recurrence.as_secs_f64())
    }
}

impl RateTarget {
    /// m₀, the margin that a detector starts with, in intervals.
    pub const INITIAL_MARGIN: f64 = 0.05;

    /// The margin's floor, in intervals.
    pub const MIN_MARGIN: f64 = 1e-5;

    /// m_max, the margin's cap, in intervals.
    pub const MAX_MARGIN: f64 = 100.0;

    /// Creates a detector.
    ///
    /// # Errors
    ///
    /// If a field of the configuration is out of its range.
    pub fn new(config: RateTargetConfig) -> Result<Self, ConfigError> {
        let interval = error::duration("interval", config.interval, MIN_DURATION, MAX_DURATION)?;
        Ok(Self {
            arrivals: Arrivals::NONE,
            interval: float::from_nanos(interval),
            rate: error::number("rate", config.rate, 1e-12, 0.5)?,
            gain: error::number("gain", config.gain, 0.001, 10.0)?,
            ln_margin: LN_INITIAL_MARGIN,
        })
    }

    /// Returns the margin beyond the interval, in intervals.
    #[must_use]
    pub fn margin(&self) -> f64 {
        libm::exp(self.ln_margin)
    }
}

impl FailureDetector for RateTarget {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in(sequence, now)
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.take_in_queued(sequence, now)
    }

    fn restart(&mut self) {
        self.arrivals.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        self.arrivals.deadline()
    }
}

impl Learner for RateTarget {
    #[inline]
    fn arrivals(&mut self) -> &mut Arrivals {
        &mut self.arrivals
    }

    #[inline]
    fn learn(&mut self, arrival: &Arrival) {
        if let Some(step) = arrival.step {
            let mistake = f64::from(u8::from(step.is_late()));
            let moved = self.ln_margin + self.gain * (mistake - self.rate);
            self.ln_margin = moved.clamp(LN_MIN_MARGIN, LN_MAX_MARGIN);
        }
    }

    #[inline]
    fn patience(&self) -> u64 {
        float::to_nanos(self.interval * (1.0 + self.margin()))
    }
}

/// ln 0.05
const LN_INITIAL_MARGIN: f64 = -2.995_732_273_553_991;

/// ln 1e-5
const LN_MIN_MARGIN: f64 = -11.512_925_464_970_229;

/// ln 100
const LN_MAX_MARGIN: f64 = 4.605_170_185_988_092;

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    const INTERVAL: u64 = 1_000_000;

    fn detector(rate: f64, gain: f64) -> RateTarget {
        let interval = Duration::from_nanos(INTERVAL);
        RateTarget::new(RateTargetConfig { interval, rate, gain }).unwrap()
    }

    /// Plays arrivals, each told by a closure that knows how long the detector will wait, and checks the
    /// bound after every one, up to and including the one that takes the margin to its cap.
    fn bound_holds(
        (rate, gain): (f64, f64),
        arrivals: usize,
        mut interval: impl FnMut(usize, u64) -> u64,
    ) -> bool {
        let mut peer = detector(rate, gain);
        let mut now = Instant::ORIGIN;
        peer.heartbeat(0, now);
        let slack = (RateTarget::MAX_MARGIN / RateTarget::INITIAL_MARGIN).ln() / gain + 1.0;
        let mut mistakes = 0.0;
        for n in 1..=arrivals {
            let allowed = peer.deadline().unwrap().as_nanos() - now.as_nanos();
            now += Duration::from_nanos(interval(n, allowed));
            if peer.heartbeat(n as u64, now) == (Beat::Fresh { lost: 0, suspected: true }) {
                mistakes += 1.0;
            }
            if mistakes > rate * n as f64 + slack {
                return false;
            }
            if peer.ln_margin >= LN_MAX_MARGIN {
                break;
            }
        }
        true
    }

    fn knobs(rate: u16, gain: u8) -> (f64, f64) {
        (0.5 / f64::from(rate.max(1)), f64::from(gain.max(1)) / 100.0)
    }

    quickcheck! {
        fn mistakes_are_bounded_on_any_arrivals(rate: u16, gain: u8, intervals: Vec<u32>) -> bool {
            bound_holds(knobs(rate, gain), intervals.len(), |n, _| {
                u64::from(intervals[n - 1]) % (120 * INTERVAL)
            })
        }

        fn mistakes_are_bounded_on_arrivals_that_know_the_deadline(
            rate: u16, gain: u8, late: Vec<bool>
        ) -> bool {
            // The worst adversary: just too late, or at once.
            bound_holds(knobs(rate, gain), late.len(), |n, allowed| {
                if late[n - 1] { allowed + 1 } else { 0 }
            })
        }
    }

    #[test]
    fn mistakes_are_bounded_when_every_heartbeat_is_late() {
        for gain in [0.01, 0.3, 1.0, 3.0] {
            assert!(bound_holds((1e-3, gain), 10_000, |_, allowed| allowed + 1));
        }
    }

    #[test]
    fn the_bound_is_tight() {
        // From the start to the cap, all but one of the mistakes that the bound allows can be made.
        let mut peer = detector(1e-9, 0.5);
        let mut now = Instant::ORIGIN;
        peer.heartbeat(0, now);
        let mut mistakes = 0;
        while peer.ln_margin < LN_MAX_MARGIN {
            now = peer.deadline().unwrap() + Duration::from_nanos(1);
            mistakes += 1;
            peer.heartbeat(mistakes, now);
        }
        let bound = (RateTarget::MAX_MARGIN / RateTarget::INITIAL_MARGIN).ln() / 0.5 + 1.0;
        assert!(mistakes as f64 <= bound && mistakes as f64 > bound - 1.0);
    }

    #[test]
    fn the_rate_is_kept_on_a_jittery_network() {
        let mut peer = detector(0.01, 1.0);
        let (mut now, mut state, mut mistakes) = (Instant::ORIGIN, 1_u64, 0);
        for n in 0..100_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += Duration::from_nanos(INTERVAL / 2 + (state >> 33) % INTERVAL);
            if let Beat::Fresh { suspected: true, .. } = peer.heartbeat(n, now) {
                mistakes += 1;
            }
        }
        assert!((900..=1100).contains(&mistakes), "{mistakes} mistakes");
    }

    #[test]
    fn constants_are_the_logarithms_they_are_named_after() {
        assert_eq!(LN_INITIAL_MARGIN, libm::log(RateTarget::INITIAL_MARGIN));
        assert_eq!(LN_MIN_MARGIN, libm::log(RateTarget::MIN_MARGIN));
        assert_eq!(LN_MAX_MARGIN, libm::log(RateTarget::MAX_MARGIN));
    }

    #[test]
    fn the_margin_stays_between_its_floor_and_its_cap() {
        let mut peer = detector(0.5, 10.0);
        peer.heartbeat(0, Instant::ORIGIN);
        for sequence in 1..100 {
            peer.heartbeat(sequence, Instant::ORIGIN);
        }
        assert!((peer.margin() / RateTarget::MIN_MARGIN - 1.0).abs() < 1e-12);
        for sequence in 100..200 {
            let late = peer.deadline().unwrap() + Duration::from_nanos(1);
            peer.heartbeat(sequence, late);
        }
        assert!((peer.margin() / RateTarget::MAX_MARGIN - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_reported_restart_is_no_mistake() {
        let mut peer = detector(0.01, 1.0);
        peer.heartbeat(5, Instant::ORIGIN);
        let margin = peer.margin();
        peer.restart();
        peer.heartbeat(0, Instant::ORIGIN + Duration::from_secs(60));
        assert_eq!(peer.margin(), margin);
    }
}
