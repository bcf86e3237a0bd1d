use core::{error::Error, fmt, time::Duration};
use std::io;

use surmise_interval::{
    Sample,
    select::Smearing,
    source::{SourceError, Unsynchronized},
};
use surmise_time::{Instant, MonotonicClock};

/// Something on this machine, or near it, that is asked what time it is, and tells more than that.
pub(super) trait Probe: Send {
    /// Returns what it is called in reports.
    fn name(&self) -> &str;

    /// Asks, for as long as it is to be waited for.
    fn ask(&mut self, clock: &dyn MonotonicClock) -> Report;

    /// Returns how long it is to be left alone before it is asked again.
    fn pause(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns what it does about leap seconds.
    fn smearing(&self) -> Smearing {
        Smearing::Stepped
    }

    /// Returns for what it has a vote.
    fn vote(&self) -> Vote {
        Vote::Own
    }

    /// Returns whether the machine was disrupted, as far as the last answer tells.
    fn tells_of_disruption(&self) -> bool {
        false
    }

    /// Hears that the machine was disrupted before `at`, and that nothing holds that was known then.
    fn disrupted(&mut self, at: Instant) {
        let _ = at;
    }
}

/// For what a source has a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vote {
    /// For what it found out by itself.
    Own,
    /// For the system clock, of which all that tell know it from one daemon. Only the first by this
    /// rank that answers is counted.
    SystemClock(u8),
}

/// What a probe answered.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) answer: Result<Sample, Silence>,
    /// How long ago the source itself learnt the time, if it says so.
    pub(super) age: Option<Duration>,
    /// What else it says, for people.
    pub(super) details: String,
}

impl Report {
    /// Creates a report of nothing but why there is none.
    pub(super) fn silent(silence: impl Into<Silence>) -> Self {
        Self { answer: Err(silence.into()), age: None, details: String::new() }
    }
}

/// Why a probe does not say what time it is.
#[derive(Debug)]
pub(super) enum Silence {
    /// The source failed, or does not know.
    Source(SourceError),
    /// The name of its host leads nowhere.
    Host { host: String, error: io::Error },
    /// It was not asked what time it is, because of this.
    NotAsked(String),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => {
                write!(f, "{error}")?;
                if matches!(
                    error,
                    SourceError::Unsynchronized { reason: Unsynchronized::Suspended }
                ) {
                    write!(
                        f,
                        "; of a machine that ever was, the first answer is never believed, as \
                               it may be from before: see --live"
                    )?;
                }
                error.source().map_or(Ok(()), |cause| write!(f, ": {cause}"))
            }
            Self::Host { host, error } => write!(f, "could not look up {host}: {error}"),
            Self::NotAsked(why) => f.write_str(why),
        }
    }
}

impl Error for Silence {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(error) => error.source(),
            Self::Host { error, .. } => Some(error),
            Self::NotAsked(_) => None,
        }
    }
}

impl From<SourceError> for Silence {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// A row for a source that is not there to be asked.
#[derive(Debug)]
pub(super) struct Absent {
    pub(super) name: String,
    pub(super) why: String,
}

impl Probe for Absent {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask(&mut self, _clock: &dyn MonotonicClock) -> Report {
        Report::silent(Silence::NotAsked(self.why.clone()))
    }
}
