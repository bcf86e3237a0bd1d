use crate::Quantile;

/// The last `N` values, and any quantile of them, exactly.
///
/// The values are `u64`s of any unit, such as nanoseconds. They are kept in the order in which they came, together
/// with 16-bit numbers of their places in the order of their size: 10 bytes a value, and a few more.
///
/// # Complexity
///
/// To push finds two places in O(log N) and moves the 16-bit numbers between them, a `memmove` of O(N). To read
/// any quantile is O(1).
///
/// # Examples
///
/// ```
/// use surmise_timeout::{Quantile, window::ExactWindow};
///
/// let mut window = ExactWindow::<4>::new();
/// let left = [30, 10, 40, 20, 50].map(|latency| window.push(latency));
/// assert_eq!(left, [None, None, None, None, Some(30)]);
///
/// // These are left: 10, 20, 40, 50.
/// assert_eq!(window.nearest_rank(Quantile::P50), Some(20));
/// let median = window.linear(Quantile::P50).map(|median| (median.whole, median.millionths));
/// assert_eq!(median, Some((30, 0)));
/// assert_eq!((window.min(), window.max()), (Some(10), Some(50)));
/// ```
#[derive(Clone, Debug)]
pub struct ExactWindow<const N: usize> {
    /// The values: the newest takes the place of the oldest.
    recent: [u64; N],
    /// Where in `recent` the values are, from the least to the greatest, and older ones first among equals.
    ascending: [u16; N],
    next: u16,
    len: u16,
}

impl<const N: usize> ExactWindow<N> {
    #[expect(clippy::cast_possible_truncation, reason = "a window is no longer than that")]
    const LAST: u16 = (N - 1) as u16;

    /// Creates an empty window; it does not compile for no values, or for more than 65 535.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N > 0 && N <= u16::MAX as usize, "places are counted in 16 bits") };
        Self { recent: [0; N], ascending: [0; N], next: 0, len: 0 }
    }

    /// Takes in a value, and returns the oldest if it has to leave for it.
    #[inline]
    pub fn push(&mut self, value: u64) -> Option<u64> {
        let slot = self.next;
        let Some(&old) = self.recent.get(usize::from(slot)) else {
            debug_assert!(false, "the newest value has a place");
            return None;
        };
        // The length of a full window is said as a constant, for which the compiler unrolls the search.
        let (place, vacant, left) = if usize::from(self.len) == N {
            let place = self.count(N, |other| other <= value);
            (place, self.count(N, |other| other < old), Some(old))
        } else {
            let vacant = self.len();
            self.len += 1;
            (self.count(vacant, |other| other <= value), vacant, None)
        };
        if let Some(newest) = self.recent.get_mut(usize::from(slot)) {
            *newest = value;
        }
        self.next = slot.checked_sub(1).unwrap_or(Self::LAST);
        self.move_to(place, vacant, slot);
        left
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

    /// Returns the least value.
    #[must_use]
    pub fn min(&self) -> Option<u64> {
        if self.is_empty() { None } else { self.nth(0) }
    }

    /// Returns the greatest value.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        self.nth(self.len().checked_sub(1)?)
    }

    /// Returns the least value that no less than this share of the values do not exceed.
    ///
    /// It is one of the values, and the inverse of their distribution function: type 1 of Hyndman and Fan,
    /// "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996).
    #[must_use]
    #[inline]
    pub fn nearest_rank(&self, quantile: Quantile) -> Option<u64> {
        self.nth(quantile.rank(usize::from(self.len)).checked_sub(1)?)
    }

    /// Returns the quantile that lies between two values, exactly.
    ///
    /// The least of `n` values is at 0, the greatest at 1, and the others are at equal distances: type 7 of Hyndman
    /// and Fan, which R, NumPy and spreadsheets take unless told otherwise.
    #[must_use]
    pub fn linear(&self, quantile: Quantile) -> Option<Interpolated> {
        let last = self.len().checked_sub(1)?;
        let place = last as u64 * u64::from(quantile.as_millionths());
        let (below, part) = (place / MILLION, place % MILLION);
        // Lossless: it is no more than the last place.
        let below = usize::try_from(below).ok()?;
        let (lower, upper) = (self.nth(below)?, self.nth(last.min(below + 1))?);
        Some(Interpolated::between(lower, upper, part))
    }

    /// Puts a slot in front of a place, and takes what is at the vacant one out.
    #[inline]
    fn move_to(&mut self, place: usize, vacant: usize, slot: u16) {
        if place > vacant {
            if let Some(moved @ [_, ..]) = self.ascending.get_mut(vacant..place) {
                moved.copy_within(1.., 0);
                if let Some(last) = moved.last_mut() {
                    *last = slot;
                }
            }
        } else if let Some(moved @ [_, ..]) = self.ascending.get_mut(place..=vacant) {
            moved.copy_within(..moved.len() - 1, 1);
            if let Some(first) = moved.first_mut() {
                *first = slot;
            }
        }
    }

    /// Counts those of the first places whose values answer yes, where no later one does.
    #[inline]
    fn count(&self, places: usize, condition: impl Fn(u64) -> bool) -> usize {
        let (mut before, mut rest) = (0, places);
        // How many places remain does not depend on what is found, so that no branch is mispredicted.
        while rest > 0 {
            let half = rest / 2;
            let above = before + (rest - half);
            let Some(value) = self.nth(above - 1) else { break };
            before = if condition(value) { above } else { before };
            rest = half;
        }
        before
    }

    /// Returns the value at a place in the order of their size, which counts from 0 and is one of the window.
    #[inline]
    fn nth(&self, place: usize) -> Option<u64> {
        self.recent.get(usize::from(*self.ascending.get(place)?)).copied()
    }
}

