//! chrony: what a running `chronyd` says about the system clock, asked over its command protocol.
//!
//! The only request that is made is the one for the tracking report, which changes nothing. It goes
//! to the UDP port that `chronyd` opens for `chronyc` (323), by default to that of the same
//! machine, where everybody may ask; or to its Unix socket, for which one must be root or of
//! chrony's group.
//!
//! The report bounds the system clock's error if the reference is right. It does not say that the
//! reference was reached lately: `chronyd` reports "Normal" long after its servers have died, and
//! lets the bound grow by a part per million. So a report is judged by the age of its last
//! measurement, and the bound grows from then on by what is assumed of the clock here.
//!
//! Nor does it say that the machine was suspended or moved since. A report is refused until the
//! reference was measured after that, by the age of its last measurement. What `chronyd` makes of
//! several measurements may rest on earlier ones still, until it finds that they do not agree.
//!
//! What `chronyd` does not know is not in its bound either: the error of a reference clock that
//! nobody told it, such as of a PTP hardware clock whose hypervisor states it elsewhere. That is
//! for whoever configures this source to say: [`ReferenceBound`].

mod config;
mod float;
mod packet;
#[cfg(unix)]
mod socket;
mod tracking;

use core::time::Duration;

use surmise_time::{Instant, MonotonicClock, OsWallClock, WallClock, WallTime};

pub use self::{
    config::{ChronyAddress, ChronyConfig, ReferenceBound},
    float::Float,
    packet::{PACKET_LENGTH, ReplyError, decode_reply, encode_request},
    tracking::Tracking,
};
use super::{
    Refusal, Source, SourceError, Unsynchronized,
    datagram::{self, Datagram, Exchange},
    suspension::Suspension,
};
use crate::{Drift, Interval, Sample};

/// The system clock, as far as `chronyd` knows it.
///
/// # Suspension and disruption
///
/// After the machine was suspended, a report is refused, as [`Unsynchronized::Suspended`], until
/// `chronyd` has measured its reference after that was noticed: Linux may have set the system clock
/// wrong by a second. On a machine that was ever suspended that includes the first report, since
/// nobody can tell when that was. This is known on Linux only. In the same way it is refused, as
/// [`Unsynchronized::Disrupted`], after [`disrupted`](Source::disrupted).
///
/// # Examples
///
/// ```no_run
/// use surmise_interval::source::{Source, chrony::{ChronyConfig, ChronySource}};
/// use surmise_time::BootClock;
///
/// let mut source = ChronySource::new(ChronyConfig::default());
/// let sample = source.sample(&BootClock)?;
/// println!("{}", sample.interval());
/// # Ok::<(), surmise_interval::source::SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChronySource {
    config: ChronyConfig,
    suspension: Suspension,
    doubt: Option<Doubt>,
}

/// Since when nothing is believed that was measured before.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    since: Instant,
    reason: Unsynchronized,
}

impl ChronySource {
    /// Creates a source. Nothing is opened until it is asked.
    #[must_use]
    pub const fn new(config: ChronyConfig) -> Self {
        Self { config, suspension: Suspension::new(), doubt: None }
    }

    /// Asks `chronyd` for its tracking report, and relates that to the monotonic clock.
    ///
    /// # Errors
    ///
    /// If there is no answer or not one with a report. A clock that is not synchronised is not an
    /// error before [`ChronyReport::sample`].
    pub fn report(&mut self, clock: &dyn MonotonicClock) -> Result<ChronyReport, SourceError> {
        let before = Reading::take(clock);
        let exchange = match &self.config.address {
            ChronyAddress::Udp(address) => self.exchange(&datagram::connect(*address)?, clock),
            #[cfg(unix)]
            ChronyAddress::Unix(path) => self.exchange(&socket::UnixSocket::connect(path)?, clock),
        }?;
        let after = Reading::take(clock);
        Ok(self.relate(&exchange, &before, &after))
    }

    /// Relates an answer to the clocks, as they were read before it was asked for and after it came.
    fn relate(
        &mut self,
        exchange: &Exchange<Tracking>,
        before: &Reading,
        after: &Reading,
    ) -> ChronyReport {
        // After the readings: to have slept before them is what matters.
        if self.suspension.occurred() {
            let reason = Unsynchronized::Suspended;
            self.doubt = Some(Doubt { since: after.after, reason });
        }
        let mut report = ChronyReport {
            tracking: exchange.answer,
            wall: after.wall,
            stepped: step_between(before, after),
            between: (after.before, after.after),
            elapsed: after.after - exchange.sent,
            doubted: None,
            config: self.config.clone(),
        };
        self.doubt = self.doubt.filter(|doubt| !report.is_measured_after(doubt.since));
        report.doubted = self.doubt.map(|doubt| doubt.reason);
        report
    }

    fn exchange(
        &self,
        socket: &impl Datagram,
        clock: &dyn MonotonicClock,
    ) -> Result<Exchange<Tracking>, SourceError> {
        let sequence = u32::from_ne_bytes(datagram::random()?);
        let request = encode_request(sequence);
        let accept = |reply: &[u8]| match decode_reply(reply, sequence) {
            Err(ReplyError::Foreign) => None,
            answer => Some(answer),
        };
        let exchange = datagram::exchange(socket, &request, self.config.timeout, clock, accept)?;
        Ok(Exchange { answer: exchange.answer?, sent: exchange.sent, received: exchange.received })
    }
}

