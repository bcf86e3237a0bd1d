use alloc::boxed::Box;
use core::{error::Error, fmt, time::Duration};
use std::io;

use surmise_time::Instant;

#[cfg(target_os = "linux")]
use super::kernel::{ClockState, StatusFlags};
use super::ntp::KissCode;

/// A source did not say what time it is.
///
/// The text says what failed, and not why: that is the [source](Error::source) of the error, if there is one,
/// and its source in turn. "could not open /dev/vmclock0" comes of "No such file or directory". The text of a
/// sampler's [`Round`](crate::sampler::Round) has all of them.
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceError {
    /// The operating system failed us.
    Io {
        /// What was tried, as in "connect to /run/chrony/chronyd.sock".
        action: Box<str>,
        /// How it failed.
        error: io::Error,
    },
    /// There was no answer, or none that was meant for us.
    NoAnswer {
        /// How long was waited.
        waited: Duration,
    },
    /// The source answered that it will not.
    Refused {
        /// How it says so.
        refusal: Refusal,
    },
    /// The source says itself that it does not know.
    Unsynchronized {
        /// How it says so.
        reason: Unsynchronized,
    },
    /// What the source knows is from too long ago.
    Stale {
        /// How long ago.
        age: Duration,
        /// How long ago it may be at most.
        max: Duration,
    },
    /// What the source knows is not known well enough.
    Uncertain {
        /// How far from the truth it can be.
        bound: Duration,
        /// How far it may be at most.
        max: Duration,
    },
    /// The answer makes no sense.
    Malformed {
        /// Which part of it, as in "length" or "generation".
        what: &'static str,
        /// What was found there, in the part's own unit; signed numbers as two's complement.
        value: u64,
    },
    /// The answer may make sense, but not to this version of the crate.
    Unsupported {
        /// Which part of it, as in "version".
        what: &'static str,
        /// What was found there.
        value: u64,
    },
}

impl SourceError {
    /// Returns a function that makes an error of an [`io::Error`], for `map_err`.
    pub(crate) fn io(action: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { action: alloc::format!("{action}").into(), error }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, .. } => write!(f, "could not {action}"),
            Self::NoAnswer { waited } => write!(f, "no answer within {waited:?}"),
            Self::Refused { refusal } => write!(f, "refused: {refusal}"),
            Self::Unsynchronized { reason } => write!(f, "not synchronised: {reason}"),
            Self::Stale { age, max } => write!(f, "{age:?} old, which exceeds {max:?}"),
            Self::Uncertain { bound, max } => {
                write!(f, "uncertain by {bound:?}, which exceeds {max:?}")
            }
            Self::Malformed { what, value } => write!(f, "{what} {value} makes no sense"),
            Self::Unsupported { what, value } => write!(f, "{what} {value} is not supported"),
        }
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<Unsynchronized> for SourceError {
    fn from(reason: Unsynchronized) -> Self {
        Self::Unsynchronized { reason }
    }
}

impl From<Refusal> for SourceError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal }
    }
}

/// How a source says that it does not know the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsynchronized {
    /// By a leap status of 3: the clock is not synchronised.
    LeapStatus,
    /// By a stratum that no synchronised clock has.
    Stratum(u16),
    /// By a reference time that it never set.
    NoReference,
    /// By having no reference but itself.
    LocalReference,
    /// By the kernel's state or its status bits, as in `STA_UNSYNC`.
    #[cfg(target_os = "linux")]
    Kernel {
        /// The state, as in `TIME_ERROR`; during an inserted leap second it is `TIME_OOP`.
        state: ClockState,
        /// The status bits.
        status: StatusFlags,
    },
    /// By a status that says just that, as ClockBound's `Unknown`.
    Unknown,
    /// By an error that it no longer bounds, as in the kernel's `maxerror` of 16 s.
    Unbounded(Duration),
    /// By an error that is only what the kernel let it grow to since a daemon stated zero, as
    /// systemd-timesyncd does.
    Unstated(Duration),
    /// By a rate that it has not measured to better than this, in parts per billion: so bad is no
    /// clock.
    Rate(u64),
    /// By a rate that it has not measured yet, as `chronyd` after its first measurement.
    NoRate,
    /// By a mark that the machine was disrupted, such as by a migration, or by not having been stated
    /// anew since the source was [told](super::Source::disrupted) so: nothing that was known of the
    /// time before holds, nor does what a clock extrapolates from it.
    Disrupted,
    /// By not having been stated anew since the machine was suspended.
    ///
    /// Linux adds the same time to the system clock and to the boot clock for how long the machine
    /// slept. Where no counter goes on counting meanwhile, that is measured by a real-time clock to
    /// a second. So neither does what a daemon said of the system clock before bound its error now,
    /// nor what was sampled before bound that of what is extrapolated by the boot clock.
    Suspended,
}

impl fmt::Display for Unsynchronized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeapStatus => write!(f, "the leap status says so"),
            Self::Stratum(stratum) => write!(f, "stratum {stratum}"),
            Self::NoReference => write!(f, "it never had a reference"),
            Self::LocalReference => write!(f, "it is its own reference"),
            #[cfg(target_os = "linux")]
            Self::Kernel { state, status } => write!(f, "{state}, {status}"),
            Self::Unknown => write!(f, "its status is unknown"),
            Self::Unbounded(error) => write!(f, "its error is no longer bounded: {error:?}"),
            Self::Unstated(error) => write!(f, "an error of {error:?} that nobody stated"),
            Self::Rate(ppb) => write!(f, "its rate is known only to {ppb} ppb"),
            Self::NoRate => write!(f, "its rate has not been measured yet"),
            Self::Disrupted => write!(f, "the machine was disrupted"),
            Self::Suspended => write!(f, "the machine was suspended, and nothing stated since"),
        }
    }
}

/// How a source says that it will not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// `chronyd` replied with a status other than success.
    Chrony {
        /// As in chrony's `candm.h`: 2 stands for "not authorised".
        status: u16,
    },
    /// An NTP server replied with a kiss-o'-death packet.
    Kiss(KissCode),
    /// An NTP server replied that it is asked too often, and so is left alone for some time.
    Rate {
        /// From when on it is asked again, by the clock with which it was asked.
        again: Instant,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chrony { status } => write!(f, "chronyd's status is {status}"),
            Self::Kiss(code) => write!(f, "the kiss-o'-death code is {code}"),
            Self::Rate { again } => {
                write!(f, "asked too often, and not to be again before {again} of the boot clock")
            }
        }
    }
}
