//! The true time is in the interval, whatever the clocks do within what was stated: a simulation that
//! knows the truth, and in which every mistake that an implementation could make shows.

#![expect(clippy::indexing_slicing, reason = "there are two clocks, by index")]

use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise_interval::{
    ClockError, ClockStatus, Drift, Interval, IntervalClock, IntervalClockConfig, Sample,
    Synchronization,
};
use surmise_time::{Instant, WallTime};

const DRIFT_PPB: u32 = 200_000;
const CONFIG: IntervalClockConfig = IntervalClockConfig {
    free_running_after: Duration::from_secs(40),
    unsynchronized_after: Duration::from_secs(2000),
};

/// A node, and what time it really is.
struct World {
    random: ChaCha8Rng,
    truth: u64,
    /// A clock that counts on in suspend, which drifts.
    boot: u64,
    /// One that does not.
    awake: u64,
    /// How much too fast both are at present.
    rate_ppb: i64,
}

impl World {
    fn new(seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self { random, truth: 1_795_230_725_000_000_000, boot: 0, awake: 0, rate_ppb: 0 }
    }

    /// Lets time pass, suspended or not.
    fn pass(&mut self, nanos: u64, suspended: bool) {
        let wrong = i128::from(nanos) * i128::from(self.rate_ppb) / 1_000_000_000;
        let counted = u64::try_from(i128::from(nanos) + wrong).expect("clocks never go back");
        self.truth += nanos;
        self.boot += counted;
        self.awake += if suspended { 0 } else { counted };
    }

    /// Returns up to so many nanoseconds, of which short times are as frequent as long ones.
    fn up_to(&mut self, nanos: u64) -> u64 {
        let scale = self.random.random_range(0..=nanos.ilog2());
        self.random.random_range(0..=nanos >> scale)
    }

    /// Asks a source that is right, over a network whose two ways take different times.
    fn ask(&mut self) -> Answer {
        let before = [self.boot, self.awake];
        let there = self.up_to(50_000_000);
        self.pass(there, false);
        let (early, late) = (self.up_to(2_000_000), self.up_to(2_000_000));
        let interval = Interval::new(
            WallTime::from_nanos(self.truth - early),
            WallTime::from_nanos(self.truth + late),
        );
        let back = self.up_to(50_000_000);
        self.pass(back, false);
        let interval = interval.expect("it begins before it ends");
        Answer { interval, before, after: [self.boot, self.awake] }
    }
}

struct Answer {
    interval: Interval,
    /// What both clocks showed when the source was asked, and when it had answered.
    before: [u64; 2],
    after: [u64; 2],
}

/// What an implementation could forget.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    Drift,
    ReadGap,
    Suspend,
    Disruption,
}

/// Reads the clock so many times, and returns how often the truth was outside.
fn outside(seed: u64, readings: u32, mistake: Mistake) -> u32 {
    let mut world = World::new(seed);
    let mut clock = IntervalClock::new(CONFIG);
    let which = usize::from(mistake == Mistake::Suspend);
    let drift = if mistake == Mistake::Drift { 0 } else { DRIFT_PPB };
    let drift = Drift::from_ppb(drift).expect("200 ppm is allowed");
    let mut outside = 0;
    for _ in 0..readings {
        match world.random.random_range(0..1000) {
            // A source is asked every 30 s or so, and at times not for an hour.
            0..30 => {
                let Answer { interval, before, after } = world.ask();
                let [before, after] = [before[which], after[which]].map(Instant::from_nanos);
                let sample = match mistake {
                    Mistake::ReadGap => Sample::new(interval, before, drift),
                    _ => Sample::asked_between(interval, before, after, drift),
                };
                let outcome = clock.synchronize(sample);
                assert!(mistake != Mistake::None || outcome == Synchronization::Accepted);
            }
            30..40 => world.rate_ppb = world.random.random_range(-200_000..=200_000),
            40 => world.rate_ppb = if world.rate_ppb < 0 { -200_000 } else { 200_000 },
            41 => {
                let asleep = world.up_to(600_000_000_000);
                world.pass(asleep, true);
            }
            42 => {
                // Moved to another machine, whose clocks show something else.
                let moved = world.up_to(5_000_000_000);
                world.boot += moved;
                world.awake += moved;
                if mistake != Mistake::Disruption {
                    clock.disrupt(Instant::from_nanos([world.boot, world.awake][which]));
                    assert_eq!(
                        clock.status(Instant::from_nanos(world.boot)),
                        ClockStatus::Disrupted
                    );
                }
            }
            _ => {}
        }
        let nanos = world.up_to(4_000_000_000);
        world.pass(nanos, false);
        let now = Instant::from_nanos([world.boot, world.awake][which]);
        // Without a sample since the disruption, there is nothing to be wrong about.
        if let Ok(interval) = clock.now(now) {
            outside += u32::from(!interval.contains(WallTime::from_nanos(world.truth)));
        }
    }
    outside
}

