mod limits;

use core::{error::Error, fmt, time::Duration};

use surmise_time::Instant;

pub(crate) use self::limits::Limits;
use crate::{Interval, Sample};

/// A clock that tells what time it is at least and at most, or that it does not know.
///
/// It is fed with [`Sample`]s of a time source and asked with readings of the monotonic clock, which must
/// count while the machine sleeps (`BootClock` of `surmise-time`). Between two samples both ends of its
/// interval go forward with the monotonic clock, and apart from each other with its drift.
///
/// A new sample replaces what was known. Either end may then step back, by no more than the interval is wide:
/// both statements were true. They are not intersected, because a source that was slightly wrong would then
/// exclude the truth for longer than it lasted.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_interval::{Drift, Interval, IntervalClock, IntervalClockConfig, Sample};
/// use surmise_time::{Instant, WallTime};
///
/// let mut clock = IntervalClock::new(IntervalClockConfig::default());
/// let boot = Instant::ORIGIN; // from BootClock
/// assert!(clock.now(boot).is_err(), "it has not been synchronised");
///
/// let wall = WallTime::from_nanos(1_795_230_725_000_000_000);
/// clock.synchronize(Sample::new(Interval::around(wall, Duration::from_millis(1)), boot, Drift::QUARTZ));
/// let now = clock.now(boot + Duration::from_secs(10))?;
/// assert!(now.after(wall + Duration::from_secs(9)));
/// # Ok::<(), surmise_interval::ClockError>(())
/// ```
#[derive(Clone, Debug)]
pub struct IntervalClock {
    limits: Limits,
    known: Known,
}

/// All that samples and disruptions change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) state: State,
    /// The last disruption: nothing from before it is relied on.
    pub(crate) since: Instant,
    pub(crate) epoch: u64,
}

/// What a clock goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    Unsynchronized,
    Disrupted,
    /// A sample contradicted what was known: the next decides.
    Contradicted(Sample),
    Synchronized(Sample),
    /// The first sample after a disruption, or one soon after: it says nothing of readings from before it.
    Resumed(Sample),
}

impl IntervalClock {
    /// Creates a clock that knows nothing.
    #[must_use]
    pub const fn new(config: IntervalClockConfig) -> Self {
        let known = Known { state: State::Unsynchronized, since: Instant::ORIGIN, epoch: 0 };
        Self { limits: Limits::new(config), known }
    }

    #[cfg(feature = "std")]
    #[inline]
    pub(crate) const fn from_known(limits: Limits, known: Known) -> Self {
        Self { limits, known }
    }

    /// Takes in what a source said.
    ///
    /// It is checked against what was known, as long as that was still relied on. A source that steps, a
    /// drift beyond what was stated, or a machine that was moved shows here.
    pub fn synchronize(&mut self, sample: Sample) -> Synchronization {
        self.synchronize_asked(sample, sample.at())
    }

    /// Takes in what sources said of which the first was asked at `asked`, which may be before the sample's
    /// instant.
    pub(crate) fn synchronize_asked(&mut self, sample: Sample, asked: Instant) -> Synchronization {
        if asked < self.known.since {
            return Synchronization::Stale;
        }
        if let Some(known) = self.known.state.sample() {
            // What is said twice is not vouched for by itself.
            if sample.at() < known.at() || sample == known {
                return Synchronization::Stale;
            }
            let expected = known.interval_at(sample.at());
            let relied_on = self.limits.rely_on(&known, sample.at());
            let disagrees = !expected.overlaps(&sample.interval());
            // What was contradicted is vouched for by a sample that agrees, and not by waiting.
            let is_candidate = matches!(self.known.state, State::Contradicted(_));
            if disagrees && relied_on || is_candidate && !relied_on {
                self.known.state = State::Contradicted(sample);
                self.known.epoch = self.known.epoch.wrapping_add(1);
                return Synchronization::Contradicted { expected };
            }
        }
        let is_soon = sample.at() - self.known.since < Limits::BEFORE;
        let resumes = self.known.epoch > 0 && is_soon;
        self.known.state =
            if resumes { State::Resumed(sample) } else { State::Synchronized(sample) };
        Synchronization::Accepted
    }

    /// Forgets what was known, because the machine was moved, restored or otherwise disrupted before `now`.
    ///
    /// The clock tells no time until the next sample, and never for readings from before `now`. A sample
    /// that was taken before is [`Stale`](Synchronization::Stale): a source that was asked before the disruption and
    /// answers after it does not bring back what was forgotten. A sample that was taken after it must not rest
    /// on what its source knew before, either: see [`Source::disrupted`](crate::source::Source::disrupted).
    pub fn disrupt(&mut self, now: Instant) {
        self.known.state = State::Disrupted;
        self.known.since = self.known.since.max(now);
        self.known.epoch = self.known.epoch.wrapping_add(1);
    }

