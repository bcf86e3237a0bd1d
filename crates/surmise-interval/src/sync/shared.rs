use surmise_time::{Instant, WallTime};

use super::{loom::Mutex, published::Published};
use crate::{
    ClockError, ClockStatus, Interval, IntervalClock, IntervalClockConfig, Sample, Synchronization,
    clock::{Known, Limits, State},
    drift::Rate,
};

/// An [`IntervalClock`] that many threads read without locks.
///
/// One thread asks the sources and feeds it, every second or so. To read it takes six loads and some
/// arithmetic: no lock, no allocation, no system call but that of the monotonic clock, which is the
/// reader's own.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_interval::{Drift, Interval, IntervalClockConfig, Sample, sync::SharedIntervalClock};
/// use surmise_time::{Instant, WallTime};
///
/// let clock = SharedIntervalClock::new(IntervalClockConfig::default());
/// # let (wall, boot) = (WallTime::from_nanos(1 << 60), Instant::ORIGIN);
/// let interval = Interval::around(wall, Duration::from_millis(1));
/// clock.synchronize(Sample::new(interval, boot, Drift::QUARTZ));
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert!(clock.now(boot).is_ok_and(|now| now.contains(wall))));
/// });
/// ```
#[derive(Debug)]
pub struct SharedIntervalClock {
    clock: Mutex<IntervalClock>,
    limits: Limits,
    published: Published<WORDS>,
}

impl SharedIntervalClock {
    /// Creates a clock that knows nothing.
    #[must_use]
    pub fn new(config: IntervalClockConfig) -> Self {
        let clock = IntervalClock::new(config);
        let published = Published::new(to_words(clock.known()));
        Self { clock: Mutex::new(clock), limits: Limits::new(config), published }
    }

    /// Takes in what a source said, as [`IntervalClock::synchronize`].
    pub fn synchronize(&self, sample: Sample) -> Synchronization {
        self.update(|clock| clock.synchronize(sample))
    }

    /// Takes in what sources said of which the first was asked before the sample's instant.
    pub(crate) fn synchronize_asked(&self, sample: Sample, asked: Instant) -> Synchronization {
        self.update(|clock| clock.synchronize_asked(sample, asked))
    }

    /// Forgets what was known, as [`IntervalClock::disrupt`].
    pub fn disrupt(&self, now: Instant) {
        self.update(|clock| clock.disrupt(now));
    }

    /// Returns what time it is, at least and at most, as [`IntervalClock::now`].
    ///
    /// # Errors
    ///
    /// Those of [`IntervalClock::now`].
    #[inline]
    pub fn now(&self, now: Instant) -> Result<Interval, ClockError> {
        match to_sample(self.published.load()) {
            Some(sample) if self.limits.rely_on(&sample, now) => Ok(sample.interval_at(now)),
            _ => self.now_otherwise(now),
        }
    }

    /// Returns what there is to say where there is more to it than a sample that is relied on.
    #[cold]
    #[inline(never)]
    fn now_otherwise(&self, now: Instant) -> Result<Interval, ClockError> {
        self.get().now(now)
    }

    /// Returns what the interval rests on.
    #[must_use]
    pub fn status(&self, now: Instant) -> ClockStatus {
        self.get().status(now)
    }

    /// Returns a copy of the clock as it was published last: for several questions about one moment, or for
    /// [`CommitWait::remaining`](crate::CommitWait::remaining).
    #[must_use]
    #[inline]
    pub fn get(&self) -> IntervalClock {
        let known = from_words(self.published.load());
        IntervalClock::from_known(self.limits, known)
    }

    /// Changes the clock under the lock, and publishes it before the lock is free again.
    fn update<R>(&self, change: impl FnOnce(&mut IntervalClock) -> R) -> R {
        let mut clock = self.clock.lock();
        let result = change(&mut clock);
        self.published.store(to_words(clock.known()));
        result
    }
}

/// Earliest, latest, instant and rate, the last disruption, and the epoch.
///
/// The rate is marked, or instead of it stands why there is none, unless time is told from the sample.
const WORDS: usize = 6;

const UNSYNCHRONIZED: u64 = u64::MAX;
const DISRUPTED: u64 = u64::MAX - 1;
/// The highest bits, which are added to a sample's rate. No rate has them: the greatest is a ninth of 2⁶⁴.
const CONTRADICTED: u64 = 0b10 << 62;
const RESUMED: u64 = 0b11 << 62;

