//! What the Linux kernel was told of its clock: `adjtimex`.

mod raw;
mod timex;

use core::time::Duration;

use surmise_time::{Instant, MonotonicClock};

pub use self::{
    raw::RawTimex,
    timex::{ClockState, StatusFlags, Timex},
};
use super::{Leap, Source, SourceError, Unsynchronized, suspension::Suspension, sys};
use crate::{Drift, Interval, Sample};

/// The system clock, and the error bound that whoever disciplines it leaves with the kernel.
///
/// Any daemon that keeps a Linux clock in time does so through `adjtimex`, and states there how far
/// the clock may be off. The kernel adds 500 ppm to that, once a second, until the daemon states it
/// anew; past 16 s it gives up. Mills specified it in RFC 1589 (1994).
///
/// A call takes 1.6 to 3 µs, and little changes between two of them: let a sampler call it every
/// second or so, and readers go by what it published.
///
/// # Limits
///
/// The bound is as good as the daemon's word. ntpd and chronyd state the root distance, as they
/// should. systemd-timesyncd and phc2sys state zero, so that nothing is known of the network between
/// them and their servers: that is [`Unsynchronized::Unstated`], unless it is to be
/// [trusted](Self::trusting_zero).
///
/// After the machine was suspended the bound is refused, as [`Unsynchronized::Suspended`], until the
/// daemon has stated a new one, which shows by its being less than the last. On a machine that was
/// ever suspended that goes for the first one that is read, since nobody can tell when that was. So
/// it does after [`disrupted`](Source::disrupted), as [`Unsynchronized::Disrupted`].
///
/// While a leap second is inserted the clock counts a second twice, and is refused. From the announcement of a
/// leap second on, the interval extends a second further to the side on which it falls.
///
/// # Examples
///
/// ```
/// use surmise_interval::source::{Source, SourceError, kernel::KernelClock};
/// use surmise_time::BootClock;
///
/// let mut kernel = KernelClock::new();
/// println!("{}", kernel.read()?);
/// match kernel.sample(&BootClock) {
///     Ok(sample) => println!("{}", sample.interval()),
///     Err(SourceError::Unsynchronized { reason }) => println!("nobody disciplines it: {reason}"),
///     Err(error) => return Err(error),
/// }
/// # Ok::<(), SourceError>(())
/// ```
#[derive(Debug, Default)]
pub struct KernelClock {
    suspension: Suspension,
    trust: Trust,
    trusts_zero: bool,
}

/// Whether the bound was stated since the machine was last suspended or disrupted, as far as can be
/// told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Trust {
    #[default]
    Whole,
    /// It was not, and nothing was read since.
    Lost(Unsynchronized),
    /// It was not, unless it is less than this: all that the kernel does is add.
    Below(Duration, Unsynchronized),
}

impl KernelClock {
    /// What the kernel assumes of its clock: 500 ppm.
    ///
    /// It is also how much of a frequency a daemon can have corrected. What else is corrected
    /// faster, by `ADJ_TICK` or `ADJ_OFFSET`, is an offset that is part of the bound.
    pub const DRIFT: Drift = match Drift::from_ppm(500) {
        Ok(drift) => drift,
        Err(_) => unreachable!(),
    };

    /// Creates a source that has read nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes a daemon that states an error of zero, as systemd-timesyncd and phc2sys do.
    ///
    /// By default such a bound is refused: it is what the kernel adds to zero, half a millisecond a
    /// second, and the truth may be anywhere. It is right to trust it where the daemon is, as
    /// phc2sys or `chronyd` may be that follow a hardware clock to less than a microsecond. See
    /// [`Timex::is_unstated`].
    #[must_use]
    pub fn trusting_zero(self) -> Self {
        Self { trusts_zero: true, ..self }
    }

    /// Reads all that the kernel says, whether or not it makes a sample.
    ///
    /// # Errors
    ///
    /// If the system call fails, or if a number makes no sense.
    pub fn read(&self) -> Result<Timex, SourceError> {
        read()
    }

    fn sample_by(
        &mut self,
        clock: &dyn MonotonicClock,
        read: impl FnOnce() -> Result<Timex, SourceError>,
    ) -> Result<Sample, SourceError> {
        let before = clock.now();
        let timex = read()?;
        let after = clock.now();
        // After the reading: to have slept before it is what matters.
        let slept = self.suspension.occurred();
        let admitted = self.admit(slept, &timex);
        // What the kernel says itself tells more.
        let sample = self.sample_of(&timex, before, after)?;
        admitted.map(|()| sample)
    }

    /// Returns whether this reading may be relied on.
    fn admit(&mut self, slept: bool, timex: &Timex) -> Result<(), SourceError> {
        if slept {
            self.trust = Trust::Lost(Unsynchronized::Suspended);
        }
        let reason = match self.trust {
            Trust::Whole => return Ok(()),
            Trust::Below(bound, _) if timex.max_error < bound => {
                self.trust = Trust::Whole;
                return Ok(());
            }
            Trust::Lost(reason) | Trust::Below(_, reason) => reason,
        };
        self.trust = Trust::Below(timex.max_error, reason);
        Err(reason.into())
    }

    /// Makes a sample of what was read between two instants.
    ///
    /// The kernel read its clock in the same call, so that no step comes between that and the
    /// bound.
    fn sample_of(
        &self,
        timex: &Timex,
        before: Instant,
        after: Instant,
    ) -> Result<Sample, SourceError> {
        let bound = timex.bound()?;
        if timex.is_unstated() && !self.trusts_zero {
            return Err(Unsynchronized::Unstated(timex.max_error).into());
        }
        let leap = match timex.state {
            ClockState::Insert => Leap::Insert,
            ClockState::Delete => Leap::Delete,
            _ => Leap::None,
        };
        let interval = leap.widen(Interval::around(timex.time, bound));
        Ok(Sample::asked_between(interval, before, after, Self::DRIFT))
    }
}

impl Source for KernelClock {
    fn sample(&mut self, clock: &dyn MonotonicClock) -> Result<Sample, SourceError> {
        self.sample_by(clock, read)
    }

    fn disrupted(&mut self, _: Instant) {
        self.trust = Trust::Lost(Unsynchronized::Disrupted);
    }

    fn name(&self) -> &str {
        "kernel"
    }
}

fn read() -> Result<Timex, SourceError> {
    let (state, timex) = sys::adjtimex().map_err(SourceError::io("call adjtimex"))?;
    Timex::decode(&RawTimex::new(state, &timex))
}

#[cfg(test)]
mod tests;
