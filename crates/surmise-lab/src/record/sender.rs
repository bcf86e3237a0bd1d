use core::time::Duration;
use std::{io, net::UdpSocket};

use surmise_time::Instant;

use super::{
    Datagram, DatagramKind, MAX_HEARTBEATS, clock,
    socket::{self, Address},
    stop::Stop,
};

/// How often the end is announced, so that some of it arrives.
const ENDS: u32 = 5;

/// The time between two announcements.
const END_INTERVAL: Duration = Duration::from_millis(20);

/// When heartbeats are sent.
///
/// The nth is due n intervals after the first, whatever happened to the ones before, so nothing
/// drifts. A sender that was held up sends all that are due at once, late: it skips none, and each
/// carries the time when it really left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    interval: Duration,
    count: u64,
}

impl Schedule {
    /// Creates a schedule of at most [`MAX_HEARTBEATS`].
    pub(super) fn new(interval: Duration, count: u64) -> Self {
        Self { interval, count: count.min(MAX_HEARTBEATS) }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    fn due(&self, start: Instant, sequence: u64) -> Instant {
        let nanos = self.interval.as_nanos().saturating_mul(u128::from(sequence));
        start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// What a sender did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// When each heartbeat was handed to the operating system, in nanoseconds.
    pub(super) times: Vec<u64>,
    /// How many of them it refused.
    pub(super) refused: u64,
    /// How many answers came that nobody listens. The system may merge several into one.
    pub(super) unheard: u64,
}

/// Sends heartbeats.
#[derive(Debug)]
pub(super) struct Sender {
    socket: UdpSocket,
    session: u64,
    schedule: Schedule,
}

impl Sender {
    pub(super) fn new(to: Address, schedule: Schedule) -> io::Result<Self> {
        Ok(Self { socket: socket::connect(to)?, session: rand::random(), schedule })
    }

    /// Sends all heartbeats, or those until the signal, and announces the end.
    ///
    /// `each` hears of every heartbeat after it was sent.
    ///
    /// # Errors
    ///
    /// The operating system's refusal of the first heartbeat, unless it is only that nobody listens
    /// yet. Later ones are counted: a network that went away is what a trace should show.
    pub(super) fn run(&self, stop: &Stop, mut each: impl FnMut(u64)) -> io::Result<Sent> {
        let start = clock::now();
        let mut sent = Sent::default();
        for sequence in 0..self.schedule.count {
            if stop.wait_until(self.schedule.due(start, sequence)) {
                break;
            }
            let now = clock::now().as_nanos();
            let outcome = self.send(DatagramKind::Heartbeat, sequence, now);
            sent.times.push(now);
            match outcome {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    // This is the answer to an earlier heartbeat, and this one was not sent.
                    sent.unheard += u64::from(sequence > 0);
                    sent.refused +=
                        u64::from(self.send(DatagramKind::Heartbeat, sequence, now).is_err());
                }
                Err(error) if sequence == 0 => return Err(error),
                Err(_passing) => sent.refused += 1,
            }
            each(sequence);
        }
        sent.unheard += u64::from(self.announce_end(sent.times.len()));
        Ok(sent)
    }

    /// Returns whether the first announcement brought the answer that nobody heard the last heartbeat.
    fn announce_end(&self, sent: usize) -> bool {
        let count = u64::try_from(sent).unwrap_or(u64::MAX);
        let mut unheard = false;
        for announcement in 0..ENDS {
            // The receiver does without, if none arrives.
            let outcome = self.send(DatagramKind::End, count, clock::now().as_nanos());
            let answer = outcome.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
            unheard |= announcement == 0 && sent > 0 && answer;
            clock::wait(END_INTERVAL);
        }
        unheard
    }

    fn send(&self, kind: DatagramKind, sequence: u64, now: u64) -> io::Result<()> {
        let bytes = Datagram::new(kind, self.session, sequence, now).encode();
        self.socket.send(&bytes).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_does_not_drift_or_overflow() {
        let schedule = Schedule::new(Duration::from_nanos(100_000_001), u64::MAX);
        assert_eq!(schedule.count(), MAX_HEARTBEATS);
        let start = Instant::from_nanos(5);
        assert_eq!(schedule.due(start, 0), start);
        assert_eq!(schedule.due(start, 1_000_000).as_nanos(), 100_000_001_000_005);
        assert_eq!(Schedule::new(Duration::MAX, 9).due(start, 8), Instant::MAX);
    }
}
