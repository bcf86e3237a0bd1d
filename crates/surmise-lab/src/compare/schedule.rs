//! The sender's interval, as an exact fraction, and the unit of time in which a replay counts.

use core::cmp::Ordering;

use super::{
    catalogue::MAX_TICKS,
    number::{float, round},
};
use crate::trace::HeartbeatRecord;

/// The most ticks to a nanosecond. More would leave no room for configurations of some seconds.
const MAX_TICKS_PER_NANO: u64 = 512;

/// The unit of time in which a trace is replayed: detectors take its ticks for nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    ticks_per_nano: u64,
}

impl Scale {
    /// Returns the finest scale that leaves room for the whole `span` and for configurations as long as
    /// `longest`, both in nanoseconds; one that is exact for `interval` if there is such a one.
    ///
    /// Detectors keep time in whole ticks. The finer these are, the less is lost where a formula
    /// multiplies a small deviation by a large weight, or the interval by up to a thousand beats.
    pub(crate) fn for_trace(interval: Fraction, span: u64, longest: u64) -> Self {
        let fits = |ticks: &u64| {
            *ticks <= MAX_TICKS_PER_NANO
                && span.checked_mul(*ticks).is_some_and(|span| span <= 1 << 63)
                && longest.checked_mul(*ticks).is_some_and(|longest| longest <= MAX_TICKS)
        };
        let powers = || (0..=9).rev().map(|power| 1_u64 << power);
        let exact = |ticks| least_common_multiple(interval.denominator, ticks);
        let ticks_per_nano = powers().filter_map(exact).chain(powers()).find(fits);
        Self { ticks_per_nano: ticks_per_nano.unwrap_or(1) }
    }

    /// Returns the ticks in so many nanoseconds, saturating.
    pub(crate) fn ticks(self, nanos: u64) -> u64 {
        nanos.saturating_mul(self.ticks_per_nano)
    }

    /// Returns the ticks between two times that may lie before each other.
    pub(crate) fn signed_ticks(self, nanos: i128) -> i128 {
        nanos.saturating_mul(i128::from(self.ticks_per_nano))
    }

    /// Returns the nearest number of ticks to a fraction of nanoseconds, if a detector can take it.
    pub(crate) fn interval(self, interval: Fraction) -> Option<u64> {
        let denominator = i128::from(interval.denominator);
        let ticks = self.signed_ticks(interval.numerator).checked_add(denominator / 2)?;
        let ticks = u64::try_from(ticks / denominator).ok()?;
        (1..=MAX_TICKS).contains(&ticks).then_some(ticks)
    }

    /// Returns the nearest number of ticks to a number of seconds, saturating.
    pub(crate) fn ticks_from_seconds(self, seconds: f64) -> u64 {
        round(seconds * self.ticks_per_second())
    }

    /// Returns the seconds in so many ticks.
    pub(crate) fn seconds(self, ticks: i128) -> f64 {
        float(ticks) / self.ticks_per_second()
    }

    fn ticks_per_second(self) -> f64 {
        1e9 * float(i128::from(self.ticks_per_nano))
    }
}

/// An exact number of nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fraction {
    numerator: i128,
    denominator: u64,
}

impl Fraction {
    /// Returns the nanoseconds, rounded up; 0 if they are negative.
    pub(crate) fn nanos(self) -> u64 {
        let denominator = i128::from(self.denominator);
        u64::try_from((self.numerator.max(0) + denominator - 1) / denominator).unwrap_or(u64::MAX)
    }

    /// Creates the fraction in lowest terms; a denominator of zero counts as one.
    pub(crate) fn new(numerator: i128, denominator: u64) -> Self {
        let denominator = denominator.max(1);
        let divisor = greatest_common_divisor(numerator.unsigned_abs(), denominator.into()).max(1);
        match (i128::try_from(divisor), u64::try_from(divisor)) {
            (Ok(signed), Ok(divisor)) => {
                Self { numerator: numerator / signed, denominator: denominator / divisor }
            }
            _ => Self { numerator, denominator },
        }
    }

    fn compare(self, other: Self) -> Ordering {
        let cross = |a: Self, b: Self| a.numerator.saturating_mul(b.denominator.into());
        cross(self, other).cmp(&cross(other, self))
    }

    /// Returns the mean of two, rounded to half nanoseconds only if it cannot be held exactly.
    fn mean(self, other: Self) -> Self {
        let exact = || {
            let left = self.numerator.checked_mul(other.denominator.into())?;
            let right = other.numerator.checked_mul(self.denominator.into())?;
            let denominator = self.denominator.checked_mul(other.denominator)?.checked_mul(2)?;
            Some(Self::new(left.checked_add(right)?, denominator))
        };
        let whole = |fraction: Self| fraction.numerator / i128::from(fraction.denominator);
        exact().unwrap_or_else(|| Self::new(whole(self).saturating_add(whole(other)), 2))
    }
}

