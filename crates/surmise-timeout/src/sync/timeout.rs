#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;

use core::{fmt, time::Duration};

use crossbeam_utils::CachePadded;
use surmise_time::Instant;

use super::loom::{AtomicU32, AtomicU64, Mutex, Ordering};
use crate::{
    AdaptiveTimeoutConfig, AdaptiveTimeoutError, Outcome,
    adaptive::{Course, Explorers},
    buckets::Buckets,
    duration::nanos,
    kaplan_meier,
};

/// An adaptive timeout that many threads use at once.
///
/// To read it takes one load, and to record an answer one atomic addition. Every few hundred answers, and after
/// each call that was given up, one thread renews the timeout under a short lock; none waits for that but those
/// whose call was given up too.
///
/// It goes by the last 512 to 1280 calls, which are too few for a quantile like the 99.9th, and forgets by halves what is
/// older than the configuration says. Otherwise it is as [`AdaptiveTimeout`](crate::AdaptiveTimeout) does. It takes
/// less than 3 KiB. An answer that comes in while the oldest are forgotten may be forgotten with them.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{AdaptiveTimeoutConfig, Outcome, Quantile, sync::SharedAdaptiveTimeout};
///
/// let [floor, ceiling] = [1, 30_000].map(Duration::from_millis);
/// let timeout = SharedAdaptiveTimeout::new(AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling))?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| {
///             for _ in 0..1000 {
///                 timeout.record(Outcome::Completed(Duration::from_millis(20)));
///             }
///         });
///     }
/// });
/// assert!(timeout.current() < Duration::from_millis(23));
/// # Ok::<(), surmise_timeout::AdaptiveTimeoutError>(())
/// ```
pub struct SharedAdaptiveTimeout {
    /// What is read for each call, apart from what is written for each.
    current: CachePadded<AtomicU64>,
    ceiling: Duration,
    explorers: Explorers,
    buckets: Buckets,
    /// How many answers were counted, to tell when to renew the timeout; and [`ODD`] if that is in the second
    /// generation.
    ticket: AtomicU32,
    answered: [[AtomicU32; Buckets::COUNT]; GENERATIONS],
    renewal: Mutex<Renewal>,
}

const GENERATIONS: usize = 2;

const ODD: u32 = 1 << 31;

/// How many answers renew the timeout.
const RENEW_EVERY: u32 = if cfg!(loom) { 2 } else { 256 };

/// Among so many calls, each counts.
const FEW: u32 = if cfg!(loom) { 1 } else { 16 };

/// How many calls there are to a generation, until the next renewal.
const GENERATION: u32 = if cfg!(loom) { 2 } else { 512 };

/// What is changed under the lock.
#[derive(Debug)]
struct Renewal {
    course: Course,
    given_up: [[u16; Buckets::COUNT]; GENERATIONS],
    newest: usize,
    /// How long a generation lasts at most.
    lifetime: Option<Duration>,
    began: Option<Instant>,
}

impl SharedAdaptiveTimeout {
    /// Creates a timeout that goes by its prior.
    ///
    /// # Errors
    ///
    /// Those of [`AdaptiveTimeout::new`](crate::AdaptiveTimeout::new).
    pub fn new(config: AdaptiveTimeoutConfig) -> Result<Self, AdaptiveTimeoutError> {
        let course = Course::new(&config, GENERATION)?;
        Ok(Self {
            current: CachePadded::new(AtomicU64::new(course.current())),
            ceiling: config.ceiling,
            explorers: Explorers::new(config.exploring),
            buckets: course.buckets(),
            ticket: AtomicU32::new(RENEW_EVERY - 1),
            answered: [(); GENERATIONS].map(|()| [(); Buckets::COUNT].map(|()| AtomicU32::new(0))),
            renewal: Mutex::new(Renewal {
                course,
                given_up: [[0; Buckets::COUNT]; GENERATIONS],
                newest: 0,
                lifetime: config.max_age.map(|max_age| max_age / 2),
                began: None,
            }),
        })
    }

