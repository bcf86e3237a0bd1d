//! A monitor and a naive one, which are told the same and have to say the same.

use core::time::Duration;

use surmise_detector::{Beat, FailureDetector};
use surmise_monitor::{Event, Heartbeat, Monitor, MonitorConfig};
use surmise_time::Instant;

use super::naive::Naive;

/// How many peers there are, watched or not.
pub(crate) const PEERS: u8 = 9;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Watch(u8),
    Unwatch(u8),
    Heartbeat {
        peer: u8,
        incarnation: u64,
        sequence: u64,
    },
    /// So many at once, of one peer after the other and one stranger, each with the next sequence number.
    Heartbeats {
        count: u8,
        incarnation: u64,
        sequence: u64,
    },
    Refute {
        peer: u8,
        incarnation: u64,
    },
    Confirm {
        peer: u8,
        incarnation: u64,
        observer: u8,
    },
    WorsenHealth,
    Poll,
    /// So many events are taken, and the others left for the next time.
    PollSome(usize),
}

pub(crate) struct World {
    config: MonitorConfig,
    monitor: Monitor<u8, Capricious>,
    naive: Naive<Capricious>,
    /// What the naive one found, and the other has not told yet.
    left: Vec<Event<u8>>,
    now: Instant,
}

impl World {
    pub(crate) fn new(config: MonitorConfig) -> Self {
        Self {
            config,
            monitor: Monitor::new(config).unwrap(),
            naive: Naive::new(config),
            left: Vec::new(),
            now: Instant::from_nanos(1 << 40),
        }
    }

    /// Lets time pass, or step back, and does something.
    pub(crate) fn step(&mut self, forth: Duration, back: Duration, op: Op) {
        self.now = self.now + forth - back;
        let Self { monitor, naive, left, now, .. } = self;
        let now = *now;
        match op {
            Op::Watch(peer) => {
                let is_watched = monitor.watch(peer, Capricious::default(), now).is_ok();
                assert_eq!(is_watched, naive.watch(peer, Capricious::default(), now));
            }
            Op::Unwatch(peer) => {
                assert_eq!(monitor.unwatch(&peer).is_some(), naive.unwatch(peer));
                left.retain(|event| event.peer() != Some(&peer));
            }
            Op::Heartbeat { peer, incarnation, sequence } => {
                let beat = monitor.heartbeat(&peer, incarnation, sequence, now);
                assert_eq!(beat, naive.heartbeat(peer, incarnation, sequence, now));
            }
            Op::Heartbeats { count, incarnation, sequence } => {
                let peers: Vec<u8> = (0..count).map(|n| n % (PEERS + 1)).collect();
                let heartbeats = peers.iter().zip(sequence..);
                let heartbeats =
                    heartbeats.map(|(peer, sequence)| Heartbeat { peer, incarnation, sequence });
                let mut told = Vec::new();
                monitor.heartbeats(heartbeats, now, |it, beat| told.push((*it.peer, beat)));
                let expected = peers.iter().zip(sequence..).map(|(&peer, sequence)| {
                    (peer, naive.heartbeat(peer, incarnation, sequence, now))
                });
                assert_eq!(told, expected.collect::<Vec<_>>());
            }
            Op::Refute { peer, incarnation } => {
                let refuted = monitor.refute(&peer, incarnation, now);
                assert_eq!(refuted, naive.refute(peer, incarnation, now));
            }
            Op::Confirm { peer, incarnation, observer } => {
                let confirmed = monitor.confirm(&peer, incarnation, observer, now);
                assert_eq!(confirmed, naive.confirm(peer, incarnation, observer, now));
            }
            Op::WorsenHealth => {
                monitor.worsen_health(now);
                naive.worsen_health(now);
            }
            Op::Poll => {
                self.poll(usize::MAX);
                self.wakes_in_time();
            }
            Op::PollSome(events) => self.poll(events),
        }
        for peer in 0..PEERS {
            let status = self.monitor.status(&peer);
            let status = status.map(|it| (it.state, it.is_held, it.incarnation, it.flaps));
            assert_eq!(status, self.naive.state(peer));
        }
    }

    fn poll(&mut self, events: usize) {
        self.left.append(&mut self.naive.poll(self.now));
        let told: Vec<_> = self.monitor.poll(self.now).take(events).collect();
        let rest = self.left.split_off(told.len());
        assert_eq!(told, core::mem::replace(&mut self.left, rest));
        assert!(events < usize::MAX || self.left.is_empty(), "{:?} is not told", self.left);
    }

    /// Whoever sleeps until the deadline does not sleep past anything, wakes before that is taken for a stall, and does
    /// not wake at once for nothing.
    fn wakes_in_time(&mut self) {
        let (latest, next) = (self.naive.latest(), self.naive.next_by_the_clock());
        let Some(deadline) = self.monitor.deadline() else {
            // A hold can outlast those who were held, and then nothing comes of its end.
            return assert!(self.monitor.is_empty());
        };
        assert!(next.is_none_or(|next| deadline <= next), "{deadline} is after {next:?}");
        assert!(deadline - latest <= self.config.max_poll_gap);
        assert!(deadline > latest || next.is_some_and(|next| next <= latest));
    }
}

/// A detector whose timeout is what the sequence number says, so that deadlines move back and forth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capricious {
    /// By how much its timeouts are longer than others'.
    pub(crate) longer: Duration,
    highest: Option<u64>,
    deadline: Option<Instant>,
}

impl FailureDetector for Capricious {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.hear(sequence, now, Duration::ZERO)
    }

    // What was queued is told apart by its timeout.
    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.hear(sequence, now, Duration::from_millis(25))
    }

    fn restart(&mut self) {
        (self.highest, self.deadline) = (None, None);
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Capricious {
    fn hear(&mut self, sequence: u64, now: Instant, more: Duration) -> Beat {
        match self.highest {
            Some(highest) if sequence == highest => return Beat::Duplicate,
            Some(highest) if sequence < highest => return Beat::Stale { highest },
            _ => {}
        }
        let is_first = self.highest.replace(sequence).is_none();
        // One in sixteen is never suspected, and one beyond what is written down at first.
        let timeout = match sequence % 16 {
            0 => Duration::MAX,
            1 => Duration::from_secs(30),
            n => Duration::from_millis(n * 50),
        };
        self.deadline = Some(now + timeout.saturating_add(more + self.longer));
        if is_first { Beat::First } else { Beat::Fresh { lost: 0, suspected: false } }
    }
}
