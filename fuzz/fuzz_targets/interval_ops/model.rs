//! An interval clock in numbers that never overflow, by the definition.

use core::time::Duration;

use surmise_interval::{
    ClockError, ClockStatus, Drift, Interval, IntervalClockConfig, Sample, Synchronization,
};
use surmise_time::Instant;

/// How long before a sample a reading may have been taken.
const SECOND: i64 = 1_000_000_000;

/// What a clock knows.
#[derive(Clone, Copy)]
pub(crate) enum Known {
    Nothing,
    Disrupted,
    Contradicted(Told),
    Synchronized(Told),
}

/// A sample, and whether the truth was inside.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    pub(crate) sample: Sample,
    pub(crate) right: bool,
}

pub(crate) struct Model {
    config: IntervalClockConfig,
    pub(crate) known: Known,
    /// The last disruption.
    since: Instant,
    /// How many disruptions and contradictions there were.
    pub(crate) epoch: u64,
}

impl Model {
    pub(crate) fn new(config: IntervalClockConfig) -> Self {
        Self { config, known: Known::Nothing, since: Instant::ORIGIN, epoch: 0 }
    }

    /// Checks what a clock made of a sample.
    pub(crate) fn synchronize(&mut self, told: Told, outcome: Synchronization) {
        let Told { sample, right } = told;
        let last = match self.known {
            Known::Synchronized(last) | Known::Contradicted(last) => Some(last),
            Known::Disrupted | Known::Nothing => None,
        };
        let is_old = |last: Told| sample.at() < last.sample.at() || last.sample == sample;
        let stale = sample.at() < self.since || last.is_some_and(is_old);
        assert_eq!(stale, outcome == Synchronization::Stale);
        if stale {
            return;
        }
        let relied_on = last.filter(|last| self.is_young(&last.sample, sample.at(), -SECOND));
        let contradicted = matches!(self.known, Known::Contradicted(_));
        if let Synchronization::Contradicted { expected } = outcome {
            let last = last.expect("nothing that is known can be contradicted");
            check_interval(&last.sample, sample.at(), &expected);
            if relied_on.is_some() {
                assert!(!(last.right && right), "two that hold the truth overlap");
                assert!(!expected.overlaps(&sample.interval()));
            } else {
                assert!(contradicted, "only a contradiction outlasts what is relied on");
            }
            self.known = Known::Contradicted(told);
            self.epoch += 1;
        } else {
            assert!(!contradicted || relied_on.is_some(), "waiting settles a contradiction");
            let agrees = |last: Told| {
                let [earliest, latest] = widest(&last.sample, sample.at());
                earliest <= sample.interval().latest().as_nanos()
                    && sample.interval().earliest().as_nanos() <= latest
            };
            assert!(relied_on.is_none_or(agrees), "a contradiction is accepted");
            self.known = Known::Synchronized(told);
        }
    }

    pub(crate) fn disrupt(&mut self, now: Instant) {
        self.known = Known::Disrupted;
        self.since = self.since.max(now);
        self.epoch += 1;
    }

    /// Checks what a clock tells and says of itself.
    pub(crate) fn read(
        &self,
        now: Instant,
        result: Result<Interval, ClockError>,
        status: ClockStatus,
    ) {
        match (self.known, result) {
            (Known::Nothing, Err(ClockError::Unsynchronized { age: None })) => {
                assert_eq!(status, ClockStatus::Unsynchronized);
            }
            (Known::Disrupted, Err(ClockError::Disrupted))
            | (Known::Contradicted(_), Err(ClockError::Contradicted)) => {
                assert_eq!(status, ClockStatus::Disrupted);
            }
            (Known::Synchronized(told), Err(ClockError::Unsynchronized { age: Some(age) })) => {
                assert_eq!(status, ClockStatus::Unsynchronized);
                assert_eq!(age, now - told.sample.at());
                assert!(!self.relies_on(&told.sample, now));
            }
            (Known::Synchronized(told), Err(ClockError::BeforeSample { by })) => {
                assert_eq!(status, ClockStatus::Unsynchronized);
                assert_eq!(by, told.sample.at() - now);
                assert!(!self.relies_on(&told.sample, now));
            }
            (Known::Synchronized(told), Ok(interval)) => {
                assert!(self.relies_on(&told.sample, now));
                check_interval(&told.sample, now, &interval);
                let recent = now - told.sample.at() <= self.config.free_running_after;
                let recently = [ClockStatus::FreeRunning, ClockStatus::Synchronized];
                assert_eq!(status, recently[usize::from(recent)]);
            }
            _ => panic!("{result:?}"),
        }
    }