    /// Returns the timeout.
    #[must_use]
    #[inline]
    pub fn current(&self) -> Duration {
        Duration::from_nanos(self.current.load(Ordering::Relaxed))
    }

    /// Returns the timeout, or what remains of the caller's own time if that is less: see
    /// [`AdaptiveTimeout::within`](crate::AdaptiveTimeout::within).
    #[must_use]
    #[inline]
    pub fn within(&self, remaining: Duration) -> Duration {
        self.current().min(remaining)
    }

    /// Returns the timeout for one call, as [`AdaptiveTimeout::draw`](crate::AdaptiveTimeout::draw).
    #[must_use]
    #[inline]
    pub fn draw(&self, random: u64) -> Duration {
        let explores = self.explorers.is_one(random);
        if explores { self.ceiling } else { self.current() }
    }

    /// Takes in how a call went.
    // Where it is not inlined, the outcome is written to memory and read again: half as much again as the rest.
    #[inline(always)]
    pub fn record(&self, outcome: Outcome) {
        match outcome {
            // A product of so few seconds and a billion has fewer than 64 bits.
            Outcome::Completed(took) if took.as_secs() <= i32::MAX as u64 => {
                self.record_answer(took.as_secs() * 1_000_000_000 + u64::from(took.subsec_nanos()));
            }
            Outcome::Completed(took) => self.record_long(nanos(took)),
            Outcome::TimedOut(waited) => self.record_given_up(nanos(waited), true),
            Outcome::Cancelled(waited) => self.record_given_up(nanos(waited), false),
            Outcome::FailedFast => {}
        }
    }

    #[inline]
    fn record_answer(&self, nanos: u64) {
        let ticket = self.ticket.fetch_add(1, Ordering::Relaxed);
        let [even, odd] = &self.answered;
        let answered = if ticket & ODD == 0 { even } else { odd };
        if let Some(count) = answered.get(self.buckets.unbounded_index(nanos)) {
            count.fetch_add(1, Ordering::Relaxed);
        } else {
            return self.record_long(nanos);
        }
        if ticket % RENEW_EVERY == RENEW_EVERY - 1 {
            self.renew_unless_renewed();
        }
    }

    /// Takes in an answer that took decades, or longer than all buckets but the last hold.
    #[cold]
    fn record_long(&self, nanos: u64) {
        let renewal = &mut *self.renewal.lock();
        let answered = self.answered.get(renewal.newest);
        if let Some(count) = answered.and_then(|answered| answered.get(self.buckets.index(nanos))) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.renew(renewal, None);
    }

    /// Returns the timeout in nanoseconds: one load, and no division.
    #[must_use]
    #[inline]
    pub fn current_nanos(&self) -> u64 {
        self.current.load(Ordering::Relaxed)
    }

    /// Forgets calls that are older than the configuration says, if it does.
    ///
    /// A clock that steps back changes nothing.
    pub fn advance(&self, now: Instant) {
        let mut renewal = self.renewal.lock();
        let Some(lifetime) = renewal.lifetime else { return };
        let began = *renewal.began.get_or_insert(now);
        let lifetimes = nanos(now - began) / nanos(lifetime);
        if lifetimes > 0 {
            renewal.began = Some(began + Duration::from_nanos(lifetimes * nanos(lifetime)));
            for _ in 0..lifetimes.min(GENERATIONS as u64) {
                self.begin_generation(&mut renewal);
            }
            self.renew(&mut renewal, None);
        }
    }

    /// Takes in a call that was given up, which is rare.
    #[cold]
    fn record_given_up(&self, nanos: u64, timed_out: bool) {
        let mut renewal = self.renewal.lock();
        let newest = renewal.newest;
        // Who was given up at the end of a bucket waited as long as all that is in it.
        let bucket = self.buckets.index(nanos.saturating_sub(1));
        // A call that failed soon must not count for one that was answered, and so for the end of a generation.
        if !timed_out && self.is_no_news(bucket) {
            return;
        }
        let counts = renewal.given_up.get_mut(newest);
        if let Some(count) = counts.and_then(|counts| counts.get_mut(bucket)) {
            *count = count.saturating_add(1);
        }
        self.renew(&mut renewal, timed_out.then_some(nanos));
    }