impl Source for ChronySource {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        self.report(clock)?.sample()
    }

    fn disrupted(&mut self, at: Instant) {
        let since = self.doubt.map_or(at, |doubt| doubt.since.max(at));
        self.doubt = Some(Doubt { since, reason: Unsynchronized::Disrupted });
    }

    fn name(&self) -> &str {
        "chrony"
    }
}

/// A tracking report, and how the system clock stood to the monotonic clock when it came.
#[derive(Clone, Debug)]
pub struct ChronyReport {
    tracking: Tracking,
    wall: WallTime,
    stepped: Duration,
    between: (Instant, Instant),
    elapsed: Duration,
    /// Why it is not believed, though it may be all right in itself.
    doubted: Option<Unsynchronized>,
    config: ChronyConfig,
}

impl ChronyReport {
    /// Returns what `chronyd` said.
    #[must_use]
    pub const fn tracking(&self) -> &Tracking {
        &self.tracking
    }

    /// Returns what the system clock said right after `chronyd` answered.
    #[must_use]
    pub const fn wall(&self) -> WallTime {
        self.wall
    }

    /// Returns how long before that the reference was last measured.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.tracking.age(self.wall)
    }

    /// Returns whether the reference was certainly measured after `since`.
    ///
    /// The age is of NTP time, and what has passed since then is of a clock that may have been
    /// slewed by up to a tenth meanwhile, while NTP time was not.
    fn is_measured_after(&self, since: Instant) -> bool {
        let (earliest, _) = self.between;
        let now = self.tracking.ntp_time(self.wall);
        let age = now.checked_duration_since(self.tracking.reference_time);
        age.is_some_and(|age| {
            Drift::MAX.at_most(age).saturating_add(self.stepped) < earliest - since
        })
    }

    /// Returns how far the system clock was from the truth at most.
    ///
    /// It is the report's own [`bound`](Tracking::bound), and what may have come to it that
    /// `chronyd` does not count: by the configured drift since the reference was last measured, and
    /// since `chronyd` was asked by all of the [drift](Tracking::drift) and by a step of the system
    /// clock. If there is a [`ReferenceBound`] of the reference, that is added as well.
    ///
    /// What `chronyd` adds itself since the last measurement is the skew and the residual
    /// frequency, as if the oscillator stayed as it was then to within `maxclockerror`.
    ///
    /// # Errors
    ///
    /// Those of [`Tracking::drift`].
    pub fn bound(&self) -> Result<Duration, SourceError> {
        let drift = self.tracking.drift(self.config.drift)?;
        let holdover = self.config.drift.over(self.age());
        let since = drift.over(self.elapsed).saturating_add(self.stepped);
        let reference = self.config.reference_bound;
        let reference =
            reference.filter(|reference| reference.reference_id == self.tracking.reference_id);
        let error = reference.map_or(Duration::ZERO, |reference| reference.error);
        let parts = [error, holdover, since].into_iter();
        Ok(parts.fold(self.tracking.bound(), Duration::saturating_add))
    }

    /// Returns what the report says about the time.
    ///
    /// Where a leap second is announced, the interval extends a second further to the side on which
    /// it falls.
    ///
    /// # Errors
    ///
    /// Those of [`Tracking::check`] and [`Tracking::drift`]; and
    /// [`Unsynchronized`](SourceError::Unsynchronized) if the reference was not measured since the
    /// machine was suspended or disrupted.
    pub fn sample(&self) -> Result<Sample, SourceError> {
        self.tracking.check(self.wall, &self.config)?;
        if let Some(reason) = self.doubted {
            return Err(reason.into());
        }
        let drift = self.tracking.drift(self.config.drift)?;
        let interval = self.tracking.leap.widen(Interval::around(self.wall, self.bound()?));
        let (before, after) = self.between;
        Ok(Sample::asked_between(interval, before, after, drift))
    }
}

impl From<ReplyError> for SourceError {
    fn from(error: ReplyError) -> Self {
        match error {
            // Such replies are waited out, and so this is for completeness.
            ReplyError::Foreign => Self::NoAnswer { waited: Duration::ZERO },
            ReplyError::Malformed { what, value } => Self::Malformed { what, value },
            ReplyError::Unsupported { what, value } => Self::Unsupported { what, value },
            ReplyError::Refused { status } => Self::Refused { refusal: Refusal::Chrony { status } },
        }
    }
}

/// What the system clock said, between two readings of the monotonic clock.
#[derive(Clone, Copy, Debug)]
struct Reading {
    before: Instant,
    wall: WallTime,
    after: Instant,
}

impl Reading {
    fn take(clock: &dyn MonotonicClock) -> Self {
        let before = clock.now();
        let wall = OsWallClock.now();
        Self { before, wall, after: clock.now() }
    }
}

/// Returns how far the system clock can have been stepped between two readings, as far as they can
/// tell.
///
/// It may have gone forward by any time between the shortest and the longest that can have passed.
/// That assumes one step at most: two in opposite directions add up to their difference, and nothing
/// shows that there was a time in between. One exchange takes microseconds as a rule, and no daemon
/// steps a clock twice in that.
fn step_between(first: &Reading, second: &Reading) -> Duration {
    let shortest = second.before - first.after;
    let longest = second.after - first.before;
    let back = first.wall - second.wall;
    let forward = second.wall - first.wall;
    longest.max(forward).saturating_sub(shortest.min(forward)).saturating_add(back)
}

#[cfg(test)]
mod tests;
