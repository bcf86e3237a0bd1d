mod config;
mod course;
#[cfg(test)]
pub(crate) mod naive;
mod recent;
#[cfg(test)]
mod tests;

use core::{fmt, time::Duration};

use surmise_time::Instant;

pub use self::config::{AdaptiveTimeoutConfig, AdaptiveTimeoutError};
pub(crate) use self::course::{Course, Explorers};
use self::recent::{Recent, Slices};
use crate::{Outcome, duration::nanos, kaplan_meier};

/// A timeout that follows the latencies of the last `N` calls (1 to 65 535), and does not forget those that timed out.
///
/// It is the quantile that the configuration names, of how long answers take: with the 99th percentile and
/// a factor of one, one call in a hundred times out, also after the service became slower or faster.
///
/// # How it learns from calls that were given up
///
/// A call that timed out would have taken longer than that, and nobody knows how long. Estimators that leave it
/// out see only the fast half of a service that slowed down, and time out even more. This one counts it as
/// what it is, a censored observation, and takes the quantile of Kaplan and Meier's estimate. When too many were
/// given up to tell, the timeout doubles for each call that it was too short for, until answers come in
/// again or the ceiling is reached. A call that was given up for another reason sooner than any was answered says
/// nothing, and is not counted. A timeout is too short for all calls that are under way when the service
/// slows down, and for those that follow until they have timed out: the doubling counts them once. If a greater
/// share is never answered than the quantile leaves over, there is no timeout that they meet, and it is the ceiling.
///
/// # Bounds
///
/// Latencies are counted in buckets of which none is wider than an eighth, and the timeout is the upper end of
/// one: it is up to 12.5 % too long, and never too short for what was seen. With 1000 calls it takes less than
/// 3 KiB. To record takes some dozens of instructions; the timeout is renewed by every 16th call, and by every one
/// that timed out, which takes about a thousand.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{AdaptiveTimeout, AdaptiveTimeoutConfig, Outcome, Quantile};
///
/// let [floor, ceiling] = [1, 30_000].map(Duration::from_millis);
/// let config = AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling);
/// let mut timeout = AdaptiveTimeout::<1000>::new(config)?;
/// assert_eq!(timeout.current(), ceiling, "as long as nothing is known");
///
/// for _ in 0..1000 {
///     timeout.record(Outcome::Completed(Duration::from_millis(20)));
/// }
/// assert!(timeout.current() <= Duration::from_micros(22_500));
/// // There is no use in waiting for longer than the caller does.
/// assert_eq!(timeout.within(Duration::from_millis(15)), Duration::from_millis(15));
/// # Ok::<(), surmise_timeout::AdaptiveTimeoutError>(())
/// ```
#[derive(Clone)]
pub struct AdaptiveTimeout<const N: usize = 1000> {
    course: Course,
    ceiling: Duration,
    explorers: Explorers,
    recent: Recent<N>,
    slices: Option<Slices>,
    /// How many answers came in since the timeout was renewed.
    unseen: u8,
}

/// How many answers come in until the timeout is renewed.
const RENEW_EVERY: u8 = 16;

impl<const N: usize> AdaptiveTimeout<N> {
    /// Creates a timeout that goes by its prior.
    ///
    /// # Errors
    ///
    /// If the limits are zero, inverted or too great, or do not hold the prior; if the factor is zero, or more
    /// than all calls are to explore.
    pub fn new(config: AdaptiveTimeoutConfig) -> Result<Self, AdaptiveTimeoutError> {
        // Lossless: there is room for 65 535 calls at most.
        let course = Course::new(&config, u32::try_from(N).unwrap_or(u32::MAX))?;
        let recent = Recent::new(course.buckets());
        Ok(Self {
            course,
            ceiling: config.ceiling,
            explorers: Explorers::new(config.exploring),
            recent,
            slices: config.max_age.map(Slices::new),
            unseen: 0,
        })
    }

    /// Returns the timeout.
    #[must_use]
    #[inline]
    pub const fn current(&self) -> Duration {
        Duration::from_nanos(self.course.current())
    }

    /// Returns the timeout, or what remains of the caller's own time if that is less.
    ///
    /// A call that is given up because the caller ran out of time did not time out: record it as
    /// [`Cancelled`](Outcome::Cancelled), so that it is not held against the timeout.
    #[must_use]
    #[inline]
    pub fn within(&self, remaining: Duration) -> Duration {
        self.current().min(remaining)
    }

    /// Returns the timeout for one call, given a random number: a few are to wait until the ceiling.
    ///
    /// Those show how long answers take beyond the timeout. Without them the timeout still finds that out, by
    /// being too short for a while.
    #[must_use]
    pub fn draw(&self, random: u64) -> Duration {
        if self.explorers.is_one(random) { self.ceiling } else { self.current() }
    }

    /// Returns how many calls the timeout rests on.
    #[must_use]
    pub const fn calls(&self) -> usize {
        self.recent.len()
    }

    /// Takes in how a call went.
    pub fn record(&mut self, outcome: Outcome) {
        let (took, given_up) = match outcome {
            Outcome::Completed(took) => (took, false),
            Outcome::TimedOut(waited) | Outcome::Cancelled(waited) => (waited, true),
            Outcome::FailedFast => return,
        };
        let nanos = nanos(took);
        // A call that failed soon must not take the place of one that was answered.
        if matches!(outcome, Outcome::Cancelled(_)) && self.recent.is_no_news(nanos) {
            return;
        }
        if let Some(slices) = &mut self.slices {
            slices.push(self.recent.len() == N);
        }
        self.recent.push(nanos, given_up);
        self.unseen += 1;
        if let Outcome::TimedOut(_) = outcome {
            self.renew(Some(nanos));
        } else if self.unseen >= RENEW_EVERY || self.recent.len() <= usize::from(RENEW_EVERY) {
            self.renew(None);
        }
    }

    /// Forgets calls that are older than the configuration says, if it does.
    ///
    /// Call it before outcomes are recorded, at least as often as an eighth of that age passes: an outcome counts as
    /// being of the time that was last told. A clock that steps back changes nothing.
    pub fn advance(&mut self, now: Instant) {
        let forgotten = self.slices.as_mut().map_or(0, |slices| slices.advance(now));
        if forgotten > 0 {
            self.recent.forget(forgotten);
            self.renew(None);
        }
    }

    #[inline(never)]
    fn renew(&mut self, waited: Option<u64>) {
        self.unseen = 0;
        // Lossless: there is room for 65 535 calls at most.
        let calls = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        let estimate = kaplan_meier::quantile(self.recent.counts(), calls, self.course.quantile);
        self.course.change(estimate, calls, waited);
    }
}

impl<const N: usize> fmt::Debug for AdaptiveTimeout<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut timeout = f.debug_struct("AdaptiveTimeout");
        timeout.field("current", &self.current()).field("ceiling", &self.ceiling);
        let calls = self.course.buckets().show(self.recent.counts());
        timeout.field("calls", &calls).finish_non_exhaustive()
    }
}
