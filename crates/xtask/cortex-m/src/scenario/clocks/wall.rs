use core::{num::NonZeroU32, time::Duration};

use surmise_clock::HybridTimestamp;
use surmise_time::WallTime;

use super::Random;

pub(super) const MAX_OFFSET: Duration = Duration::from_millis(500);

/// A wall clock that goes on, stands still and steps in both directions, and other nodes' stamps.
pub(super) struct Wall {
    random: Random,
    now: WallTime,
}

impl Wall {
    pub(super) const fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), now: WallTime::from_nanos(1_795_230_725_126_147_368) }
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    pub(super) fn now(&mut self) -> WallTime {
        let step = Duration::from_nanos(self.random.below(200_000_000));
        match self.random.below(50) {
            0 => return WallTime::UNIX_EPOCH,
            1 => return WallTime::from_nanos(self.random.next()),
            2 => self.now -= 8 * step,
            3 => self.now += 8 * step,
            4..20 => {}
            _ => self.now += step,
        }
        self.now
    }

    /// Returns a stamp that is some hundred milliseconds behind or ahead, or anything else.
    pub(super) fn remote(&mut self) -> HybridTimestamp {
        let nanos = match self.random.below(20) {
            0 => self.random.next(),
            1 => u64::MAX - self.random.below(2),
            2 => self.random.below(2),
            _ => {
                let ahead = self.now.as_nanos() + self.random.below(600_000_000);
                ahead - self.random.below(600_000_000)
            }
        };
        HybridTimestamp::from_nanos(nanos).unwrap_or(HybridTimestamp::MIN)
    }

    /// Returns how many stamps to reserve, at times more than may be ahead.
    pub(super) fn count(&mut self) -> NonZeroU32 {
        let any = NonZeroU32::new(self.random.next() as u32);
        let few = NonZeroU32::MIN.saturating_add(self.random.below(100) as u32);
        any.filter(|_| self.random.below(4) == 0).unwrap_or(few)
    }
}
