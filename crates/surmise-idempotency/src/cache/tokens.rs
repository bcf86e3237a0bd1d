use core::num::NonZeroU64;

use surmise_fence::FencingToken;

/// The tokens of a table's tickets, each higher than the one before.
pub(super) struct Tokens {
    epoch: u64,
    /// The counter of the latest one.
    latest: u64,
}

impl Tokens {
    pub(super) const fn new(epoch: u64) -> Self {
        Self { epoch, latest: 0 }
    }

    /// Returns the next counter. At a thousand million a second they last for 584 years.
    pub(super) const fn next(&mut self) -> NonZeroU64 {
        let counter = NonZeroU64::MIN.saturating_add(self.latest);
        self.latest = counter.get();
        counter
    }

    pub(super) const fn token(&self, counter: NonZeroU64) -> FencingToken {
        FencingToken::new(self.epoch, counter)
    }
}
