use core::{fmt, time::Duration};

use surmise_clock::{DurableHybridClock, HybridTimestamp, sync::AtomicDurableHybridClock};
use surmise_time::WallTime;

use super::{
    Report,
    wall::{MAX_OFFSET, Wall},
};

/// Reports nodes that crash again and again, and whose ceilings become durable late.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut wall = Wall::new(6);
    for _ in 0..NODES {
        let mut node = Node::start(None);
        for number in 0..STEPS {
            let now = wall.now();
            match wall.below(16) {
                0 => node = Node::start(node.durable),
                1..=3 => node.persist(report, number, now)?,
                _ => node.act(report, number, &mut wall, now)?,
            }
        }
    }
    Ok(())
}

/// A clock for one thread and one for many, and the ceiling on stable storage.
struct Node {
    clock: DurableHybridClock,
    shared: AtomicDurableHybridClock,
    durable: Option<HybridTimestamp>,
}

impl Node {
    fn start(durable: Option<HybridTimestamp>) -> Self {
        let Some(ceiling) = durable else {
            let clock = DurableHybridClock::new(MAX_OFFSET, WINDOW);
            return Self {
                clock,
                shared: AtomicDurableHybridClock::new(MAX_OFFSET, WINDOW),
                durable,
            };
        };
        let clock = DurableHybridClock::resume(MAX_OFFSET, WINDOW, ceiling);
        let shared = AtomicDurableHybridClock::resume(MAX_OFFSET, WINDOW, ceiling);
        let (Ok(clock), Ok(shared)) = (clock, shared) else {
            panic!("a clock resumes from any ceiling that a clock asked for, as {ceiling}")
        };
        Self { clock, shared, durable }
    }

    fn persist(&mut self, report: &mut Report<'_>, number: u64, now: WallTime) -> fmt::Result {
        let ceiling = self.clock.ceiling(now);
        report.value("durable_ceiling", number, &(ceiling, self.shared.ceiling(now)))?;
        if let Some(ceiling) = ceiling {
            self.durable = Some(ceiling);
            self.clock.raise_ceiling(ceiling);
            self.shared.raise_ceiling(ceiling);
        }
        Ok(())
    }

    fn act(
        &mut self,
        report: &mut Report<'_>,
        number: u64,
        wall: &mut Wall,
        now: WallTime,
    ) -> fmt::Result {
        let (clock, shared) = (&mut self.clock, &self.shared);
        let (remote, count) = (wall.remote(), wall.count());
        match wall.below(8) {
            0..=2 => {
                report.value("durable", number, &clock.tick(now))?;
                report.value("durable_atomic", number, &shared.tick(now))?;
            }
            3 | 4 => {
                report.value("durable", number, &clock.observe(remote, now))?;
                report.value("durable_atomic", number, &shared.observe(remote, now))?;
            }
            5 | 6 => {
                report.value("durable", number, &clock.witness(remote, now))?;
                report.value("durable_atomic", number, &shared.witness(remote, now))?;
            }
            _ => {
                report.value("durable", number, &clock.reserve(count, now))?;
                report.value("durable_atomic", number, &shared.reserve(count, now))?;
            }
        }
        report.value("durable_latest", number, &(clock.latest(), shared.latest()))?;
        report.value("durable_ahead", number, &(clock.ahead(now), shared.ahead(now)))
    }
}

const WINDOW: Duration = Duration::from_secs(2);
const NODES: u64 = 8;
const STEPS: u64 = 100;