impl<const N: usize> Default for ExactWindow<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// A number between two values, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Interpolated {
    /// The number, rounded down.
    pub whole: u64,
    /// How many millionths it is more than that: less than a million, and nothing is rounded.
    pub millionths: u32,
}

impl Interpolated {
    /// Goes so many millionths of the way from one value to another that is no less.
    fn between(lower: u64, upper: u64, part: u64) -> Self {
        let way = u128::from(upper - lower) * u128::from(part);
        let (whole, rest) = (way / u128::from(MILLION), way % u128::from(MILLION));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is a part of the way, and of a whole"
        )]
        let (whole, millionths) = (whole as u64, rest as u32);
        Self { whole: lower + whole, millionths }
    }
}

const MILLION: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    /// Pushes values, and checks all that the window tells against the last `N`, sorted.
    fn agrees<const N: usize>(millionths: u32, values: &[u64]) -> bool {
        let quantile = Quantile::from_millionths(millionths % 999_999 + 1).unwrap();
        let mut window = ExactWindow::<N>::new();
        (1..=values.len()).all(|end| {
            let left = window.push(values[end - 1]);
            let mut recent: Vec<_> = values[end.saturating_sub(N)..end].to_vec();
            recent.sort_unstable();
            let all: Vec<_> = (0..window.len()).map_while(|place| window.nth(place)).collect();
            left == end.checked_sub(N + 1).map(|oldest| values[oldest])
                && all == recent
                && window.len() == recent.len()
                && window.min() == recent.first().copied()
                && window.max() == recent.last().copied()
                && window.nearest_rank(quantile) == Some(recent[quantile.rank(recent.len()) - 1])
                && window.linear(quantile) == Some(linear(&recent, quantile))
        })
    }

    /// By the definition: `(1 - f) x[j] + f x[j + 1]` with `j + f = (n - 1) q`, all of it over a million.
    fn linear(sorted: &[u64], quantile: Quantile) -> Interpolated {
        let million = u128::from(MILLION);
        let place = (sorted.len() as u128 - 1) * u128::from(quantile.as_millionths());
        let (j, f) = (usize::try_from(place / million).unwrap(), place % million);
        let [lower, upper] = [j, j + 1].map(|i| u128::from(*sorted.get(i).unwrap_or(&0)));
        let sum = (million - f) * lower + f * upper;
        Interpolated {
            whole: u64::try_from(sum / million).unwrap(),
            millionths: u32::try_from(sum % million).unwrap(),
        }
    }

    quickcheck! {
        fn a_window_agrees_with_sorting_anew(millionths: u32, values: Vec<u64>) -> bool {
            agrees::<1>(millionths, &values)
                && agrees::<2>(millionths, &values)
                && agrees::<5>(millionths, &values)
                && agrees::<20>(millionths, &values)
        }

        fn equal_values_leave_in_the_order_in_which_they_came(millionths: u32, values: Vec<u8>) -> bool {
            let values: Vec<_> = values.iter().map(|&value| u64::from(value % 4)).collect();
            agrees::<6>(millionths, &values) && agrees::<13>(millionths, &values)
        }

        fn extremes_are_values_like_others(millionths: u32, values: Vec<(bool, u64)>) -> bool {
            let extreme = |&(is_high, value)| if is_high { u64::MAX - value % 3 } else { value % 3 };
            agrees::<9>(millionths, &values.iter().map(extreme).collect::<Vec<_>>())
        }
    }

    #[test]
    fn an_empty_window_has_no_quantile() {
        let window = ExactWindow::<3>::default();
        assert!(window.is_empty());
        assert_eq!((window.min(), window.max()), (None, None));
        assert_eq!(window.nearest_rank(Quantile::P99), None);
        assert_eq!(window.linear(Quantile::P99), None);
    }

    #[test]
    fn a_window_takes_ten_bytes_a_value() {
        assert_eq!(size_of::<ExactWindow<1000>>(), 10_008);
    }
}
