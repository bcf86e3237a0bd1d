use alloc::collections::BinaryHeap;
use core::{cmp::Reverse, time::Duration};

use surmise_timeout::Outcome;

/// A call that begins: what becomes of it is known when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a plain record")]
pub struct Attempt {
    /// For how long it is waited.
    pub wait: Duration,
    /// After how long it is answered, or would be.
    pub took: Duration,
    /// In which phase it begins.
    pub phase: u32,
    /// What 1 % of the answers exceed in that phase.
    pub p99: Duration,
}

impl Attempt {
    /// Returns how it goes.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        if self.is_answered() {
            Outcome::Completed(self.took)
        } else {
            Outcome::TimedOut(self.wait)
        }
    }

    /// Returns whether it is answered in time.
    #[must_use]
    pub fn is_answered(self) -> bool {
        self.took < self.wait
    }
}

/// Calls that are under way, so many at most: another begins when one is over.
pub(super) struct InFlight {
    most: usize,
    /// The one that is over first is on top, and of those that are at once the one that began first.
    calls: BinaryHeap<Reverse<(Duration, u32, Attempt)>>,
    begun: u32,
    now: Duration,
}

impl InFlight {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, calls: BinaryHeap::new(), begun: 0, now: Duration::ZERO }
    }

    /// Waits for a call to be over, and returns it, if no more may be under way.
    pub(super) fn make_room(&mut self) -> Option<Attempt> {
        if self.calls.len() < self.most {
            return None;
        }
        let Reverse((now, _, attempt)) = self.calls.pop()?;
        self.now = now;
        Some(attempt)
    }

    pub(super) fn begin(&mut self, attempt: Attempt) {
        let over = self.now.saturating_add(attempt.took.min(attempt.wait));
        self.calls.push(Reverse((over, self.begun, attempt)));
        self.begun += 1;
    }
}