fn to_words(Known { state, since, epoch }: Known) -> [u64; WORDS] {
    let words = |Sample { interval, at, rate: Rate(rate) }, mark| {
        let [earliest, latest] = [interval.earliest(), interval.latest()].map(WallTime::as_nanos);
        [earliest, latest, at.as_nanos(), rate | mark, since.as_nanos(), epoch]
    };
    match state {
        State::Unsynchronized => [0, 0, 0, UNSYNCHRONIZED, since.as_nanos(), epoch],
        State::Disrupted => [0, 0, 0, DISRUPTED, since.as_nanos(), epoch],
        State::Contradicted(sample) => words(sample, CONTRADICTED),
        State::Resumed(sample) => words(sample, RESUMED),
        State::Synchronized(sample) => words(sample, 0),
    }
}

fn from_words([earliest, latest, at, rate, since, epoch]: [u64; WORDS]) -> Known {
    let marked = |mark: u64| sample_of([earliest, latest, at, rate & !mark]);
    let state = match rate {
        UNSYNCHRONIZED => State::Unsynchronized,
        DISRUPTED => State::Disrupted,
        RESUMED.. => State::Resumed(marked(RESUMED)),
        CONTRADICTED.. => State::Contradicted(marked(CONTRADICTED)),
        _ => State::Synchronized(marked(0)),
    };
    Known { state, since: Instant::from_nanos(since), epoch }
}

/// Returns the sample that time is told from, if there is nothing else to be known of it.
#[inline]
fn to_sample([earliest, latest, at, rate]: [u64; 4]) -> Option<Sample> {
    (rate < CONTRADICTED).then(|| sample_of([earliest, latest, at, rate]))
}

#[inline]
fn sample_of([earliest, latest, at, rate]: [u64; 4]) -> Sample {
    let [earliest, latest] = [earliest, latest].map(WallTime::from_nanos);
    let interval = Interval::from_ordered(earliest, latest);
    Sample { interval, at: Instant::from_nanos(at), rate: Rate(rate) }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::Drift;

    #[test]
    fn a_shared_clock_tells_what_the_clock_tells() {
        let config = IntervalClockConfig {
            free_running_after: Duration::from_nanos(100),
            unsynchronized_after: Duration::from_nanos(1000),
        };
        let (mut clock, shared) = (IntervalClock::new(config), SharedIntervalClock::new(config));
        let assert_same = |clock: &IntervalClock| {
            for now in (0..4000).step_by(7).map(Instant::from_nanos) {
                assert_eq!(shared.now(now), clock.now(now));
                assert_eq!(shared.status(now), clock.status(now));
                assert_eq!(shared.get().sample(now), clock.sample(now));
            }
        };
        assert_same(&clock);
        // The third contradicts the second, as a copy knows, too; the fourth contradicts that by so little that the
        // drift matters, and the last agrees with it.
        for (middle, at) in [(5000, 0), (6001, 1000), (9000, 1500), (9210, 1600), (9310, 1700)] {
            let interval = Interval::around(WallTime::from_nanos(middle), Duration::from_nanos(50));
            let sample = Sample::new(interval, Instant::from_nanos(at), Drift::QUARTZ);
            let copied = shared.get().synchronize(sample);
            assert_eq!(copied, clock.synchronize(sample));
            assert_eq!(copied, shared.synchronize(sample));
            assert_same(&clock);
        }
        shared.disrupt(Instant::from_nanos(2000));
        clock.disrupt(Instant::from_nanos(2000));
        assert_same(&clock);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use core::time::Duration;

    use loom::{sync::Arc, thread};

    use super::*;
    use crate::Drift;

    #[test]
    fn loom_an_interval_is_of_one_sample() {
        loom::model(|| {
            let sample = |nanos: u64| {
                let uncertainty = Duration::from_nanos(nanos);
                let interval = Interval::around(WallTime::from_nanos(1000 + nanos), uncertainty);
                Sample::new(interval, Instant::from_nanos(nanos), Drift::MAX)
            };
            let clock = Arc::new(SharedIntervalClock::new(IntervalClockConfig::default()));
            clock.synchronize(sample(1));
            let feeder = {
                let clock = Arc::clone(&clock);
                thread::spawn(move || clock.synchronize(sample(2)))
            };
            let now = Instant::from_nanos(2);
            let seen = clock.now(now).unwrap();
            assert!([sample(1), sample(2)].map(|sample| sample.interval_at(now)).contains(&seen));
            assert_eq!(feeder.join().unwrap(), Synchronization::Accepted);
            assert_eq!(clock.now(now), Ok(sample(2).interval_at(now)));
        });
    }
}
