use crate::{Quantile, buckets::Buckets};

/// The last `N` values, and one quantile of them, in buckets.
///
/// The values are `u64`s of any unit, such as nanoseconds. They are counted in 192 logarithmic buckets, of which
/// a cursor stands at the one that holds the quantile: a byte a value, and 560 more.
///
/// # How exact it is
///
/// The quantile is the upper edge of a bucket: it is never below the nearest rank, and at most 12.5 % above, for
/// values from a fourth of `floor` on. Lesser values are in buckets that are as wide as those, but for a `floor`
/// below 64 they have a bucket each. For values from 983 040 floors on it is `u64::MAX`, as they are not told
/// apart.
///
/// # Complexity
///
/// To push is O(1), and the cursor moves over a few buckets at most unless the values change abruptly. To read is
/// O(1).
///
/// # Examples
///
/// ```
/// use surmise_timeout::{Quantile, window::BucketedWindow};
///
/// let millisecond = 1_000_000;
/// let mut window = BucketedWindow::<1000>::new(Quantile::P99, millisecond);
/// assert_eq!(window.quantile(), None);
/// for latency in 1..=2000 {
///     window.push(latency * millisecond);
/// }
/// // The last thousand took from 1001 to 2000 ms, and 990 of them up to 1990 ms.
/// let p99 = window.quantile().unwrap_or_default() / millisecond;
/// assert!((1990..1990 * 9 / 8).contains(&p99));
/// ```
#[derive(Clone, Debug)]
pub struct BucketedWindow<const N: usize> {
    buckets: Buckets,
    quantile: Quantile,
    counts: [u16; PLACES],
    /// The buckets of the values: the newest takes the place of the oldest.
    recent: [u8; N],
    next: u16,
    len: u16,
    /// The nearest rank of the quantile among the values.
    rank: u16,
    /// How many values are in buckets below the cursor.
    below: u16,
    /// The bucket that holds the nearest rank, if there is one.
    cursor: u8,
    /// The upper edge of that bucket.
    edge: u64,
}

impl<const N: usize> BucketedWindow<N> {
    #[expect(clippy::cast_possible_truncation, reason = "a window is no longer than that")]
    const LAST: u16 = (N - 1) as u16;

    /// Creates an empty window for one quantile, and for values from about a floor up.
    ///
    /// It does not compile for no values, or for more than 65 535. A floor of 0 is one of 1.
    #[must_use]
    pub const fn new(quantile: Quantile, floor: u64) -> Self {
        const { assert!(N > 0 && N <= u16::MAX as usize, "values are counted in 16 bits") };
        let buckets = Buckets::for_floor(floor);
        Self {
            buckets,
            quantile,
            counts: [0; PLACES],
            recent: [0; N],
            next: 0,
            len: 0,
            rank: 0,
            below: 0,
            cursor: 0,
            edge: buckets.upper(0),
        }
    }

    /// Takes in a value; the oldest leaves if there is no room.
    #[inline]
    pub fn push(&mut self, value: u64) {
        #[expect(clippy::cast_possible_truncation, reason = "there are 192 buckets")]
        let bucket = self.buckets.index(value) as u8;
        let Some(slot) = self.recent.get_mut(usize::from(self.next)) else {
            debug_assert!(false, "the newest value has a place");
            return;
        };
        let old = core::mem::replace(slot, bucket);
        self.next = self.next.checked_sub(1).unwrap_or(Self::LAST);
        if usize::from(self.len) == N {
            *self.count_mut(old) -= 1;
            self.below -= u16::from(old < self.cursor);
        } else {
            self.len += 1;
            // Lossless: a rank is no more than the length.
            self.rank = u16::try_from(self.quantile.rank(self.len())).unwrap_or(self.len);
        }
        *self.count_mut(bucket) += 1;
        self.below += u16::from(bucket < self.cursor);
        if self.below >= self.rank || self.below + self.count(self.cursor) < self.rank {
            self.move_cursor();
        }
    }

