use core::{error::Error, fmt, time::Duration};

/// A call was given up, because it took longer than the timeout or than its caller's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elapsed {
    /// After how long; zero if the caller's time was over before the call, which then was not made.
    pub after: Duration,
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call was given up after {:?}", self.after)
    }
}

impl Error for Elapsed {}
