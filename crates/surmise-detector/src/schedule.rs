//! When the next heartbeat should arrive, from the sender's schedule: the estimate that Chen, Bertier and
//! 2W-FD share.

use surmise_time::Instant;

use crate::{
    ConfigError, OffsetStorage,
    arrivals::Arrival,
    window::{ring_next, window_length},
};

/// The last arrivals, each as its offset from the schedule of a sender that sends every η.
///
/// The expected arrival of heartbeat s is the mean of A_i − η·s_i over the window, plus η·s. All is kept
/// relative to the first heartbeat, in integers: exact after any number of beats.
#[derive(Clone, Debug)]
pub(crate) struct Schedule<S> {
    offsets: S,
    next: u32,
    len: u32,
    sum: i128,
    /// η, in nanoseconds.
    interval: u64,
    /// The sequence and arrival of the first heartbeat of the incarnation, and of the newest.
    first: (u64, Instant),
    newest: (u64, Instant),
}

impl<S: OffsetStorage> Schedule<S> {
    pub(crate) fn new(interval: u64, offsets: S) -> Result<Self, ConfigError> {
        window_length(offsets.as_ref().len(), 1)?;
        let none = (0, Instant::ORIGIN);
        Ok(Self { offsets, next: 0, len: 0, sum: 0, interval, first: none, newest: none })
    }

    /// Takes in a fresh heartbeat.
    pub(crate) fn record(&mut self, arrival: &Arrival) {
        self.newest = (arrival.sequence, arrival.at);
        if self.len == 0 {
            self.first = self.newest;
        }
        let new = self.newest_offset();
        let offsets = self.offsets.as_mut();
        let length = offsets.len();
        let Some(slot) = offsets.get_mut(self.next as usize) else {
            debug_assert!(false, "the cursor stays within the window");
            return;
        };
        let old = core::mem::replace(slot, new);
        self.sum += i128::from(new);
        if (self.len as usize) < length {
            self.len += 1;
        } else {
            self.sum -= i128::from(old);
        }
        self.next = ring_next(self.next, length);
    }

    /// Goes on from a heartbeat as if it had come when expected.
    pub(crate) fn realign(&mut self, arrival: &Arrival) {
        let begins_at = i128::from(arrival.at.as_nanos()) - self.mean_offset();
        match u64::try_from(begins_at) {
            Ok(begins_at) if self.len > 0 => {
                self.first = (arrival.sequence, Instant::from_nanos(begins_at));
                self.newest = (arrival.sequence, arrival.at);
            }
            // Before the clock's origin, or after its end, no schedule can begin.
            _ => {
                self.restart();
                self.record(arrival);
            }
        }
    }

    /// Returns the nanoseconds from the newest heartbeat to `margin` after the next one should arrive: at
    /// least one.
    #[inline]
    pub(crate) fn patience(&self, margin: i128) -> u64 {
        let (sequence, at) = self.newest;
        let expected = self.expected(sequence) + i128::from(self.interval);
        let patience = expected + margin - i128::from(at.as_nanos());
        u64::try_from(patience.max(1)).unwrap_or(u64::MAX)
    }

    /// Returns by how many nanoseconds a heartbeat is later than expected; `None` before the first.
    #[inline]
    pub(crate) fn lateness(&self, arrival: &Arrival) -> Option<i128> {
        let at = i128::from(arrival.at.as_nanos());
        (self.len > 0).then(|| at - self.expected(arrival.sequence))
    }

    /// Forgets everything but η.
    pub(crate) fn restart(&mut self) {
        self.next = 0;
        self.len = 0;
        self.sum = 0;
    }

    /// Returns when a heartbeat should arrive, possibly before the clock's origin or after its end.
    #[inline]
    fn expected(&self, sequence: u64) -> i128 {
        let (_, first_at) = self.first;
        i128::from(first_at.as_nanos()) + self.mean_offset() + self.scheduled(sequence)
    }