    /// Returns how many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Says whether there are no values.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the quantile, rounded up to the end of its bucket, or nothing of no values.
    #[must_use]
    #[inline]
    pub const fn quantile(&self) -> Option<u64> {
        if self.is_empty() { None } else { Some(self.edge) }
    }

    /// Moves the cursor to the bucket that holds the rank.
    fn move_cursor(&mut self) {
        while self.below >= self.rank {
            self.cursor -= 1;
            self.below -= self.count(self.cursor);
        }
        while self.below + self.count(self.cursor) < self.rank {
            self.below += self.count(self.cursor);
            self.cursor += 1;
        }
        let is_last = usize::from(self.cursor) == Buckets::COUNT - 1;
        self.edge = if is_last { u64::MAX } else { self.buckets.upper(usize::from(self.cursor)) };
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "there are as many places as a byte has values")]
    const fn count(&self, bucket: u8) -> u16 {
        self.counts[bucket as usize]
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "there are as many places as a byte has values")]
    const fn count_mut(&mut self, bucket: u8) -> &mut u16 {
        &mut self.counts[bucket as usize]
    }
}

/// As many as a byte has values, so that no place needs to be checked.
const PLACES: usize = 256;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    /// Pushes values, and checks each quantile against the last `N`, sorted.
    fn agrees<const N: usize>(quantile: Quantile, floor: u64, values: &[u64]) -> bool {
        let mut window = BucketedWindow::<N>::new(quantile, floor);
        let unit = 1 << floor.max(1).ilog2().saturating_sub(5);
        (1..=values.len()).all(|end| {
            window.push(values[end - 1]);
            let mut recent: Vec<_> = values[end.saturating_sub(N)..end].to_vec();
            recent.sort_unstable();
            let exact = recent[quantile.rank(recent.len()) - 1];
            let found = window.quantile().unwrap();
            // In steps of the unit: below 8 of them a bucket holds one, and from there on it is an eighth wide.
            let limit = match exact / unit {
                0..8 => (exact / unit + 1) * unit,
                8..0x3c0_0000 => exact.saturating_add(exact / 8),
                _ => u64::MAX,
            };
            window.len() == recent.len() && (found > exact || found == u64::MAX) && found <= limit
        })
    }

    fn quantile(millionths: u32) -> Quantile {
        Quantile::from_millionths(millionths % 999_999 + 1).unwrap()
    }

    quickcheck! {
        fn a_quantile_is_in_the_bucket_of_the_nearest_rank(
            millionths: u32, floor: u64, less: u32, values: Vec<(u64, u32)>
        ) -> bool {
            let floor = floor >> (less % 64);
            let values: Vec<_> = values.iter().map(|&(value, less)| value >> (less % 64)).collect();
            let quantile = quantile(millionths);
            agrees::<1>(quantile, floor, &values)
                && agrees::<3>(quantile, floor, &values)
                && agrees::<20>(quantile, floor, &values)
        }

        fn a_quantile_of_few_values_is_in_their_bucket(millionths: u32, values: Vec<u8>) -> bool {
            let values: Vec<_> = values.iter().map(|&value| u64::from(value % 12)).collect();
            agrees::<7>(quantile(millionths), 0, &values)
        }
    }

    #[test]
    fn the_cursor_goes_from_end_to_end() {
        let values: Vec<_> = [0, u64::MAX, 0, 9].iter().flat_map(|&value| [value; 30]).collect();
        for millionths in [1, 500_000, 999_999] {
            let quantile = Quantile::from_millionths(millionths).unwrap();
            assert!(agrees::<20>(quantile, 1_000_000, &values));
            assert!(agrees::<1>(quantile, 0, &values));
        }
    }

    #[test]
    fn an_empty_window_has_no_quantile() {
        let mut window = BucketedWindow::<2>::new(Quantile::P50, 0);
        assert_eq!((window.quantile(), window.is_empty()), (None, true));
        window.push(0);
        assert_eq!((window.quantile(), window.is_empty()), (Some(1), false));
    }

    #[test]
    fn a_window_of_a_thousand_is_small() {
        assert!(size_of::<BucketedWindow<1000>>() <= 1560);
    }
}