    fn relies_on(&self, sample: &Sample, now: Instant) -> bool {
        // The first sample after a disruption says nothing of before, nor one soon after.
        let soon = sample.at() - self.since < Duration::from_nanos(SECOND.unsigned_abs());
        self.is_young(sample, now, if self.epoch > 0 && soon { 0 } else { -SECOND })
    }

    /// Returns whether an instant is no more than so much before a sample, and not too long after it.
    fn is_young(&self, sample: &Sample, now: Instant, least: i64) -> bool {
        // More than half of what an instant can count away is as far away in the other direction.
        let elapsed = now.as_nanos().wrapping_sub(sample.at().as_nanos()).cast_signed();
        let most = self.config.unsynchronized_after.min(Duration::from_nanos(u64::MAX / 2));
        let most = i64::try_from(most.as_nanos()).expect("it is less than 2⁶³");
        (least..=most).contains(&elapsed)
    }

    /// Returns the instant of the last sample, and from when on it is not relied on.
    pub(crate) fn landmarks(&self) -> [u64; 2] {
        match self.known {
            Known::Synchronized(Told { sample, .. }) | Known::Contradicted(Told { sample, .. }) => {
                [sample.at(), sample.at() + self.config.unsynchronized_after].map(Instant::as_nanos)
            }
            Known::Disrupted => [self.since.as_nanos(); 2],
            Known::Nothing => [0, 0],
        }
    }
}

/// Checks that an interval is as wide as it must be, and no more than a nanosecond wider on each side.
fn check_interval(sample: &Sample, now: Instant, interval: &Interval) {
    let (told, least, most) = (interval, least(sample, now), widest(sample, now));
    let [earliest, latest] = [told.earliest().as_nanos(), told.latest().as_nanos()];
    assert!(earliest <= least[0] && least[1] <= latest, "{told} is too narrow for {least:?}");
    assert!(most[0] <= earliest && latest <= most[1], "{told} is too wide for {most:?}");
}

fn least(sample: &Sample, now: Instant) -> [u64; 2] {
    ends(sample, now, 0)
}

fn widest(sample: &Sample, now: Instant) -> [u64; 2] {
    ends(sample, now, 1)
}

/// Returns the earliest and the latest at another instant, with so many nanoseconds to spare.
fn ends(sample: &Sample, now: Instant, spare: i128) -> [u64; 2] {
    let elapsed = i128::from(now.as_nanos()) - i128::from(sample.at().as_nanos());
    let growth = growth(sample.drift(), elapsed.unsigned_abs());
    let growth = i128::try_from(growth).expect("it is less than 2⁶⁴") + spare;
    let interval = sample.interval();
    let clamp = |end: i128| u64::try_from(end.max(0)).unwrap_or(u64::MAX);
    let [earliest, latest] = [interval.earliest(), interval.latest()].map(|end| end.as_nanos());
    [clamp(i128::from(earliest) + elapsed - growth), clamp(i128::from(latest) + elapsed + growth)]
}

/// Returns ρ / (1 − ρ) of a time, rounded up.
fn growth(drift: Drift, nanos: u128) -> u128 {
    let ppb = u128::from(drift.as_ppb());
    (nanos * ppb).div_ceil(1_000_000_000 - ppb)
}

/// Checks a sample of a source that answered between two readings.
pub(crate) fn check_gap(told: &Interval, [before, after]: [Instant; 2], sample: &Sample) {
    assert_eq!(sample.at(), before);
    assert_eq!(sample.interval().latest(), told.latest());
    let gap: Duration = after - before;
    let gap = gap.as_nanos() + growth(sample.drift(), gap.as_nanos());
    let earliest = u128::from(told.earliest().as_nanos());
    let widened = u128::from(sample.interval().earliest().as_nanos());
    assert!(widened <= earliest.saturating_sub(gap), "the read gap is forgotten");
    assert!(widened >= earliest.saturating_sub(gap + 1), "the read gap is counted twice");
}
