use core::time::Duration;

use super::RttError;
use crate::duration::{nanos, nanos_up_to};

/// How to come from round-trip times to a retransmission timeout.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::rtt::RttConfig;
///
/// // As RFC 6298 has it, but for the floor, which is far from what a data centre needs.
/// let config = RttConfig { min_rto: Duration::ZERO, ..RttConfig::default() };
/// assert_eq!(config.initial_rto, Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct RttConfig {
    /// What the clock and the timers tell apart, more than zero: 1 ms by default, and at most 100 ms is good. The
    /// timeout exceeds the smoothed round-trip time by at least that.
    pub granularity: Duration,
    /// The timeout before the first round-trip time: 1 s by default.
    pub initial_rto: Duration,
    /// The least timeout: 1 s by default, as the RFC says; zero is none. To lower it detects losses sooner, and
    /// sends again in vain when the other side delays its answers.
    pub min_rto: Duration,
    /// The greatest timeout, also when it was doubled: 60 s by default, and the RFC allows for no less.
    pub max_rto: Duration,
}

impl RttConfig {
    const LEAST_MAX: Duration = Duration::from_secs(60);

    fn check(&self) -> Result<(), RttError> {
        let Self { granularity, initial_rto: initial, min_rto: min, max_rto: max } = *self;
        if granularity.is_zero() {
            return Err(RttError::ZeroGranularity);
        }
        if max < Self::LEAST_MAX {
            return Err(RttError::TooShortMax { max });
        }
        if initial.is_zero() || initial < min || max < initial {
            return Err(RttError::InitialOutside { initial, min, max });
        }
        Ok(())
    }
}

/// What RFC 6298 says.
impl Default for RttConfig {
    fn default() -> Self {
        Self {
            granularity: Duration::from_millis(1),
            initial_rto: Duration::from_secs(1),
            min_rto: Duration::from_secs(1),
            max_rto: Self::LEAST_MAX,
        }
    }
}

/// TCP's retransmission timeout, from smoothed round-trip times and how much they vary.
///
/// This is Paxson, Allman, Chu and Sargent, "Computing TCP's Retransmission Timer", [RFC 6298], 2011, with Karn's
/// algorithm. What it says of SYN segments that were lost (5.7) is left to the transport.
///
/// # How exact it is
///
/// The state has 19 bits after the point of a nanosecond, and more where they are divided away, as in Jacobson's own
/// code. The results are those of exact fractions, rounded down, unless one of these is within a 30 000th of a
/// nanosecond of a whole number: then it may be one off. Round trips of more than 4398 s, which is 73 minutes, count
/// as that.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::rtt::{RttConfig, RttError, RttEstimator};
///
/// let millis = Duration::from_millis;
/// let mut estimator = RttEstimator::new(RttConfig { min_rto: millis(5), ..Default::default() })?;
/// estimator.update(millis(80), 1);
/// assert_eq!(estimator.rto(), millis(80 + 4 * 40));
///
/// // It was lost, sent again, and answered. Which of the two the answer is to, nobody knows.
/// estimator.timed_out();
/// assert!(!estimator.update(millis(300), 2));
/// assert_eq!(estimator.rto(), millis(2 * (80 + 4 * 40)));
///
/// // The next goes well.
/// assert!(estimator.update(millis(80), 1));
/// assert_eq!(estimator.rto(), millis(80 + 4 * 30));
/// # Ok::<(), RttError>(())
/// ```
///
/// [RFC 6298]: https://www.rfc-editor.org/rfc/rfc6298
#[derive(Clone, Debug)]
pub struct RttEstimator {
    /// Eight times the smoothed round-trip time, in nanoseconds with [`POINT`] bits after the point as the next two.
    srtt8: u64,
    /// Four times the variation.
    rttvar4: u64,
    granularity: u64,
    rto: u64,
    min_rto: u64,
    max_rto: u64,
    has_sample: bool,
}

impl RttEstimator {
    /// Creates an estimator that goes by the initial timeout.
    ///
    /// # Errors
    ///
    /// If the granularity or the initial timeout is zero, if the latter is not between the least and the greatest,
    /// or if the greatest is less than 60 s.
    pub fn new(config: RttConfig) -> Result<Self, RttError> {
        config.check()?;
        Ok(Self {
            srtt8: 0,
            rttvar4: 0,
            granularity: fixed(config.granularity),
            rto: nanos(config.initial_rto),
            min_rto: nanos(config.min_rto),
            max_rto: nanos(config.max_rto),
            has_sample: false,
        })
    }

