use core::{
    iter::FusedIterator,
    num::{NonZeroU32, NonZeroU64},
};

use super::HybridTimestamp;

/// Consecutive stamps of a clock that are the caller's alone.
///
/// An iterator that yields them in ascending order. Those that are not taken are never given again.
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    next: NonZeroU64,
    left: u32,
}

impl Reservation {
    pub(crate) const fn new(first: NonZeroU64, count: NonZeroU32) -> Self {
        Self { next: first, left: count.get() }
    }
}

impl Iterator for Reservation {
    type Item = HybridTimestamp;

    fn next(&mut self) -> Option<HybridTimestamp> {
        self.left = self.left.checked_sub(1)?;
        let stamp = self.next;
        self.next = stamp.saturating_add(1);
        Some(HybridTimestamp::from_nonzero(stamp))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left);
        (left.unwrap_or(usize::MAX), left.ok())
    }

    fn last(self) -> Option<HybridTimestamp> {
        let beyond_next = u64::from(self.left).checked_sub(1)?;
        Some(HybridTimestamp::from_nonzero(self.next.saturating_add(beyond_next)))
    }
}

impl ExactSizeIterator for Reservation {}

impl FusedIterator for Reservation {}
