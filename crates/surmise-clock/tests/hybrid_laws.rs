//! The theorems of hybrid clocks, on random executions of nodes whose wall clocks are skewed, step, and
//! stand still, and which crash and start again.

#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what fails here fails the test"
)]

extern crate alloc;

use alloc::collections::BTreeSet;
use core::{num::NonZeroU32, time::Duration};
use std::collections::HashSet;

use quickcheck::{Arbitrary, Gen, TestResult, quickcheck};
use surmise_clock::{
    DriftExceeded, DurableHybridClock, HybridClock, HybridTimestamp, StampRefused,
    sync::{AtomicDurableHybridClock, AtomicHybridClock},
};
use surmise_time::WallTime;

const NODES: usize = 3;
const MAX_OFFSET: Duration = Duration::from_nanos(300);
const WINDOW: Duration = Duration::from_nanos(200);

/// Something that happens at a node.
#[derive(Clone, Copy, Debug)]
enum Op {
    Event,
    /// Receives a message of those sent so far, at random, perhaps again.
    Receive(usize),
    /// The wall clock moves on.
    Advance(u8),
    /// The wall clock is set.
    Step(i16),
    /// The ceiling, if one is due, becomes durable, and perhaps the node comes to know.
    Persist {
        known: bool,
    },
    Crash,
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 16 {
            0..=4 => Self::Event,
            5..=8 => Self::Receive(usize::arbitrary(g)),
            9..=11 => Self::Advance(u8::arbitrary(g)),
            12 => Self::Step(i16::arbitrary(g) % 1000),
            13 | 14 => Self::Persist { known: u8::arbitrary(g) % 4 > 0 },
            _ => Self::Crash,
        }
    }
}

/// What happened, as someone sees it who sees all.
#[derive(Default)]
struct History {
    stamps: Vec<HybridTimestamp>,
    /// For each event, those that happened before it.
    causes: Vec<BTreeSet<usize>>,
}

impl History {
    fn add(&mut self, stamp: HybridTimestamp, causes: &BTreeSet<usize>) -> usize {
        self.stamps.push(stamp);
        self.causes.push(causes.clone());
        self.stamps.len() - 1
    }

    /// The clock condition: if one event happened before another, its stamp is less.
    fn keeps_the_clock_condition(&self) -> bool {
        self.causes
            .iter()
            .zip(&self.stamps)
            .all(|(causes, stamp)| causes.iter().all(|&cause| self.stamps[cause] < *stamp))
    }
}

/// A node that survives crashes with what is durable: its ceiling, and what it has seen.
struct Node {
    clock: DurableHybridClock,
    durable: Option<HybridTimestamp>,
    wall: WallTime,
    seen: BTreeSet<usize>,
}

impl Node {
    fn new(number: usize) -> Self {
        Self {
            clock: DurableHybridClock::new(MAX_OFFSET, WINDOW),
            durable: None,
            wall: WallTime::from_nanos(10_000 + 90 * number as u64),
            seen: BTreeSet::new(),
        }
    }

    fn step(&mut self, nanos: i64) {
        let by = Duration::from_nanos(nanos.unsigned_abs());
        self.wall = if nanos < 0 { self.wall - by } else { self.wall + by };
    }

    fn restart(&mut self) {
        self.clock = match self.durable {
            Some(ceiling) => DurableHybridClock::resume(MAX_OFFSET, WINDOW, ceiling).unwrap(),
            None => DurableHybridClock::new(MAX_OFFSET, WINDOW),
        };
    }

    fn record(&mut self, stamp: HybridTimestamp, history: &mut History) {
        let event = history.add(stamp, &self.seen);
        self.seen.insert(event);
    }

    fn receive(&mut self, message: usize, history: &mut History) {
        match self.clock.witness(history.stamps[message], self.wall) {
            Ok(stamp) => {
                self.seen.extend(history.causes[message].iter().copied());
                self.seen.insert(message);
                self.record(stamp, history);
            }
            Err(StampRefused::DriftExceeded(error)) => assert!(error.ahead() > MAX_OFFSET),
            Err(StampRefused::CeilingReached(error)) => assert!(Some(error.stamp) > error.ceiling),
            Err(error) => panic!("{error}"),
        }
    }
}