    /// Returns how often what the clock had told turned out not to be relied on, by a disruption or a contradiction.
    ///
    /// A timestamp that was taken in another epoch may be wrong: [`CommitWait::block`](crate::CommitWait::block) gives
    /// up then.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.known.epoch
    }

    /// Returns what time it is, at least and at most.
    ///
    /// `now` may also be up to a second before the last sample, as when that came in after the reading; but not if the
    /// machine was disrupted about then.
    ///
    /// # Errors
    ///
    /// If there was no sample, if it is too old, or after a disruption or a contradiction. Also if the reading
    /// is from longer before the sample: such are kept too long, or of another clock.
    #[inline]
    pub fn now(&self, now: Instant) -> Result<Interval, ClockError> {
        let sample = self.sample(now)?;
        Ok(sample.interval_at(now))
    }

    /// Returns what the interval rests on.
    #[must_use]
    pub fn status(&self, now: Instant) -> ClockStatus {
        match self.sample(now) {
            Err(ClockError::Contradicted | ClockError::Disrupted) => ClockStatus::Disrupted,
            Err(_) => ClockStatus::Unsynchronized,
            Ok(sample) if now - sample.at() > self.limits.free_running_after() => {
                ClockStatus::FreeRunning
            }
            Ok(_) => ClockStatus::Synchronized,
        }
    }

    /// Returns the sample that the clock tells time from.
    ///
    /// # Errors
    ///
    /// As [`now`](Self::now).
    #[inline]
    pub fn sample(&self, now: Instant) -> Result<&Sample, ClockError> {
        match &self.known.state {
            State::Synchronized(sample) if self.limits.rely_on(sample, now) => Ok(sample),
            state => self.sample_otherwise(state, now),
        }
    }

    /// Returns the sample if it is the first after a disruption, or why there is none to tell time from.
    #[cold]
    fn sample_otherwise<'a>(
        &self,
        state: &'a State,
        now: Instant,
    ) -> Result<&'a Sample, ClockError> {
        match state {
            State::Resumed(sample) if self.limits.rely_on_from(sample, now) => Ok(sample),
            _ => Err(state.error(now)),
        }
    }

    #[cfg(feature = "std")]
    pub(crate) const fn known(&self) -> Known {
        self.known
    }
}

impl State {
    /// Returns the last sample, whether or not it is relied on.
    const fn sample(&self) -> Option<Sample> {
        match *self {
            Self::Unsynchronized | Self::Disrupted => None,
            Self::Contradicted(sample) | Self::Synchronized(sample) | Self::Resumed(sample) => {
                Some(sample)
            }
        }
    }

    /// Returns why the clock does not tell time from this.
    fn error(&self, now: Instant) -> ClockError {
        match self {
            Self::Unsynchronized => ClockError::Unsynchronized { age: None },
            Self::Disrupted => ClockError::Disrupted,
            Self::Contradicted(_) => ClockError::Contradicted,
            Self::Synchronized(sample) | Self::Resumed(sample) if now < sample.at() => {
                ClockError::BeforeSample { by: sample.at() - now }
            }
            Self::Synchronized(sample) | Self::Resumed(sample) => {
                ClockError::Unsynchronized { age: Some(now - sample.at()) }
            }
        }
    }
}

/// How long a clock relies on a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct IntervalClockConfig {
    /// The age from which on the clock is [`FreeRunning`](ClockStatus::FreeRunning): some intervals
    /// between samples, by default 1 minute. It changes nothing but the status, and nothing at all from
    /// `unsynchronized_after` on.
    pub free_running_after: Duration,
    /// The age from which on the clock tells no time, by default 1 hour. The interval is true as long as
    /// the drift is: if it is longer, more rests on that. At most 292 years.
    pub unsynchronized_after: Duration,
}

impl Default for IntervalClockConfig {
    fn default() -> Self {
        Self {
            free_running_after: Duration::from_secs(60),
            unsynchronized_after: Duration::from_secs(3600),
        }
    }
}

/// What a clock's interval rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ClockStatus {
    /// A recent sample.
    Synchronized,
    /// A sample of some time ago: the source is gone, and the interval grows.
    FreeRunning,
    /// Nothing: there was no sample, or it is too old, or later than the reading by more than a second.
    Unsynchronized,
    /// Nothing: the machine was moved or restored, or two samples contradict each other, which can be the same
    /// thing noticed later. [`ClockError`] tells which of them.
    Disrupted,
}

/// What a sample meant to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronization {
    /// The clock tells time from this sample.
    Accepted,
    /// The clock stays as it is: the sample is older than what it has, or the very same, or older than the last
    /// disruption.
    Stale,
    /// This sample and what was known cannot both be true. The clock tells no time until two samples in
    /// a row agree.
    Contradicted {
        /// What the sample's interval should have had in common with.
        expected: Interval,
    },
}

/// Why a clock does not tell time.
///
/// It says nothing of the sources, of which a clock knows only what it is fed with. Why they told it nothing is
/// the text of a `sampler::Round` (feature `std`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockError {
    /// There was no sample, or it is too old.
    Unsynchronized {
        /// How old it is.
        age: Option<Duration>,
    },
    /// The machine was disrupted, and there was no sample since.
    Disrupted,
    /// Two samples cannot both be true: a source was wrong, the drift exceeds what was stated, or the machine was
    /// disrupted and nobody noticed. The next sample decides.
    Contradicted,
    /// The reading is from more than a second before the sample, or from before the first sample after a disruption: it
    /// was kept too long, or is another clock's.
    BeforeSample {
        /// By how much it is before the sample.
        by: Duration,
    },
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsynchronized { age: None } => f.write_str("the clock was never synchronised"),
            Self::Unsynchronized { age: Some(age) } => {
                write!(f, "the clock was last synchronised {age:?} ago")
            }
            Self::Disrupted => {
                f.write_str("the machine was disrupted, and the clock not synchronised since")
            }
            Self::Contradicted => {
                f.write_str("two samples cannot both be true, and the next is to decide")
            }
            Self::BeforeSample { by } => {
                write!(f, "the reading was taken {by:?} before the clock was last synchronised")
            }
        }
    }
}

impl Error for ClockError {}
