//! Reading a machine's interval clock again and again, and comparing it with the truth.

use core::time::Duration;

use surmise_interval::{
    ClockStatus, Interval, IntervalClock, IntervalClockConfig, Sample, Synchronization,
};
use surmise_time::{Instant, WallTime};

use crate::machine::{Machine, Mistake};

pub(crate) const CONFIG: IntervalClockConfig = IntervalClockConfig {
    free_running_after: Duration::from_secs(40),
    unsynchronized_after: Duration::from_secs(2000),
};

const STATUSES: [ClockStatus; 4] = [
    ClockStatus::Synchronized,
    ClockStatus::FreeRunning,
    ClockStatus::Unsynchronized,
    ClockStatus::Disrupted,
];

/// What was found in a trial.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// How many readings told the time, and were compared with the truth.
    pub(crate) compared: u64,
    /// How often the truth was outside.
    pub(crate) outside: u64,
    /// How often a reading was synchronised, free-running, unsynchronised and disrupted after one that was not.
    pub(crate) entered: [u64; 4],
    /// How often an end stepped back although there was no sample in between.
    pub(crate) stepped_back: u64,
    /// How often one did at a sample, and how often by more than the interval is wide.
    pub(crate) stepped_back_at_sample: u64,
    pub(crate) stepped_back_too_far: u64,
    /// How often a sample was refused.
    pub(crate) refused: u64,
    /// How often a sample of before a disruption came in after it, and how often it was not refused.
    pub(crate) late: u64,
    pub(crate) late_believed: u64,
}

pub(crate) struct Trial {
    machine: Machine,
    mistake: Mistake,
    clock: IntervalClock,
    /// What was read since the last sample.
    last: Option<Interval>,
    /// The last reading of the boot clock, and the truth of then.
    reading: (Instant, u64),
    status: ClockStatus,
    findings: Findings,
}

impl Trial {
    /// Reads a clock until so many readings were compared with the truth, or it hardly ever tells the time.
    pub(crate) fn run(seed: u64, sources: usize, mistake: Mistake, compared: u64) -> Findings {
        let machine = Machine::new(seed, sources, mistake);
        let mut trial = Self {
            reading: (machine.now(), machine.world.truth()),
            machine,
            mistake,
            clock: IntervalClock::new(CONFIG),
            last: None,
            status: ClockStatus::Unsynchronized,
            findings: Findings::default(),
        };
        let mut turns = 0..10 * compared;
        while trial.findings.compared < compared && turns.next().is_some() {
            trial.turn();
        }
        trial.findings
    }

    fn turn(&mut self) {
        let world = &mut self.machine.world;
        // Without sources little happens, for long.
        world.pass(Duration::from_secs(if world.is_silent() { 200 } else { 4 }));
        match world.below(3000) {
            0..100 => self.ask(),
            100..102 => world.lose_sources(CONFIG.unsynchronized_after),
            102..105 => self.disrupt(),
            _ => {}
        }
        self.read();
    }

    fn ask(&mut self) {
        if let Some(sample) = self.machine.ask() {
            self.synchronize(sample);
            // Whoever read the boot clock before may ask the interval clock only now.
            let (then, truth) = self.reading;
            self.compare(then, truth);
        }
    }

    fn synchronize(&mut self, sample: Sample) {
        let now = self.machine.now();
        let known = self.clock.now(now);
        let outcome = self.clock.synchronize(sample);
        self.findings.refused += u64::from(outcome != Synchronization::Accepted);
        self.last = None;
        if let (Ok(known), Ok(new)) = (known, self.clock.now(now)) {
            let is_back = new.earliest() < known.earliest() || new.latest() < known.latest();
            self.findings.stepped_back_at_sample += u64::from(is_back);
            // Both hold the truth, and so neither begins after the other ends.
            let is_too_far = known.earliest() - new.earliest() > new.latest() - new.earliest()
                || known.latest() - new.latest() > known.latest() - known.earliest();
            self.findings.stepped_back_too_far += u64::from(is_too_far);
        }
    }

    /// Restores the machine, when sources have been asked of which nobody has heard yet, or when not.
    fn disrupt(&mut self) {
        let late = if self.machine.world.below(2) == 0 { self.machine.ask() } else { None };
        self.machine.world.restore();
        self.last = None;
        match self.mistake {
            Mistake::Disruption => {}
            Mistake::LateAnswer => self.clock.disrupt(Instant::ORIGIN),
            _ => self.clock.disrupt(self.machine.now()),
        }
        if let Some(sample) = late {
            let outcome = self.clock.synchronize(sample);
            self.findings.late += 1;
            self.findings.late_believed += u64::from(outcome != Synchronization::Stale);
        }
    }

    fn read(&mut self) {
        let now = self.machine.now();
        let status = self.clock.status(now);
        if status != self.status {
            let index = STATUSES.iter().position(|&known| known == status);
            self.findings.entered[index.expect("there is no other status")] += 1;
            self.status = status;
        }
        self.reading = (now, self.machine.world.truth());
        let interval = self.compare(now, self.reading.1);
        let tells = matches!(status, ClockStatus::Synchronized | ClockStatus::FreeRunning);
        assert_eq!(interval.is_some(), tells, "{status:?}");
        if let (Some(last), Some(new)) = (self.last, interval) {
            let is_back = new.earliest() < last.earliest() || new.latest() < last.latest();
            self.findings.stepped_back += u64::from(is_back);
        }
        self.last = interval.or(self.last);
    }

    /// Asks the clock for the time at an instant, and compares it with the truth of then.
    fn compare(&mut self, now: Instant, truth: u64) -> Option<Interval> {
        let interval = self.clock.now(now).ok()?;
        self.findings.compared += 1;
        self.findings.outside += u64::from(!interval.contains(WallTime::from_nanos(truth)));
        Some(interval)
    }
}