quickcheck! {
    fn durable_clocks_keep_the_clock_condition_across_crashes(ops: Vec<(usize, Op)>) -> bool {
        let mut nodes: [Node; NODES] = core::array::from_fn(Node::new);
        let mut history = History::default();
        let mut given = [const { BTreeSet::new() }; NODES];
        for (node, op) in ops {
            let number = node % NODES;
            let node = &mut nodes[number];
            let before = history.stamps.len();
            match op {
                Op::Event => {
                    if let Ok(stamp) = node.clock.tick(node.wall) {
                        node.record(stamp, &mut history);
                    }
                }
                Op::Receive(_) if before == 0 => {}
                Op::Receive(message) => node.receive(message % before, &mut history),
                Op::Advance(nanos) => node.step(nanos.into()),
                Op::Step(nanos) => node.step(nanos.into()),
                Op::Persist { known } => {
                    if let Some(ceiling) = node.clock.ceiling(node.wall) {
                        node.durable = Some(ceiling);
                        if known {
                            node.clock.raise_ceiling(ceiling);
                        }
                    }
                }
                Op::Crash => node.restart(),
            }
            for &stamp in &history.stamps[before..] {
                assert!(given[number].insert(stamp), "{stamp} was given twice");
                assert!(stamp.wall_time() >= node.wall, "{stamp} is before physical time");
                assert!(Some(stamp) <= node.durable, "{stamp} is above what is durable");
            }
        }
        history.keeps_the_clock_condition()
    }

    /// l ≥ pt, and l − pt is bounded, as long as wall clocks only go forward.
    fn stamps_are_close_to_physical_time(ops: Vec<(usize, u8, Option<usize>)>) -> bool {
        let mut clocks: [HybridClock; NODES] = core::array::from_fn(|_| HybridClock::new(MAX_OFFSET));
        let mut walls = [1_000, 1_150, 1_290].map(WallTime::from_nanos);
        let mut given = [0; NODES];
        let mut history = History::default();
        let mut seen = [const { BTreeSet::new() }; NODES];
        for (node, advance, message) in ops {
            let node = node % NODES;
            walls[node] += Duration::from_nanos(u64::from(advance));
            let (clock, wall) = (&mut clocks[node], walls[node]);
            let message = message.filter(|_| !history.stamps.is_empty());
            let message = message.map(|message| message % history.stamps.len());
            let stamp = match message {
                None => clock.tick(wall),
                Some(message) => match clock.witness(history.stamps[message], wall) {
                    Ok(stamp) => stamp,
                    Err(_) => continue,
                },
            };
            given[node] += 1;
            assert!(stamp.wall_time() >= wall);
            assert!(stamp.wall_time() - wall <= MAX_OFFSET + Duration::from_nanos(given[node]));
            if let Some(message) = message {
                seen[node].extend(history.causes[message].iter().copied());
                seen[node].insert(message);
            }
            let event = history.add(stamp, &seen[node]);
            seen[node].insert(event);
        }
        history.keeps_the_clock_condition()
    }

    /// An operation does what a clock of one unbounded number would do, or refuses and changes nothing.
    fn a_clock_is_what_the_paper_says(
        start: u64,
        max_offset: u16,
        ops: Vec<(u8, u64, u64)>
    ) -> TestResult {
        let max_offset = Duration::from_nanos(max_offset.into());
        let Some(start) = HybridTimestamp::from_nanos(start) else { return TestResult::discard() };
        let Ok(mut clock) = HybridClock::resume(max_offset, start) else {
            assert!(start.as_nanos() > (1 << 63) + (1 << 62));
            return TestResult::passed();
        };
        let shared = AtomicHybridClock::resume(max_offset, start).unwrap();
        let mut latest = u128::from(start.as_nanos());
        for (kind, remote, physical) in ops {
            // Near the latest stamp is where it matters.
            let around = |value: u64, reach: u64| {
                (latest as u64).saturating_add(value % (2 * reach + 1)).saturating_sub(reach)
            };
            let near = |value: u64| match kind / 8 % 4 {
                0 => value,
                1 => around(value, 2),
                _ => around(value, 49_999),
            };
            let (remote, physical) = (near(remote).max(1), near(physical));
            let stamp = HybridTimestamp::from_nanos(remote).unwrap();
            let wall = WallTime::from_nanos(physical);
            let believed = u128::from(physical.min(i64::MAX as u64));
            let reach = believed + max_offset.as_nanos();
            let (remote, next) = (u128::from(remote), believed.max(latest + 1));
            let count = NonZeroU32::new(remote as u32 % 1000 + 1).unwrap();
            let (refused, after) = match kind % 8 {
                0..=2 => (false, next),
                3 | 4 => (remote > latest && remote > reach, latest.max(remote)),
                5 | 6 => (remote > latest && remote > reach, believed.max(latest.max(remote) + 1)),
                _ => (next + u128::from(count.get()) - 1 > reach, next + u128::from(count.get()) - 1),
            };
            let done = |outcome: Result<Option<HybridTimestamp>, DriftExceeded>| match outcome {
                Ok(stamp) => {
                    assert!(!refused);
                    assert!(stamp.is_none_or(|stamp| u128::from(stamp.as_nanos()) == after));
                }
                Err(error) => assert!(refused && error.ahead() > max_offset),
            };
            match kind % 8 {
                0..=2 => {
                    done(Ok(Some(clock.tick(wall))));
                    done(Ok(Some(shared.tick(wall))));
                }
                3 | 4 => {
                    done(clock.observe(stamp, wall).map(|()| None));
                    done(shared.observe(stamp, wall).map(|()| None));
                }
                5 | 6 => {
                    done(clock.witness(stamp, wall).map(Some));
                    done(shared.witness(stamp, wall).map(Some));
                }
                _ => {
                    done(clock.reserve(count, wall).map(Iterator::last));
                    done(shared.reserve(count, wall).map(Iterator::last));
                }
            }
            latest = if refused { latest } else { after };
            assert_eq!(clock.latest().map(HybridTimestamp::as_nanos).map(u128::from), Some(latest));
            assert_eq!(shared.latest(), clock.latest());
            assert_eq!(shared.ahead(wall), clock.ahead(wall));
            let next = believed.max(latest + 1);
            assert_eq!(clock.ahead(wall).as_nanos(), next - believed);
        }
        TestResult::passed()
    }

    fn a_shared_durable_clock_is_the_durable_clock(ops: Vec<(u8, u16, u16)>) -> bool {
        let mut clock = DurableHybridClock::new(MAX_OFFSET, WINDOW);
        let shared = AtomicDurableHybridClock::new(MAX_OFFSET, WINDOW);
        ops.into_iter().all(|(kind, value, physical)| {
            let wall = WallTime::from_nanos(u64::from(physical) % 2048);
            let stamp = HybridTimestamp::from_nanos(u64::from(value) % 2048 + 1).unwrap();
            let count = NonZeroU32::MIN.saturating_add(u32::from(value % 64));
            let same = match kind % 5 {
                0 => clock.tick(wall) == shared.tick(wall),
                1 => clock.observe(stamp, wall) == shared.observe(stamp, wall),
                2 => clock.witness(stamp, wall) == shared.witness(stamp, wall),
                3 => clock.reserve(count, wall) == shared.reserve(count, wall),
                _ => {
                    clock.raise_ceiling(stamp);
                    shared.raise_ceiling(stamp);
                    true
                }
            };
            same && clock.latest() == shared.latest()
                && clock.ceiling(wall) == shared.ceiling(wall)
                && clock.ahead(wall) == shared.ahead(wall)
        })
    }

    /// Whoever keeps the ceiling within half a window never runs into it.
    fn a_kept_ceiling_is_never_reached(start: u32, steps: Vec<(u8, u8)>) -> bool {
        let mut clock = DurableHybridClock::new(MAX_OFFSET, WINDOW);
        let mut wall = WallTime::from_nanos(start.into());
        steps.into_iter().all(|(advance, ahead)| {
            if let Some(ceiling) = clock.ceiling(wall) {
                clock.raise_ceiling(ceiling);
                assert_eq!(clock.ceiling(wall), None);
            }
            let ahead = MAX_OFFSET - Duration::from_nanos(ahead.into());
            let remote = HybridTimestamp::from_nanos((wall + ahead).as_nanos()).unwrap();
            clock.observe(remote, wall).unwrap();
            // Half a window, less the stamps that are given in it.
            wall += Duration::from_nanos(u64::from(advance) % 96);
            (0..4).all(|_| clock.tick(wall).is_ok())
        })
    }

    fn reservations_are_stamps_of_nobody_else(counts: Vec<u8>, wall: u32) -> bool {
        let mut clock = HybridClock::new(Duration::from_secs(1));
        let wall = WallTime::from_nanos(wall.into());
        let mut given = HashSet::new();
        counts.into_iter().all(|count| {
            let count = NonZeroU32::MIN.saturating_add(count.into());
            let reservation = clock.reserve(count, wall).unwrap();
            assert_eq!(reservation.len(), count.get() as usize);
            let last = clock.latest();
            let stamps: Vec<_> = reservation.collect();
            assert_eq!(stamps.last().copied(), last);
            stamps.into_iter().chain([clock.tick(wall)]).all(|stamp| given.insert(stamp))
        })
    }
}

