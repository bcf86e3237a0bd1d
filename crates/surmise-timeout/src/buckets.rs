//! Logarithmic buckets with eight linear steps each, as in HdrHistogram: none is wider than an eighth of what
//! is in it.

use core::{fmt, num::NonZeroU64, time::Duration};

/// Which bucket a duration belongs to, for durations from about a floor up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// The lowest bit that matters.
    shift: u32,
    /// The least duration that is not in the first eight buckets, which are all of a width.
    linear: NonZeroU64,
    /// What the formula for buckets gives too much.
    excess: usize,
}

impl Buckets {
    /// Enough for a ceiling of a million floors.
    #[cfg(not(loom))]
    pub(crate) const COUNT: usize = 192;

    /// Few enough that all interleavings can be explored.
    #[cfg(loom)]
    pub(crate) const COUNT: usize = 3;

    /// Creates buckets that are an eighth wide from a fourth of the floor on, and coarser only below.
    ///
    /// A timeout is not below the floor, and is hardly more than four times the latency that it comes from.
    pub(crate) const fn for_floor(floor_nanos: u64) -> Self {
        let shift = match floor_nanos.checked_ilog2() {
            Some(highest) => highest.saturating_sub(5),
            None => 0,
        };
        // The shift is at most 58, so that this is not zero.
        let linear = match NonZeroU64::new(8 << shift) {
            Some(linear) => linear,
            None => NonZeroU64::MAX,
        };
        Self { shift, linear, excess: (8 * shift) as usize }
    }

    /// Returns the bucket that holds a duration; the last holds all that are longer, too.
    #[inline]
    pub(crate) fn index(self, nanos: u64) -> usize {
        let index = self.unbounded_index(nanos);
        if index < Self::COUNT { index } else { Self::COUNT - 1 }
    }

    /// Returns the bucket that would hold a duration if there were as many as that takes.
    #[inline]
    pub(crate) fn unbounded_index(self, nanos: u64) -> usize {
        let scale = (self.linear | nanos).ilog2() - 3;
        // Eight steps to an octave, and in it the three bits that follow the highest.
        #[expect(clippy::cast_possible_truncation, reason = "it is less than 16")]
        let steps = (nanos >> scale) as usize;
        (8 * scale as usize + steps).wrapping_sub(self.excess)
    }

    /// Returns the least duration, in nanoseconds, that is longer than what the bucket holds; it saturates.
    pub(crate) const fn upper(self, index: usize) -> u64 {
        let next = index + 1;
        let (octave, steps) = if next < 16 { (0, next) } else { (next / 8 - 1, 8 + next % 8) };
        #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 24 octaves")]
        let octave = octave as u32;
        let upper = (steps as u128) << (octave + self.shift);
        if upper > u64::MAX as u128 {
            return u64::MAX;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it was compared with the greatest")]
        let upper = upper as u64;
        upper
    }
}

impl Buckets {
    /// Returns what shows how many calls were answered, and given up, in buckets that are not empty, by their upper ends.
    pub(crate) fn show(self, counts: impl Iterator<Item = (u32, u32)> + Clone) -> impl fmt::Debug {
        let counts = counts.enumerate().filter(|(_, (answered, given_up))| answered + given_up > 0);
        Shown(
            counts.map(move |(bucket, counts)| (Duration::from_nanos(self.upper(bucket)), counts)),
        )
    }
}

/// A map from upper ends to counts.
struct Shown<I>(I);

impl<I: Iterator<Item = (Duration, (u32, u32))> + Clone> fmt::Debug for Shown<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.clone()).finish()
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn a_duration_is_between_the_edges_of_its_bucket(nanos: u64, less: u32, floor: u64) -> bool {
            let (nanos, buckets) = (nanos >> (less % 64), Buckets::for_floor(floor));
            let index = buckets.index(nanos);
            let lower = index.checked_sub(1).map_or(0, |below| buckets.upper(below));
            let is_last = index == Buckets::COUNT - 1;
            lower <= nanos && (nanos < buckets.upper(index) || is_last || nanos == u64::MAX)
        }

        fn buckets_are_an_eighth_wide_from_a_fourth_of_the_floor_on(floor: u64, index: usize) -> bool {
            let floor = floor.max(32);
            let buckets = Buckets::for_floor(floor);
            let index = index % (Buckets::COUNT - 1);
            let (lower, upper) = (buckets.upper(index), buckets.upper(index + 1));
            lower < floor / 4 || upper == u64::MAX || (upper - lower) <= lower / 8
        }
    }

    #[test]
    fn buckets_ascend_without_a_gap() {
        let buckets = Buckets::for_floor(32);
        let (linear, first, second) = (0..16, 16..24, 24..32);
        let indices = (0..64).map(|nanos| buckets.index(nanos));
        assert!(
            indices.eq(linear
                .chain(first.flat_map(|index| [index; 2]))
                .chain(second.flat_map(|index| [index; 4])))
        );
        assert_eq!([buckets.upper(7), buckets.upper(15), buckets.upper(16)], [8, 16, 18]);
    }

    #[test]
    fn a_second_and_a_millisecond_are_in_range_of_each_other() {
        let buckets = Buckets::for_floor(1_000_000);
        assert!(buckets.index(1_000_000 * 1_000_000) < Buckets::COUNT - 1);
        assert_eq!(buckets.index(u64::MAX), Buckets::COUNT - 1);
        assert_eq!(Buckets::for_floor(u64::MAX).upper(Buckets::COUNT - 1), u64::MAX);
    }
}
