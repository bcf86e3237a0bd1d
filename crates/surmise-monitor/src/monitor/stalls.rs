use surmise_time::Instant;

/// When the observer came back from its latest stalls, in the time awake.
#[derive(Clone, Debug)]
pub(crate) struct Stalls {
    ended_at: [Instant; REMEMBERED],
    /// Which was the latest, on a circle.
    latest: u8,
}

/// A power of two, so that the numbers of stalls, which are counted on a circle, go round with it.
const REMEMBERED: usize = 8;

impl Stalls {
    pub(crate) const NONE: Self = Self { ended_at: [Instant::ORIGIN; REMEMBERED], latest: 0 };

    /// Notes that this stall ended at `at`.
    pub(crate) fn end(&mut self, stall: u8, at: Instant) {
        self.latest = stall;
        if let Some(ended_at) = self.ended_at.get_mut(usize::from(stall) % REMEMBERED) {
            *ended_at = at;
        }
    }

    /// Returns when the first stall after this one ended, or the first that is remembered; `None` if there was none.
    #[inline]
    pub(crate) fn first_after(&self, stall: u8) -> Option<Instant> {
        let since = usize::from(self.latest.wrapping_sub(stall));
        if since == 0 {
            return None;
        }
        let back = since.min(REMEMBERED) - 1;
        self.ended_at.get((usize::from(self.latest) + REMEMBERED - back) % REMEMBERED).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_was_missed_is_found_or_the_earliest_that_is_remembered() {
        let mut stalls = Stalls::NONE;
        let at = |stall: u32| Instant::from_nanos(stall.into());
        assert_eq!(stalls.first_after(0), None);
        for stall in 1..=600_u32 {
            #[expect(clippy::cast_possible_truncation, reason = "they are counted on a circle")]
            let number = |stall: u32| stall as u8;
            stalls.end(number(stall), at(stall));
            assert_eq!(stalls.first_after(number(stall)), None);
            for before in stall.saturating_sub(20)..stall {
                let first = (before + 1).max(stall.saturating_sub(7));
                assert_eq!(stalls.first_after(number(before)), Some(at(first)), "{before} {stall}");
            }
        }
    }
}