/// What is observed is behind all that follows, also if it is just the next stamp.
#[test]
fn the_next_stamp_is_no_old_one() {
    let now = WallTime::from_nanos(1_000);
    let (mut clock, shared) = (HybridClock::new(MAX_OFFSET), AtomicHybridClock::new(MAX_OFFSET));
    let next = clock.tick(now).next().unwrap();
    assert_eq!(shared.tick(now).next(), Some(next));
    clock.observe(next, now).unwrap();
    shared.observe(next, now).unwrap();
    assert!(clock.tick(now) > next && shared.tick(now) > next);

    let mut durable = DurableHybridClock::new(MAX_OFFSET, WINDOW);
    let shared = AtomicDurableHybridClock::new(MAX_OFFSET, WINDOW);
    let ceiling = durable.ceiling(now).unwrap();
    durable.raise_ceiling(ceiling);
    shared.raise_ceiling(ceiling);
    assert_eq!(durable.tick(now), Ok(next.previous().unwrap()));
    assert_eq!(shared.tick(now), Ok(next.previous().unwrap()));
    durable.observe(next, now).unwrap();
    shared.observe(next, now).unwrap();
    assert!(durable.tick(now).unwrap() > next && shared.tick(now).unwrap() > next);
}

/// However often a node crashes, its clock is ahead by the offset, the window and a little at most.
#[test]
fn restarts_do_not_add_up() {
    let (max_offset, window) = (Duration::from_millis(500), Duration::from_secs(4));
    let mut wall = WallTime::from_nanos(1_795_230_725_000_000_000);
    let mut clock = DurableHybridClock::new(max_offset, window);
    let mut last = None;
    for _ in 0..1000 {
        let ceiling = clock.ceiling(wall).unwrap();
        clock.raise_ceiling(ceiling);
        let stamp = clock.tick(wall).unwrap();
        assert!(Some(stamp) > last);
        last = Some(stamp);
        assert!(clock.ahead(wall) <= max_offset + window + Duration::from_millis(1));
        wall += Duration::from_millis(50);
        clock = DurableHybridClock::resume(max_offset, window, ceiling).unwrap();
    }
}

