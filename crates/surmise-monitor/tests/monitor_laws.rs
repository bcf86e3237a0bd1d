//! The monitor against one that looks at everybody at each step, on random schedules.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "monitor_laws/naive.rs"]
mod naive;
#[cfg(feature = "std")]
#[path = "monitor_laws/shared.rs"]
mod shared;
#[path = "monitor_laws/world.rs"]
mod world;

use core::time::Duration;

use quickcheck::{Arbitrary, Gen, QuickCheck};
use surmise_monitor::{CorrelatedExpiry, Grace, MonitorConfig};

use self::world::{Op, PEERS, World};

#[derive(Clone, Debug)]
struct Schedule {
    config: MonitorConfig,
    steps: Vec<(i64, Op)>,
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let below = |g: &mut Gen, n: u8| u8::arbitrary(g) % n;
        let peer = below(g, PEERS);
        let incarnation = u64::from(below(g, 40) / 13);
        match below(g, 32) {
            0..4 => Self::Watch(peer),
            4 => Self::Unwatch(peer),
            5..18 => Self::Heartbeat { peer, incarnation, sequence: below(g, 64).into() },
            18 => {
                Self::Heartbeats { count: below(g, 80), incarnation, sequence: below(g, 64).into() }
            }
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
        let nanosecond = Duration::from_nanos(1);
        let config = MonitorConfig {
            // A long one lets time pass by more than the agenda has lists for.
            max_poll_gap: Duration::from_millis(if some(g) { 250 } else { 30_000 }),
            settle: millis(g, 400),
            first_heartbeat: some(g).then(|| millis(g, 500) + nanosecond),
            grace: some(g).then(|| Grace {
                min: min + nanosecond,
                max: min + longer + nanosecond,
                confirmations: u8::arbitrary(g) % 4,
            }),
            correlated_expiry: some(g).then(|| CorrelatedExpiry {
                peers: usize::arbitrary(g) % 5,
                percent: u8::arbitrary(g) % 100 + 1,
                within: millis(g, 400),
                hold: millis(g, 400) + nanosecond,
            }),
            health_recovery: millis(g, 600) + nanosecond,
            max_peers: usize::arbitrary(g) % 12,
        };
        let step = |g: &mut Gen| {
            // Mostly small steps; some to just at, or just beyond, the gap that is a stall; a few far, or back.
            let passed = match u8::arbitrary(g) % 16 {
                0 => 250_000_000,
                1 => 250_000_001,
                2 => i64::arbitrary(g).rem_euclid(12_000_000_000),
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

fn agrees(Schedule { config, steps }: Schedule) -> bool {
    let mut world = World::new(config);
    for (passed, op) in steps {
        let time = Duration::from_nanos(passed.unsigned_abs());
        let (forth, back) =
            if passed < 0 { (Duration::ZERO, time) } else { (time, Duration::ZERO) };
        world.step(forth, back, op);
    }
    true
}

/// Returns how many schedules are to be tried.
fn schedules() -> u64 {
    let schedules = std::env::var("SURMISE_TEST_SCHEDULES").ok();
    schedules.and_then(|count| count.parse().ok()).unwrap_or(400)
}

#[test]
fn it_finds_what_one_finds_that_looks_at_everybody() {
    QuickCheck::new().tests(schedules()).quickcheck(agrees as fn(Schedule) -> bool);
}
