use core::marker::PhantomData;

use super::{Sample, ring::next, storage::sealed::Quantiles};

/// The last intervals twice: in order of arrival, to know the oldest, and in order of length.
///
/// Recording moves the samples between the old one's place and the new one's: O(n), but a `memmove`.
#[derive(Clone, Debug)]
#[expect(unnameable_types, reason = "it is what a sealed trait maps a storage to")]
pub struct SortedRing<B, T> {
    recent: B,
    sorted: B,
    next: u32,
    len: usize,
    shift: u32,
    sample: PhantomData<T>,
}

impl<B: AsRef<[T]> + AsMut<[T]> + Clone, T: Sample> SortedRing<B, T> {
    pub(crate) fn new(recent: B, expected: u64) -> Self {
        let sorted = recent.clone();
        let shift = T::shift(expected);
        Self { recent, sorted, next: 0, len: 0, shift, sample: PhantomData }
    }

    fn remembered(&self) -> &[T] {
        self.sorted.as_ref().get(..self.len).unwrap_or_default()
    }
}

impl<B: AsRef<[T]> + AsMut<[T]> + Clone, T: Sample> Quantiles for SortedRing<B, T> {
    fn record(&mut self, nanos: u64) {
        let new = T::from_nanos(nanos, self.shift);
        let recent = self.recent.as_mut();
        let length = recent.len();
        let Some(slot) = recent.get_mut(self.next as usize) else {
            debug_assert!(false, "the cursor stays within the window");
            return;
        };
        let old = core::mem::replace(slot, new);
        let sorted = self.sorted.as_mut();
        let vacant = if self.len < sorted.len() {
            self.len += 1;
            self.len - 1
        } else {
            sorted.partition_point(|&sample| sample < old)
        };
        move_into(sorted.get_mut(..self.len).unwrap_or_default(), vacant, new);

        self.next = next(self.next, length);
    }

    fn len(&self) -> u32 {
        count(self.len)
    }

    fn nth(&self, rank: u32) -> Option<u64> {
        let sample = self.remembered().get(rank.checked_sub(1)? as usize)?;
        Some(sample.to_u64() << self.shift)
    }

    fn count_while(&self, condition: impl Fn(u64) -> bool) -> u32 {
        count(self.remembered().partition_point(|sample| condition(sample.to_u64() << self.shift)))
    }
}

/// Returns a number of samples, of which a window holds at most 65,536.
fn count(samples: usize) -> u32 {
    u32::try_from(samples).unwrap_or(u32::MAX)
}

/// Overwrites the sample at `vacant` by `new` and keeps the others' order.
fn move_into<T: Sample>(sorted: &mut [T], vacant: usize, new: T) {
    let (below, above) = sorted.split_at(vacant);
    let after_vacant = above.get(1..).unwrap_or_default();
    let place = match after_vacant.partition_point(|&sample| sample < new) {
        0 => {
            let place = below.partition_point(|&sample| sample <= new);
            sorted.copy_within(place..vacant, place + 1);
            place
        }
        moved => {
            sorted.copy_within(vacant + 1..vacant + 1 + moved, vacant);
            vacant + moved
        }
    };
    if let Some(slot) = sorted.get_mut(place) {
        *slot = new;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn a_window_agrees_with_sorting_anew(intervals: Vec<u8>) -> bool {
            let mut ring = SortedRing::<_, u64>::new([0; 5], 100);
            intervals.iter().enumerate().all(|(i, &interval)| {
                ring.record(interval.into());
                let mut recent: Vec<_> = intervals[(i + 1).saturating_sub(5)..=i].to_vec();
                recent.sort_unstable();
                let by_rank: Vec<_> = (1..=ring.len()).filter_map(|rank| ring.nth(rank)).collect();
                by_rank.iter().copied().eq(recent.iter().map(|&x| u64::from(x)))
                    && ring.nth(0).is_none()
                    && ring.nth(ring.len() + 1).is_none()
                    && ring.count_while(|x| x <= 100)
                        == count(recent.iter().filter(|&&x| x <= 100).count())
            })
        }
    }
}
