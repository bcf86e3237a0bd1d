use core::{error::Error, fmt, time::Duration};

use super::Recovery;
use crate::Fenced;

/// Why there is no result, or why it was not kept.
#[derive(PartialEq, Eq)]
#[must_use = "the right to recover may be in it"]
#[non_exhaustive]
pub enum ExecuteError<K, V, C = ()> {
    /// Another caller is at it, and this one waited for long enough; or that caller gave up, and nobody knows how far
    /// it came.
    InFlight {
        /// When its lease ends, unless it is completed before or renewed.
        retry_after: Duration,
    },
    /// The key was used for another request.
    Mismatch,
    /// There is no room for another key.
    Full,
    /// Another caller was at it, and nobody knows how far it came. It is up to whoever has this to find out, as of
    /// [`Begin::Recover`](crate::Begin::Recover). Dropped, it leaves that to another caller when its lease ends.
    Recover(Recovery<K, V, C>),
    /// This caller executed, and took so long that another took over: it was perhaps done twice. The result comes
    /// back.
    Fenced(Fenced<V>),
}

impl<K, V, C> From<Fenced<V>> for ExecuteError<K, V, C> {
    fn from(fenced: Fenced<V>) -> Self {
        Self::Fenced(fenced)
    }
}

/// Without what was returned or saved: neither need be printable, and may not be for every log.
impl<K, V, C> fmt::Debug for ExecuteError<K, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight { retry_after } => {
                f.debug_struct("InFlight").field("retry_after", retry_after).finish()
            }
            Self::Mismatch => f.write_str("Mismatch"),
            Self::Full => f.write_str("Full"),
            Self::Recover(recovery) => f.debug_tuple("Recover").field(&recovery.token()).finish(),
            Self::Fenced(fenced) => f.debug_tuple("Fenced").field(&fenced.token).finish(),
        }
    }
}

impl<K, V, C> fmt::Display for ExecuteError<K, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight { retry_after } => {
                write!(f, "in flight or given up: ask again in {retry_after:?}")
            }
            Self::Mismatch => f.write_str("the key was used for another request"),
            Self::Full => f.write_str("no room for another key"),
            Self::Recover(_) => {
                f.write_str("another caller was at it, and nobody knows how far it came")
            }
            Self::Fenced(fenced) => fenced.fmt(f),
        }
    }
}

impl<K, V, C> Error for ExecuteError<K, V, C> {}