#[test]
fn readings_after_2262_leave_room_for_stamps() {
    let max_offset = Duration::MAX;
    let mut clock = HybridClock::new(max_offset);
    let longest = Duration::from_nanos(1 << 60);
    assert_eq!(clock.max_offset(), longest);
    assert_eq!(HybridClock::new(longest + Duration::from_nanos(1)).max_offset(), longest);
    let in_2262 = i64::MAX as u64;
    assert_eq!(clock.tick(WallTime::MAX).as_nanos(), in_2262);
    assert_eq!(clock.tick(WallTime::MAX).as_nanos(), in_2262 + 1);
    let farthest = HybridTimestamp::from_nanos(in_2262 + (1 << 60)).unwrap();
    assert!(clock.observe(farthest.next().unwrap(), WallTime::MAX).is_err());
    assert_eq!(clock.witness(farthest, WallTime::MAX).unwrap(), farthest.next().unwrap());

    let highest = HybridTimestamp::from_nanos((1 << 63) + (1 << 62)).unwrap();
    assert!(HybridClock::resume(max_offset, highest).is_ok());
    let error = HybridClock::resume(max_offset, highest.next().unwrap()).unwrap_err();
    assert_eq!((error.ceiling, error.max), (highest.next().unwrap(), highest));

    // However the clock got there, the ceiling that it asks for can be resumed from.
    let below = highest.previous().unwrap();
    let durable = DurableHybridClock::resume(max_offset, max_offset, below).unwrap();
    assert_eq!(durable.ceiling(WallTime::MAX), Some(highest));
    let durable = DurableHybridClock::resume(max_offset, max_offset, highest).unwrap();
    assert_eq!(durable.ceiling(WallTime::MAX), None);
}
