//! What runs on a machine to tell the time: sources, what is made of their answers, and mistakes in it.

use core::time::Duration;

use surmise_interval::{
    Drift, Interval, Sample,
    select::{self, Candidate, Smearing},
};
use surmise_time::{Instant, WallTime};

use crate::world::{Clocks, DRIFT_PPB, HALF_DRIFT_PPB, World};

/// What an implementation can forget or get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    None,
    /// Clocks drift.
    Drift,
    /// A daemon that slews the system clock slews the boot clock with it.
    Slew,
    /// To ask takes time: the answer is of later than the reading before,
    ReadingBefore,
    /// or of earlier than the reading after,
    ReadingAfter,
    /// and not of halfway in between.
    ReadingHalfway,
    /// There are clocks that stop in suspend.
    Suspend,
    /// The system clock is stepped after the daemon spoke of it, and before it is read.
    Step,
    /// Machines are restored and moved.
    Disruption,
    /// What was asked before that is answered after it.
    LateAnswer,
    /// Any one source can lie.
    OneSource,
    /// Those that lie agree with some that are right on what is not the truth.
    MostAgreeing,
    /// Those that lie can outnumber the others when some are silent.
    MostAnswering,
    /// Those that lie may also understate the drift.
    LeastDrift,
}

pub(crate) struct Machine {
    pub(crate) world: World,
    sources: usize,
    mistake: Mistake,
}

impl Machine {
    pub(crate) fn new(seed: u64, sources: usize, mistake: Mistake) -> Self {
        Self { world: World::new(seed), sources, mistake }
    }

    /// Reads the clock that is taken for the boot clock.
    pub(crate) fn now(&self) -> Instant {
        self.shown(self.world.clocks())
    }

    /// Asks all sources, and makes one sample of what those that answer agree on.
    ///
    /// Each time others answer, and others lie: fewer than half of all, if not of those that answer.
    pub(crate) fn ask(&mut self) -> Option<Sample> {
        let at = self.now();
        let mut samples = Vec::with_capacity(self.sources);
        for _ in 0..self.sources {
            match self.world.below(10) {
                _ if self.world.is_silent() => self.world.pass(Duration::from_millis(100)),
                0 => self.world.pass(Duration::from_millis(100)),
                1..4 => samples.push(self.ask_daemon()),
                _ => samples.push(self.ask_server()),
            }
        }
        self.corrupt(&mut samples);
        self.combine(&samples, at)
    }

    /// Asks a server, over a network whose two ways take different times.
    fn ask_server(&mut self) -> Sample {
        let before = self.now();
        self.world.pass(Duration::from_millis(50));
        let (earliest, latest) = self.world.serve();
        self.world.pass(Duration::from_millis(50));
        self.sample(interval(earliest, latest), before, self.now())
    }

    /// Asks the daemon how far the system clock is from the truth at most, and then reads that clock.
    ///
    /// What it was stepped by in between shows beside the boot clock, and is added to the bound.
    fn ask_daemon(&mut self) -> Sample {
        let moment = Duration::from_millis(1);
        let start = self.world.clocks();
        self.world.pass(moment);
        let stated = self.world.system_bound();
        self.world.pass(moment);

        let before = self.world.clocks();
        self.world.pass(moment);
        let system = self.world.clocks().system;
        self.world.pass(moment);
        let after = self.world.clocks();

        let elapsed = Duration::from_nanos(after.boot - start.boot);
        let grown = u64::try_from(self.drift().over(elapsed).as_nanos()).expect("it is short");
        let step = match self.mistake {
            Mistake::Step => 0,
            _ => step_between(start, system, before).max(step_between(start, system, after)),
        };
        let bound = stated + grown + step;
        let interval = interval(system - bound, system + bound);
        self.sample(interval, self.shown(before), self.shown(after))
    }

    /// Makes some samples wrong, all by the same, as of sources that conspire.
    fn corrupt(&mut self, samples: &mut [Sample]) {
        if samples.is_empty() {
            return;
        }
        samples.rotate_left(self.world.below(samples.len()));
        let liars = self.world.below(self.falsetickers().min(samples.len()) + 1);
        let lie = self.world.up_to(Duration::from_secs(10));
        let is_early = self.world.below(2) == 0;
        for sample in samples.iter_mut().take(liars) {
            let ends = sample.interval();
            let [earliest, latest] = [ends.earliest(), ends.latest()].map(|end| {
                let end = end.as_nanos();
                if is_early { end - lie } else { end + lie }
            });
            let no_drift = Drift::from_ppb(0).expect("no drift is allowed");
            *sample = Sample::new(interval(earliest, latest), sample.at(), no_drift);
        }
    }

    /// Selects what all but so many say of one instant, which grows with the greatest drift that any states.
    fn combine(&self, samples: &[Sample], at: Instant) -> Option<Sample> {
        if self.mistake == Mistake::OneSource {
            return samples.first().copied();
        }
        let name = |(name, sample): (usize, &Sample)| {
            let interval = sample.interval_at(at);
            Candidate { name, interval, smearing: Smearing::Stepped }
        };
        let candidates: Vec<Candidate<usize>> = samples.iter().enumerate().map(name).collect();
        let selection = match self.mistake {
            Mistake::MostAgreeing => select::marzullo(&candidates),
            Mistake::MostAnswering => select::majority(&candidates),
            _ => select::tolerating(&candidates, self.falsetickers()),
        };
        let is_enough = candidates.len() > self.falsetickers();
        assert!(self.mistake != Mistake::None || selection.is_ok() == is_enough, "{selection:?}");
        let drifts = samples.iter().map(Sample::drift);
        let drift = if self.mistake == Mistake::LeastDrift { drifts.min() } else { drifts.max() };
        Some(Sample::new(selection.ok()?.interval, at, drift?))
    }

    fn sample(&self, interval: Interval, before: Instant, after: Instant) -> Sample {
        let halfway = before + (after - before) / 2;
        match self.mistake {
            Mistake::ReadingBefore => Sample::new(interval, before, self.drift()),
            Mistake::ReadingAfter => Sample::new(interval, after, self.drift()),
            Mistake::ReadingHalfway => Sample::new(interval, halfway, self.drift()),
            _ => Sample::asked_between(interval, before, after, self.drift()),
        }
    }

    /// Returns how many sources may lie.
    const fn falsetickers(&self) -> usize {
        (self.sources - 1) / 2
    }

    fn drift(&self) -> Drift {
        let ppb = match self.mistake {
            Mistake::Drift => 0,
            Mistake::Slew => HALF_DRIFT_PPB,
            _ => DRIFT_PPB,
        };
        Drift::from_ppb(ppb).expect("200 ppm is allowed")
    }

    fn shown(&self, clocks: Clocks) -> Instant {
        let nanos = if self.mistake == Mistake::Suspend { clocks.awake } else { clocks.boot };
        Instant::from_nanos(nanos)
    }
}

/// Returns how far the system clock was stepped, if it was read when the boot clock showed that.
fn step_between(start: Clocks, system: u64, read: Clocks) -> u64 {
    let forward = i128::from(system) - i128::from(start.system);
    let step = forward.abs_diff(i128::from(read.boot - start.boot));
    u64::try_from(step).expect("clocks are not stepped by centuries")
}

fn interval(earliest: u64, latest: u64) -> Interval {
    let [earliest, latest] = [earliest, latest].map(WallTime::from_nanos);
    Interval::new(earliest, latest).expect("it begins before it ends")
}
