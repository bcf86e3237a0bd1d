use core::{error::Error, fmt};

use super::contract::ContractError;
use crate::compare::{CompareError, text};

/// Why no detector could be looked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TuneError {
    /// The contract makes no sense, by itself or for a trace.
    Contract(ContractError),
    /// Too few heartbeats arrived in order for a part of them to be held back.
    TooShort {
        /// The trace's name.
        trace: String,
        /// How many did.
        fresh: usize,
        /// How many are needed.
        needed: usize,
        /// Their interval in seconds, if that many are enough to know it.
        interval: Option<f64>,
    },
    /// All heartbeats that are scored arrived at the same nanosecond, so that there was no time to err in.
    NoTime {
        /// The trace's name.
        trace: String,
    },
    /// A trace cannot be read or replayed, or a result cannot be written.
    Files(CompareError),
}

impl fmt::Display for TuneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(error) => error.fmt(f),
            Self::TooShort { trace, fresh, needed, interval } => {
                write!(
                    f,
                    "{trace}: {fresh} heartbeat{} arrived in order, but {needed} are needed: a part of \
                     them is held back to check what the others teach. Record a longer trace",
                    if *fresh == 1 { "" } else { "s" },
                )?;
                if let Some(interval) = interval {
                    let needed = u32::try_from(*needed).unwrap_or(u32::MAX);
                    write!(f, ", of {} at least", text::time(f64::from(needed) * interval))?;
                }
                Ok(())
            }
            Self::NoTime { trace } => write!(
                f,
                "{trace}: all heartbeats but the first hundred arrived at the same time, which is no \
                 trace of a network. Check where its `received_ns` are from"
            ),
            Self::Files(error) => error.fmt(f),
        }
    }
}

impl Error for TuneError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Contract(error) => Some(error),
            Self::Files(error) => Some(error),
            Self::TooShort { .. } | Self::NoTime { .. } => None,
        }
    }
}

impl From<ContractError> for TuneError {
    fn from(error: ContractError) -> Self {
        Self::Contract(error)
    }
}

impl From<CompareError> for TuneError {
    fn from(error: CompareError) -> Self {
        Self::Files(error)
    }
}
