use core::time::Duration;

use surmise_time::{Instant, ManualClock, MonotonicClock};

use crate::scenario::random::Random;

/// How often the peer sends.
pub(super) const INTERVAL: Duration = Duration::from_millis(100);

/// The same heartbeats every time: jitter, losses, stragglers, duplicates, stalls, a restart, and a
/// clock that steps back.
pub(super) struct Stream {
    random: Random,
    clock: ManualClock,
    sequence: u64,
    events: u64,
}

pub(super) enum Event {
    Heartbeat { sequence: u64, now: Instant },
    Restart,
}

impl Stream {
    pub(super) fn new() -> Self {
        let clock = ManualClock::new(Instant::ORIGIN + Duration::from_secs(1));
        Self { random: Random::new(3), clock, sequence: 0, events: 0 }
    }

    pub(super) fn next(&mut self) -> Event {
        self.events += 1;
        if self.events == 300 {
            self.sequence = 0;
            return Event::Restart;
        }
        self.clock.advance(INTERVAL * 3 / 4 + Duration::from_nanos(self.random.below(50_000_000)));
        if self.random.below(50) == 0 {
            self.clock.advance(Duration::from_millis(self.random.below(5_000)));
        }
        if self.events == 200 {
            self.clock.set(self.clock.now() - 3 * INTERVAL);
        }
        let now = self.clock.now();
        match self.random.below(20) {
            // A straggler or a duplicate, and the clock goes on.
            0 => {
                let age = self.random.below(3);
                return Event::Heartbeat { sequence: self.sequence.saturating_sub(age), now };
            }
            1 => self.sequence += 1 + self.random.below(4),
            _ => {}
        }
        self.sequence += 1;
        Event::Heartbeat { sequence: self.sequence, now }
    }
}
