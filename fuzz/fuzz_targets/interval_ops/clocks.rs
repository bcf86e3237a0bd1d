//! A clock for one thread and one for many, which must agree with each other and with the model.

use core::time::Duration;

use surmise_interval::{
    ClockError, CommitWait, Drift, Interval, IntervalClock, IntervalClockConfig, Sample,
    sync::SharedIntervalClock,
};
use surmise_time::{Instant, WallTime};

use crate::{
    model::{self, Known, Model, Told},
    ops::{self, Landmarks, Op},
    world::{Moment, World},
};

/// Does one thing after another, and checks all that the clocks say.
pub(crate) fn drive(config: IntervalClockConfig, drift: Drift, ops: &[Op]) {
    let mut clocks = Clocks::new(config);
    let mut world = World::new(drift);
    for &op in ops {
        let near = clocks.landmarks(&world);
        match op {
            Op::Pass { span, wrong_ppb } => world.pass(span.nanos(), wrong_ppb),
            Op::Ask { early, late, there, back } => {
                let before = world.now().boot;
                world.pass(there.into(), i32::MIN);
                let truth = WallTime::from_nanos(world.now().truth);
                let [early, late] = [early, late].map(|nanos| Duration::from_nanos(nanos.into()));
                world.pass(back.into(), i32::MAX);
                let between = [before, world.now().boot].map(Instant::from_nanos);
                clocks.tell([truth - early, truth + late], between, drift, true);
            }
            Op::Tell { earliest, width, between, drift } => {
                let earliest = WallTime::from_nanos(earliest.resolve(&near));
                let between = between.map(|reading| reading.instant(&near));
                let ends = [earliest, earliest + Duration::from(width)];
                clocks.tell(ends, between, ops::drift(drift), false);
            }
            Op::Disrupt { away, now } => {
                let now = now.instant(&near);
                // What is noticed as of an instant has happened before it. At that instant itself the truth would be
                // two.
                if now.as_nanos() > world.now().boot {
                    world.disrupt(away.nanos());
                }
                clocks.disrupt(now);
            }
            Op::Read { now } => _ = clocks.read(now.instant(&near)),
            Op::Wait { last, now } => {
                let last = WallTime::from_nanos(last.resolve(&near));
                clocks.wait(last, now.instant(&near));
            }
        }
        clocks.check_truth(&world);
    }
}

struct Clocks {
    clock: IntervalClock,
    shared: SharedIntervalClock,
    model: Model,
    /// The last reading since the last sample.
    last: Option<(Instant, Interval)>,
}

impl Clocks {
    fn new(config: IntervalClockConfig) -> Self {
        Self {
            clock: IntervalClock::new(config),
            shared: SharedIntervalClock::new(config),
            model: Model::new(config),
            last: None,
        }
    }

    fn tell(&mut self, ends: [WallTime; 2], between: [Instant; 2], drift: Drift, right: bool) {
        let told = Interval::new(ends[0], ends[1]).expect("it begins before it ends");
        let sample = Sample::asked_between(told, between[0], between[1], drift);
        assert_eq!(sample.drift(), drift);
        model::check_gap(&told, between, &sample);
        let mut copy = self.shared.get();
        let outcome = self.clock.synchronize(sample);
        assert_eq!(copy.synchronize(sample), outcome);
        assert_eq!(self.shared.synchronize(sample), outcome);
        self.model.synchronize(Told { sample, right }, outcome);
        self.last = None;
    }

    fn disrupt(&mut self, now: Instant) {
        self.clock.disrupt(now);
        self.shared.disrupt(now);
        self.model.disrupt(now);
        self.last = None;
    }

    fn read(&mut self, now: Instant) -> Result<Interval, ClockError> {
        let result = self.clock.now(now);
        let status = self.clock.status(now);
        assert_eq!(self.shared.now(now), result);
        assert_eq!(self.shared.status(now), status);
        assert_eq!(self.shared.get().sample(now), self.clock.sample(now));
        assert_eq!([self.clock.epoch(), self.shared.get().epoch()], [self.model.epoch; 2]);
        self.model.read(now, result, status);
        if let Ok(interval) = result
            && let Some((at, last)) = self.last.replace((now, interval))
        {
            let [first, then] = if at <= now { [last, interval] } else { [interval, last] };
            assert!(first.earliest() <= then.earliest(), "{then} steps back from {first}");
            assert!(first.latest() <= then.latest(), "{then} steps back from {first}");
        }
        result
    }

    /// Checks that a wait is as long as it must be.
    fn wait(&mut self, last: WallTime, now: Instant) {
        let interval = self.read(now);
        let commit =
            interval.map_or(CommitWait::new(last), |now| CommitWait::following(last, &now));
        let remaining = commit.remaining(&self.clock, now);
        assert_eq!(remaining.err(), interval.err());
        let (Ok(interval), Ok(remaining)) = (interval, remaining) else { return };
        let timestamp = commit.timestamp();
        assert!(timestamp > last || last.as_nanos() == u64::MAX);
        assert!(timestamp >= interval.latest());
        assert_eq!(remaining.is_zero(), commit.is_over(&interval));
        // At the ends of time, an end of the interval says less than is known.
        let at_an_end = interval.earliest() == WallTime::UNIX_EPOCH
            || timestamp.as_nanos() == u64::MAX
            || (now + remaining).as_nanos() == u64::MAX;
        if let (Ok(then), false) = (self.read(now + remaining), at_an_end) {
            assert!(commit.is_over(&then), "{remaining:?} is too short");
        }
    }

    /// Checks that the truth is inside if the sample held it, now and a little before.
    fn check_truth(&mut self, world: &World) {
        let Known::Synchronized(Told { right: true, .. }) = self.model.known else { return };
        for Moment { truth, boot } in world.recent() {
            if let Ok(interval) = self.read(Instant::from_nanos(boot)) {
                assert!(
                    interval.contains(WallTime::from_nanos(truth)),
                    "{truth} not in {interval}"
                );
            }
        }
    }

    fn landmarks(&self, world: &World) -> Landmarks {
        let now = world.now().boot;
        let [sampled, end] = self.model.landmarks();
        let interval = self.clock.now(Instant::from_nanos(now));
        let latest = interval.map_or(world.now().truth, |interval| interval.latest().as_nanos());
        Landmarks { now, sampled, end, latest }
    }
}
