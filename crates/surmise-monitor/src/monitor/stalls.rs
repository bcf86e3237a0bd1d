use alloc::collections::VecDeque;

use surmise_time::Instant;

/// When the observer came back from its latest stalls, in the time awake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stalls {
    ended_at: VecDeque<Instant>,
    /// Which was the latest, on a circle.
    latest: u16,
}

/// More than there are within a peer's timeout, unless the observer does little but stall.
const REMEMBERED: usize = 256;

impl Stalls {
    /// Notes that this stall ended at `at`.
    pub(crate) fn end(&mut self, stall: u16, at: Instant) {
        self.latest = stall;
        if self.ended_at.len() == REMEMBERED {
            self.ended_at.pop_front();
        }
        self.ended_at.push_back(at);
    }

    pub(crate) const fn latest(&self) -> u16 {
        self.latest
    }

    /// Returns when the first stall after this one ended, or the first that is remembered; `None` if there was none.
    #[inline]
    pub(crate) fn first_after(&self, stall: u16) -> Option<Instant> {
        let since = usize::from(self.latest.wrapping_sub(stall));
        if since == 0 {
            return None;
        }
        self.ended_at.get(self.ended_at.len().saturating_sub(since)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_was_missed_is_found_or_the_earliest_that_is_remembered() {
        let mut stalls = Stalls::default();
        let at = |stall: u32| Instant::from_nanos(stall.into());
        #[expect(clippy::cast_possible_truncation, reason = "they are counted on a circle")]
        let number = |stall: u32| stall as u16;
        assert_eq!(stalls.first_after(0), None);
        for stall in 1..=70_000_u32 {
            stalls.end(number(stall), at(stall));
            assert_eq!(stalls.first_after(number(stall)), None);
            for back in [1, 2, 255, 256, 257, 300] {
                let Some(before) = stall.checked_sub(back) else { continue };
                let first = (before + 1).max(stall.saturating_sub(255));
                assert_eq!(stalls.first_after(number(before)), Some(at(first)), "{before} {stall}");
            }
        }
    }
}