    /// Returns whether no call was answered so soon.
    fn is_no_news(&self, bucket: usize) -> bool {
        let answered = self.answered.iter().flat_map(|answered| answered.iter().take(bucket + 1));
        answered.map(|count| count.load(Ordering::Relaxed)).all(|count| count == 0)
    }

    #[cold]
    fn renew_unless_renewed(&self) {
        if let Some(mut renewal) = self.renewal.try_lock() {
            self.renew(&mut renewal, None);
        } else {
            // Whoever has the lock may have counted already, without what was just recorded: the next answer tries
            // again.
            self.ticket.fetch_or(RENEW_EVERY - 1, Ordering::Relaxed);
        }
    }

    /// Renews the timeout, and begins another generation if this one is full.
    fn renew(&self, renewal: &mut Renewal, waited: Option<u64>) {
        let known = self.known(renewal);
        let counts = known.answered.into_iter().zip(known.given_up);
        let estimate = kaplan_meier::quantile(counts, known.calls, renewal.course.quantile);
        renewal.course.change(estimate, known.calls, waited);
        self.current.store(renewal.course.current(), Ordering::Relaxed);
        if known.newest >= GENERATION {
            self.begin_generation(renewal);
            // Its time begins when it is next known what time it is.
            renewal.began = None;
        }
        // As long as the prior counts or there are few calls, each answer is to renew the timeout.
        let is_young = known.calls < renewal.course.prior_samples().max(FEW);
        let odd = if renewal.newest == 0 { 0 } else { ODD };
        self.ticket.store(if is_young { odd | (RENEW_EVERY - 1) } else { odd }, Ordering::Relaxed);
    }

    /// Forgets the older generation, and has calls counted in its place.
    fn begin_generation(&self, renewal: &mut Renewal) {
        let next = (renewal.newest + 1) % GENERATIONS;
        for count in self.answered.get(next).into_iter().flatten() {
            count.store(0, Ordering::Relaxed);
        }
        if let Some(counts) = renewal.given_up.get_mut(next) {
            counts.fill(0);
        }
        renewal.newest = next;
    }

    /// Reads all counts.
    fn known(&self, renewal: &Renewal) -> Known {
        let mut known = Known {
            answered: [0; Buckets::COUNT],
            given_up: [0; Buckets::COUNT],
            calls: 0,
            newest: 0,
        };
        let generations = self.answered.iter().zip(&renewal.given_up).enumerate();
        for (generation, (answered, given_up)) in generations {
            let before = known.calls;
            for (sum, count) in known.answered.iter_mut().zip(answered) {
                let count = count.load(Ordering::Relaxed);
                *sum += count;
                known.calls += count;
            }
            for (sum, &count) in known.given_up.iter_mut().zip(given_up) {
                *sum += u32::from(count);
                known.calls += u32::from(count);
            }
            if generation == renewal.newest {
                known.newest = known.calls - before;
            }
        }
        known
    }
}

impl fmt::Debug for SharedAdaptiveTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Known { answered, given_up, .. } = self.known(&self.renewal.lock());
        let calls = self.buckets.show(answered.into_iter().zip(given_up));
        let mut timeout = f.debug_struct("SharedAdaptiveTimeout");
        timeout.field("current", &self.current()).field("ceiling", &self.ceiling);
        timeout.field("calls", &calls).finish_non_exhaustive()
    }
}

/// What both generations counted.
struct Known {
    answered: [u32; Buckets::COUNT],
    given_up: [u32; Buckets::COUNT],
    calls: u32,
    /// How many of the calls are of the newest generation.
    newest: u32,
}