    /// Takes in how long the answer to a message took that was sent so many times, and says whether it counts.
    ///
    /// The answer to what was sent more than once may be to any of these, so that it says nothing: it is left out,
    /// and the timeout stays as it was backed off, until a message is answered that was sent once (Karn's
    /// algorithm). If the answer says which one it is to, as TCP's timestamps do, pass 1 and the time since then.
    #[inline]
    pub fn update(&mut self, rtt: Duration, transmissions: u32) -> bool {
        if transmissions != 1 {
            return false;
        }
        let rtt = fixed(rtt);
        if self.has_sample {
            // In this order: the deviation is from what was smoothed before (2.3).
            let deviation = (self.srtt8 >> 3).abs_diff(rtt);
            self.rttvar4 = self.rttvar4 - (self.rttvar4 >> 2) + deviation;
            // What is divided away is rounded up, so that a mean below what it approaches stays below.
            self.srtt8 = self.srtt8 - ((self.srtt8 + 7) >> 3) + rtt;
        } else {
            (self.srtt8, self.rttvar4) = (8 * rtt, 2 * rtt);
            self.has_sample = true;
        }
        let rto = ((self.srtt8 >> 3) + self.granularity.max(self.rttvar4)) >> POINT;
        // Not `clamp`, which would check the limits each time.
        self.rto = rto.max(self.min_rto).min(self.max_rto);
        true
    }

    /// Doubles the timeout, because it passed without an answer (5.5).
    pub fn timed_out(&mut self) {
        self.rto = self.rto.saturating_mul(2).min(self.max_rto);
    }

    /// Returns the retransmission timeout.
    #[must_use]
    #[inline]
    pub const fn rto(&self) -> Duration {
        Duration::from_nanos(self.rto)
    }

    /// Returns the smoothed round-trip time, SRTT, once there is one.
    #[must_use]
    pub fn smoothed_rtt(&self) -> Option<Duration> {
        self.has_sample.then(|| whole(self.srtt8 >> 3))
    }

    /// Returns how much round-trip times vary, RTTVAR, once there is one.
    #[must_use]
    pub fn rttvar(&self) -> Option<Duration> {
        self.has_sample.then(|| whole(self.rttvar4 >> 2))
    }
}

/// How many bits there are after the point of a nanosecond.
const POINT: u32 = 19;

/// The longest round trip: eight times as much still fits.
const LONGEST_SECONDS: u64 = 4398;

#[inline]
const fn fixed(duration: Duration) -> u64 {
    nanos_up_to(duration, LONGEST_SECONDS) << POINT
}