/// Returns the median of the intervals between the sending of one beat and of the next.
///
/// The beats are in order of sequence. `None` if no two neighbours have both a known time of sending.
pub(crate) fn sending_interval(beats: &[HeartbeatRecord]) -> Option<Fraction> {
    let mut intervals = Vec::new();
    let mut previous: Option<(u64, u64)> = None;
    for beat in beats {
        let Some(sent) = beat.sent else { continue };
        match previous {
            Some((sequence, _)) if sequence == beat.sequence => continue,
            Some((sequence, earlier)) if beat.sequence - sequence == 1 => {
                intervals.push(Fraction::new(i128::from(sent) - i128::from(earlier), 1));
            }
            _ => {}
        }
        previous = Some((beat.sequence, sent));
    }
    median(intervals)
}

/// Returns the median of intervals, or `None` if there are none.
pub(crate) fn median(mut intervals: Vec<Fraction>) -> Option<Fraction> {
    intervals.sort_unstable_by(|a, b| a.compare(*b));
    let upper = *intervals.get(intervals.len() / 2)?;
    if intervals.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *intervals.get(intervals.len() / 2 - 1)?;
    Some(lower.mean(upper))
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn least_common_multiple(a: u64, b: u64) -> Option<u64> {
    let divisor = u64::try_from(greatest_common_divisor(a.into(), b.into())).ok()?;
    (a / divisor.max(1)).checked_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(values: &[i128]) -> Vec<Fraction> {
        values.iter().map(|&value| Fraction::new(value, 1)).collect()
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        assert_eq!(median(whole(&[])), None);
        assert_eq!(median(whole(&[7])), Some(Fraction::new(7, 1)));
        assert_eq!(median(whole(&[100, 7])), Some(Fraction::new(107, 2)));
        assert_eq!(median(whole(&[9, 1, 5])), Some(Fraction::new(5, 1)));
        let thirds = vec![Fraction::new(10, 3), Fraction::new(7, 2)];
        assert_eq!(median(thirds), Some(Fraction::new(41, 12)));
    }

    #[test]
    fn fractions_too_large_to_average_exactly_lose_their_fraction_only() {
        let huge = Fraction::new(1 << 62, u64::MAX);
        let large = Fraction::new(100, u64::MAX - 2);
        assert_eq!(huge.mean(large), Fraction::new(0, 2));
        assert_eq!(huge.compare(large), Ordering::Greater);
    }

    #[test]
    fn only_consecutive_sequences_have_an_interval() {
        let beat = HeartbeatRecord::new;
        let beats = [
            beat(1, Some(0), None),
            beat(2, Some(10), Some(5)),
            beat(2, Some(10), Some(6)),
            beat(4, Some(99), Some(7)),
            beat(5, None, Some(8)),
            beat(6, Some(200), Some(9)),
            beat(7, Some(190), Some(9)),
        ];
        // 2 − 1 and 7 − 6, of which the second runs backwards.
        assert_eq!(sending_interval(&beats), Some(Fraction::new(0, 1)));
    }

    #[test]
    fn the_scale_is_as_fine_as_there_is_room_and_exact_for_the_interval() {
        let scale =
            |interval, span, longest| Scale::for_trace(interval, span, longest).ticks_per_nano;
        assert_eq!(scale(Fraction::new(100, 1), 1000, 1000), 512);
        assert_eq!(scale(Fraction::new(201, 2), 1000, 1000), 512);
        assert_eq!(scale(Fraction::new(100, 3), 1000, 1000), 384);
        assert_eq!(scale(Fraction::new(100, 67), 1000, 1000), 268);
        assert_eq!(scale(Fraction::new(100, 509), 1000, 1000), 509);
        // Too fine to be exact: a power of two.
        assert_eq!(scale(Fraction::new(100, 521), 1000, 1000), 512);
        // Less room.
        assert_eq!(scale(Fraction::new(100, 3), 1 << 56, 1000), 96);
        assert_eq!(scale(Fraction::new(100, 3), 1 << 62, 1000), 2);
        assert_eq!(scale(Fraction::new(100, 1), 1000, 1 << 40), 128);
        assert_eq!(scale(Fraction::new(201, 2), 1000, 1 << 46), 2);
        assert_eq!(scale(Fraction::new(201, 2), 1000, 1 << 47), 1);
        assert_eq!(scale(Fraction::new(100, 1), 1000, u64::MAX), 1);
        let exact = Scale::for_trace(Fraction::new(100, 3), 1000, 1000);
        assert_eq!(exact.interval(Fraction::new(100, 3)), Some(12_800));
        assert_eq!(exact.seconds(384_000_000_000), 1.0);
    }

    #[test]
    fn an_interval_that_no_detector_takes_is_refused() {
        let scale = Scale { ticks_per_nano: 2 };
        assert_eq!(scale.interval(Fraction::new(0, 1)), None);
        assert_eq!(scale.interval(Fraction::new(-5, 1)), None);
        assert_eq!(scale.interval(Fraction::new(1 << 46, 1)), Some(1 << 47));
        assert_eq!(scale.interval(Fraction::new((1 << 46) + 1, 1)), None);
    }
}
