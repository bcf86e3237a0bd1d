//! The monitor against one that looks at everybody at each step, on random schedules.

#[path = "support/naive.rs"]
mod naive;

use std::time::Duration;

use quickcheck::{Arbitrary, Gen, QuickCheck};
use surmise_detector::{Beat, FailureDetector};
use surmise_monitor::{CorrelatedExpiry, Grace, Monitor, MonitorConfig};
use surmise_time::Instant;

use self::naive::Naive;

/// A detector whose timeout is what the sequence number says, so that deadlines move back and forth.
#[derive(Clone, Debug, Default)]
struct Capricious {
    highest: Option<u64>,
    deadline: Option<Instant>,
}

impl FailureDetector for Capricious {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        match self.highest {
            Some(highest) if sequence == highest => return Beat::Duplicate,
            Some(highest) if sequence < highest => return Beat::Stale { highest },
            _ => {}
        }
        let is_first = self.highest.replace(sequence).is_none();
        // One in sixteen is never suspected.
        let timeout = match sequence % 16 {
            0 => Duration::MAX,
            n => Duration::from_millis(n * 50),
        };
        self.deadline = Some(now + timeout);
        if is_first { Beat::First } else { Beat::Fresh { lost: 0, suspected: false } }
    }

    fn restart(&mut self) {
        *self = Self::default();
    }

    fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

#[derive(Clone, Debug)]
struct Schedule {
    config: MonitorConfig,
    steps: Vec<(i64, Op)>,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Watch(u8),
    Unwatch(u8),
    Heartbeat {
        peer: u8,
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
    /// Some events are left for the next time.
    PollSome(usize),
}

const PEERS: u8 = 9;

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let below = |g: &mut Gen, n: u8| u8::arbitrary(g) % n;
        let peer = below(g, PEERS);
        let incarnation = u64::from(below(g, 40) / 13);
        match below(g, 32) {
            0..4 => Self::Watch(peer),
            4 => Self::Unwatch(peer),
            5..19 => Self::Heartbeat { peer, incarnation, sequence: below(g, 64).into() },
            19 => Self::Refute { peer, incarnation },
            20..23 => Self::Confirm { peer, incarnation, observer: below(g, 4) },
            23 => Self::WorsenHealth,
            24 => Self::PollSome(below(g, 3).into()),
            _ => Self::Poll,
        }
    }
}

impl Arbitrary for Schedule {
    fn arbitrary(g: &mut Gen) -> Self {
        let millis = |g: &mut Gen, most: u64| Duration::from_millis(u64::arbitrary(g) % most);
        let some = |g: &mut Gen| u8::arbitrary(g) % 4 > 0;
        let (min, longer) = (millis(g, 400), millis(g, 800));
        let config = MonitorConfig {
            max_poll_gap: Duration::from_millis(250),
            settle: millis(g, 400),
            first_heartbeat: some(g).then(|| millis(g, 500) + Duration::from_nanos(1)),
            grace: some(g).then(|| Grace {
                min: min + Duration::from_nanos(1),
                max: min + longer + Duration::from_nanos(1),
                confirmations: u8::arbitrary(g) % 4,
            }),
            correlated_expiry: some(g).then(|| CorrelatedExpiry {
                peers: usize::arbitrary(g) % 5,
                percent: u8::arbitrary(g) % 100 + 1,
                within: millis(g, 400),
                hold: millis(g, 400) + Duration::from_nanos(1),
            }),
            health_recovery: millis(g, 600) + Duration::from_nanos(1),
            max_peers: usize::arbitrary(g) % 12,
        };
        let step = |g: &mut Gen| {
            // Mostly small steps; some to just at, or just beyond, the gap that is a stall; a few far, or back.
            let passed = match u8::arbitrary(g) % 16 {
                0 => 250_000_000,
                1 => 250_000_001,
                2 => i64::arbitrary(g).rem_euclid(3_000_000_000),
                3 => -i64::arbitrary(g).rem_euclid(300_000_000),
                4..7 => 0,
                _ => i64::arbitrary(g).rem_euclid(80) * 1_000_000 + i64::from(bool::arbitrary(g)),
            };
            (passed, Op::arbitrary(g))
        };
        Self { config, steps: (0..400).map(|_| step(g)).collect() }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let config = self.config;
        Box::new(self.steps.shrink().map(move |steps| Self { config, steps }))
    }
}