const fn whole(fixed: u64) -> Duration {
    Duration::from_nanos(fixed >> POINT)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    /// The same in fractions that are never rounded: over `2 · 8ⁿ` after n + 1 round-trip times.
    #[derive(Default)]
    struct Exact {
        srtt: u128,
        rttvar: u128,
        denominator: u128,
    }

    impl Exact {
        fn update(&mut self, rtt: u64) {
            let rtt = u128::from(rtt);
            if self.denominator == 0 {
                *self = Self { srtt: 2 * rtt, rttvar: rtt, denominator: 2 };
                return;
            }
            let deviation = self.srtt.abs_diff(rtt * self.denominator);
            self.rttvar = 2 * (3 * self.rttvar + deviation);
            self.srtt = 7 * self.srtt + rtt * self.denominator;
            self.denominator *= 8;
        }

        fn agrees(&self, estimator: &RttEstimator) -> bool {
            let granularity = 1_000_000 * self.denominator;
            let exact = [self.srtt, self.rttvar, self.srtt + granularity.max(4 * self.rttvar)];
            let found = [estimator.smoothed_rtt(), estimator.rttvar(), Some(estimator.rto())];
            let tolerance = self.denominator / 30_000;
            exact.iter().zip(found).all(|(numerator, found)| {
                let limits = [numerator.saturating_sub(tolerance), numerator + tolerance];
                let [least, most] = limits.map(|numerator| numerator / self.denominator);
                (least..=most).contains(&found.unwrap().as_nanos())
            }) && self.is_near(estimator.srtt8, 8 * self.srtt)
                && self.is_near(estimator.rttvar4, 4 * self.rttvar)
        }

        /// Says whether what the estimator keeps is within a 30 000th of a nanosecond.
        fn is_near(&self, fixed: u64, numerator: u128) -> bool {
            let difference = (u128::from(fixed) * self.denominator).abs_diff(numerator << POINT);
            difference <= (self.denominator << POINT) / 30_000
        }
    }

    fn without_floor() -> RttConfig {
        RttConfig { min_rto: Duration::ZERO, max_rto: Duration::MAX, ..RttConfig::default() }
    }

    quickcheck! {
        fn it_agrees_with_exact_fractions(rtts: Vec<(u32, bool)>) -> bool {
            let mut estimator = RttEstimator::new(without_floor()).unwrap();
            let mut exact = Exact::default();
            rtts.iter().take(24).all(|&(rtt, is_short)| {
                let rtt = u64::from(if is_short { rtt % 4_000_000 } else { rtt });
                exact.update(rtt);
                estimator.update(Duration::from_nanos(rtt), 1) && exact.agrees(&estimator)
            })
        }

        fn a_timeout_is_within_its_limits(min: u32, steps: Vec<(u64, u8)>) -> bool {
            let min_rto = Duration::from_nanos(min.into());
            let config = RttConfig { min_rto, initial_rto: Duration::from_secs(5), ..Default::default() };
            let mut estimator = RttEstimator::new(config).unwrap();
            steps.iter().all(|&(rtt, step)| {
                let before = estimator.rto();
                match step % 3 {
                    0 => estimator.timed_out(),
                    transmissions => {
                        estimator.update(Duration::from_nanos(rtt), transmissions.into());
                    }
                }
                let rto = estimator.rto();
                (min_rto..=config.max_rto).contains(&rto)
                    && (step % 3 != 0 || rto == (2 * before).min(config.max_rto))
                    && (step % 3 != 2 || rto == before)
            })
        }
    }

    #[test]
    fn the_longest_round_trips_saturate() {
        let mut estimator = RttEstimator::new(without_floor()).unwrap();
        let longest = Duration::from_secs(LONGEST_SECONDS);
        estimator.update(Duration::MAX, 1);
        assert_eq!(estimator.rto(), 3 * longest);
        for i in 0..1000 {
            let rtt = if i % 7 < 4 { Duration::MAX } else { Duration::ZERO };
            assert!(estimator.update(rtt, 1));
            assert!(estimator.smoothed_rtt() <= Some(longest));
            assert!(estimator.rttvar() <= Some(longest));
        }
        for _ in 0..100 {
            estimator.timed_out();
        }
        assert_eq!(estimator.rto(), Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn a_mean_never_reaches_what_it_approaches_from_below() {
        let [most, nanosecond] = [80_000_000, 1].map(Duration::from_nanos);
        let mut estimator = RttEstimator::new(without_floor()).unwrap();
        estimator.update(Duration::ZERO, 1);
        (0..1000).for_each(|_| assert!(estimator.update(most, 1)));
        assert_eq!(estimator.smoothed_rtt(), Some(most - nanosecond));
        estimator.update(3 * most, 1);
        (0..1000).for_each(|_| assert!(estimator.update(most, 1)));
        assert_eq!(estimator.smoothed_rtt(), Some(most));
        assert_eq!(estimator.rttvar(), Some(Duration::ZERO));
    }

    #[test]
    fn what_was_never_sent_has_no_answer() {
        let mut estimator = RttEstimator::new(RttConfig::default()).unwrap();
        assert!(!estimator.update(Duration::from_secs(9), 0));
        assert!(!estimator.update(Duration::from_secs(9), u32::MAX));
        assert_eq!((estimator.smoothed_rtt(), estimator.rttvar()), (None, None));
        assert_eq!(estimator.rto(), Duration::from_secs(1));
    }

    #[test]
    fn what_cannot_be_met_is_refused() {
        let valid = RttConfig::default();
        let refused = |config| RttEstimator::new(config).unwrap_err();
        let granularity = Duration::ZERO;
        assert_eq!(refused(RttConfig { granularity, ..valid }), RttError::ZeroGranularity);
        let max = Duration::from_nanos(59_999_999_999);
        assert_eq!(refused(RttConfig { max_rto: max, ..valid }), RttError::TooShortMax { max });
        let [min, max] = [valid.min_rto, valid.max_rto];
        for initial in
            [Duration::ZERO, min - Duration::from_nanos(1), max + Duration::from_nanos(1)]
        {
            let error = RttError::InitialOutside { initial, min, max };
            assert_eq!(refused(RttConfig { initial_rto: initial, ..valid }), error);
        }
        let config = RttConfig { initial_rto: granularity, min_rto: granularity, ..valid };
        assert!(matches!(refused(config), RttError::InitialOutside { .. }));
        for initial_rto in [min, max] {
            assert!(RttEstimator::new(RttConfig { initial_rto, ..valid }).is_ok());
        }
    }
}
