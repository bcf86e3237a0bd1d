use core::{error::Error, fmt, time::Duration};

/// A call was given up, because it took longer than the timeout or than its caller's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elapsed {
    /// After how long; zero if the caller's time was over before the call, which then was not made.
    pub after: Duration,
    /// For whom it took too long.
    pub limit: Limit,
}

/// What limits how long a call may take: the shorter of these, and the timeout if they are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The layer's own timeout: the service was slower than it mostly is. The timeout learns from it.
    Timeout,
    /// The [deadline](crate::Policy::deadline) of the caller, who had less time than the service is given. That does
    /// not make the timeout longer.
    Deadline,
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { after, limit } = self;
        match limit {
            Limit::Timeout => write!(f, "the call was given up after {after:?}"),
            Limit::Deadline if after.is_zero() => {
                f.write_str("the call was not made, since its caller's deadline had passed")
            }
            Limit::Deadline => {
                write!(f, "the call was given up after {after:?}, at its caller's deadline")
            }
        }
    }
}

impl Error for Elapsed {}