fn agrees(schedule: Schedule) -> bool {
    let Schedule { config, steps } = schedule;
    let mut monitor = Monitor::new(config).unwrap();
    let mut naive = Naive::new(config);
    let mut left = Vec::new();
    let mut now = Instant::from_nanos(1 << 40);
    for (passed, op) in steps {
        now = match u64::try_from(passed) {
            Ok(passed) => now + Duration::from_nanos(passed),
            Err(_) => now - Duration::from_nanos(passed.unsigned_abs()),
        };
        let agrees = match op {
            Op::Watch(peer) => {
                let watched = monitor.watch(peer, Capricious::default(), now);
                watched.is_ok() == naive.watch(peer, Capricious::default(), now)
            }
            Op::Unwatch(peer) => monitor.unwatch(&peer).is_some() == naive.unwatch(peer),
            Op::Heartbeat { peer, incarnation, sequence } => {
                monitor.heartbeat(&peer, incarnation, sequence, now)
                    == naive.heartbeat(peer, incarnation, sequence, now)
            }
            Op::Refute { peer, incarnation } => {
                monitor.refute(&peer, incarnation, now) == naive.refute(peer, incarnation, now)
            }
            Op::Confirm { peer, incarnation, observer } => {
                monitor.confirm(&peer, incarnation, observer, now)
                    == naive.confirm(peer, incarnation, observer, now)
            }
            Op::WorsenHealth => {
                monitor.worsen_health(now);
                naive.worsen_health(now);
                true
            }
            Op::Poll => {
                left.append(&mut naive.poll(now));
                let events: Vec<_> = monitor.poll(now).collect();
                let agrees = events == std::mem::take(&mut left);
                agrees && wakes_in_time(&mut monitor, &naive, config.max_poll_gap)
            }
            Op::PollSome(n) => {
                left.append(&mut naive.poll(now));
                let events: Vec<_> = monitor.poll(now).take(n).collect();
                let rest = left.split_off(events.len());
                events == std::mem::replace(&mut left, rest)
            }
        };
        let status = |peer: u8| {
            let status = monitor.status(&peer)?;
            Some((status.state, status.is_held, status.incarnation, status.flaps))
        };
        if !agrees || (0..PEERS).any(|peer| status(peer) != naive.state(peer)) {
            return false;
        }
    }
    true
}

/// Whoever sleeps until the deadline does not sleep past anything, wakes in time not to be taken for stalled, and
/// does not wake for nothing at once.
fn wakes_in_time(
    monitor: &mut Monitor<u8, Capricious>,
    naive: &Naive<Capricious>,
    max_gap: Duration,
) -> bool {
    let now = naive.latest();
    match (monitor.deadline(), naive.next_by_the_clock()) {
        (Some(deadline), next) => {
            next.is_none_or(|next| deadline <= next)
                && deadline - now <= max_gap
                && (deadline > now || next.is_some_and(|next| next <= now))
        }
        // A hold can outlast those who were held, and then nothing comes of its end.
        (None, _) => monitor.is_empty(),
    }
}

#[test]
fn it_finds_what_one_finds_that_looks_at_everybody() {
    let schedules = std::env::var("SURMISE_TEST_SCHEDULES").ok();
    let schedules = schedules.and_then(|count| count.parse().ok()).unwrap_or(400);
    QuickCheck::new().tests(schedules).quickcheck(agrees as fn(Schedule) -> bool);
}