#[test]
fn the_truth_is_inside_ten_million_times() {
    for seed in 0..10 {
        assert_eq!(outside(seed, 1_000_000, Mistake::None), 0, "seed {seed}");
    }
}

#[test]
fn whatever_is_forgotten_shows() {
    for (mistake, name) in [
        (Mistake::Drift, "drift"),
        (Mistake::ReadGap, "read gap"),
        (Mistake::Suspend, "suspend"),
        (Mistake::Disruption, "disruption"),
    ] {
        assert!(outside(1, 100_000, mistake) > 0, "nobody notices that {name} is forgotten");
    }
}

fn sample(earliest: u64, latest: u64, at: u64) -> Sample {
    let ends = [earliest, latest].map(WallTime::from_nanos);
    let interval = Interval::new(ends[0], ends[1]).expect("it begins before it ends");
    Sample::new(interval, Instant::from_nanos(at), Drift::MAX)
}

#[test]
fn contradictions_silence_the_clock_until_two_samples_agree() {
    let mut clock = IntervalClock::new(CONFIG);
    let now = Instant::from_nanos(1000);
    assert_eq!(clock.now(now), Err(ClockError::Unsynchronized { age: None }));
    assert_eq!(clock.synchronize(sample(100, 110, 1000)), Synchronization::Accepted);
    assert_eq!(clock.synchronize(sample(0, 500, 999)), Synchronization::Stale);
    assert_eq!(clock.synchronize(sample(110, 120, 1000)), Synchronization::Accepted);

    let expected = *clock.now(now).as_ref().expect("it was synchronised");
    let contradicted = clock.synchronize(sample(121, 130, 1000));
    assert_eq!(contradicted, Synchronization::Contradicted { expected });
    assert_eq!(clock.now(now), Err(ClockError::Disrupted));
    assert_eq!(clock.status(now), ClockStatus::Disrupted);

    // The old one is not believed again, but whatever agrees with the new one is.
    let expected = sample(121, 130, 1000).interval();
    let contradicted = clock.synchronize(sample(110, 120, 1000));
    assert_eq!(contradicted, Synchronization::Contradicted { expected });
    assert_eq!(clock.synchronize(sample(90, 110, 1000)), Synchronization::Accepted);
    assert_eq!(clock.status(now), ClockStatus::Synchronized);
}

#[test]
fn an_old_sample_is_no_longer_relied_on() {
    let mut clock = IntervalClock::new(CONFIG);
    let at = |seconds: u64, nanos| Instant::from_nanos(seconds * 1_000_000_000 + nanos);
    clock.synchronize(sample(1 << 60, 1 << 60, 0));
    assert_eq!(clock.status(at(40, 0)), ClockStatus::Synchronized);
    assert_eq!(clock.status(at(40, 1)), ClockStatus::FreeRunning);
    assert_eq!(clock.status(at(2000, 0)), ClockStatus::FreeRunning);
    assert!(clock.now(at(2000, 0)).is_ok());
    let age = Some(Duration::from_nanos(2_000_000_000_001));
    assert_eq!(clock.now(at(2000, 1)), Err(ClockError::Unsynchronized { age }));
    assert_eq!(clock.status(at(2000, 1)), ClockStatus::Unsynchronized);
    // So the next one is taken, whatever it says.
    let next = sample(5, 5, 2_000_000_000_001);
    assert_eq!(clock.synchronize(next), Synchronization::Accepted);
}

/// A sample is relied on for as long for contradictions as for the time.
#[test]
fn what_is_relied_on_can_be_contradicted() {
    let mut clock = IntervalClock::new(CONFIG);
    clock.synchronize(sample(1 << 60, 1 << 60, 0));
    let contradiction = sample(5, 5, 2_000_000_000_000);
    let expected = clock.now(contradiction.at()).expect("it is relied on");
    let outcome = clock.synchronize(contradiction);
    assert_eq!(outcome, Synchronization::Contradicted { expected });
}

#[test]
fn by_default_a_sample_is_relied_on_for_an_hour() {
    let IntervalClockConfig { free_running_after, unsynchronized_after } =
        IntervalClockConfig::default();
    assert_eq!(free_running_after.as_secs(), 60);
    assert_eq!(unsynchronized_after.as_secs(), 3600);
}

#[test]
fn waiting_does_not_settle_a_contradiction() {
    let mut clock = IntervalClock::new(CONFIG);
    clock.synchronize(sample(1 << 60, 1 << 60, 0));
    clock.synchronize(sample(5, 6, 1));
    let later = 3_000_000_000_000;
    let lonely = clock.synchronize(sample(1 << 60, 1 << 60, later));
    assert!(matches!(lonely, Synchronization::Contradicted { .. }));
    assert_eq!(clock.status(Instant::from_nanos(later)), ClockStatus::Disrupted);
    let agreeing = clock.synchronize(sample(1 << 60, 1 << 60, later));
    assert_eq!(agreeing, Synchronization::Accepted);
}