    /// Returns how long after the first heartbeat one was due to be sent: at most 2¹¹¹ ns.
    #[inline]
    #[expect(clippy::cast_possible_wrap, reason = "the interval is at most 2⁴⁷ ns")]
    fn scheduled(&self, sequence: u64) -> i128 {
        // One multiplication, where that of two `i128` takes three.
        let advance = sequence.saturating_sub(self.first.0);
        (u128::from(self.interval) * u128::from(advance)) as i128
    }

    #[inline]
    fn mean_offset(&self) -> i128 {
        // Nearly always the sum fits 64 bits, and dividing 128 costs ten times as much.
        match (i64::try_from(self.sum), self.len) {
            (_, 0) => 0,
            (Ok(sum), len) => sum.div_euclid(len.into()).into(),
            (Err(_), len) => self.sum.div_euclid(len.into()),
        }
    }

    /// Returns by how much the newest heartbeat strays from the schedule that the first one began, at
    /// most to 292 years.
    #[inline]
    fn newest_offset(&self) -> i64 {
        let ((_, first_at), (sequence, at)) = (self.first, self.newest);
        let elapsed = i128::from(at.as_nanos()) - i128::from(first_at.as_nanos());
        let offset = elapsed - self.scheduled(sequence);
        i64::try_from(offset).unwrap_or(if offset < 0 { i64::MIN } else { i64::MAX })
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    fn arrival(sequence: u64, at: Instant) -> Arrival {
        Arrival { sequence, at, step: None }
    }

    quickcheck! {
        fn the_estimate_is_chens_formula(beats: Vec<(u8, u16)>) -> bool {
            let interval = 1000_i128;
            let mut schedule = Schedule::new(1000, [0; 4]).unwrap();
            let (mut sequence, mut at) = (7_u64, 50_000_u64);
            let mut window: Vec<(i128, i128)> = Vec::new();
            beats.iter().all(|&(gap, elapsed)| {
                sequence += 1 + u64::from(gap % 4);
                at += u64::from(elapsed);
                schedule.record(&arrival(sequence, Instant::from_nanos(at)));
                window.push((sequence.into(), at.into()));
                if window.len() > 4 {
                    window.remove(0);
                }
                let sum: i128 = window.iter().map(|(s, a)| a - interval * s).sum();
                let mean = sum.div_euclid(window.len() as i128);
                let expected = mean + interval * (i128::from(sequence) + 1);
                let patience = (expected + 500 - i128::from(at)).max(1);
                schedule.patience(500) == u64::try_from(patience).unwrap()
            })
        }
    }

    #[test]
    fn a_heartbeat_without_a_time_moves_the_schedule_and_keeps_the_window() {
        let mut schedule = Schedule::new(1000, [0; 4]).unwrap();
        for (sequence, at) in [(1, 50_000), (2, 51_100), (3, 51_900)] {
            schedule.record(&arrival(sequence, Instant::from_nanos(at)));
        }
        schedule.realign(&arrival(24, Instant::from_nanos(99_000)));
        assert_eq!(schedule.patience(5), 1005);
        // Offsets 0, 100, −100 and now 200: on average a fourth of that late.
        schedule.record(&arrival(25, Instant::from_nanos(100_200)));
        assert_eq!(schedule.patience(0), 850);

        // A schedule that would begin before the clock does begins anew.
        schedule.restart();
        schedule.record(&arrival(0, Instant::ORIGIN));
        schedule.record(&arrival(1, Instant::from_nanos(9_000)));
        schedule.realign(&arrival(2, Instant::from_nanos(3_000)));
        assert_eq!(schedule.patience(0), 1000);
        schedule.record(&arrival(3, Instant::from_nanos(4_200)));
        assert_eq!(schedule.patience(0), 900);
    }

    #[test]
    fn absurd_sequences_and_times_saturate() {
        let mut schedule = Schedule::new(1 << 47, [0; 2]).unwrap();
        schedule.record(&arrival(0, Instant::MAX));
        schedule.record(&arrival(u64::MAX, Instant::MAX));
        assert_eq!(schedule.patience(0), u64::MAX);
        schedule.restart();
        schedule.record(&arrival(u64::MAX, Instant::ORIGIN));
        assert_eq!(schedule.patience(0), 1 << 47);
        assert_eq!(schedule.patience(-(1 << 50)), 1);
    }
}
