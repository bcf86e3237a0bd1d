use core::{error::Error, fmt};
use std::{io, path::PathBuf};

/// A recording that could not be made, or could not be kept.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// The count, or the duration at this interval, needs more heartbeats than a recording holds.
    TooMany {
        /// How many were asked for.
        heartbeats: u128,
        /// The most that fit.
        limit: u64,
    },
    /// An address has no form `HOST:PORT`, or its host is unknown.
    Address {
        /// The address as given.
        address: String,
        /// Why it leads nowhere.
        error: io::Error,
    },
    /// A socket could not be opened or used.
    Socket {
        /// The address it is bound or connected to.
        address: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// There is a file already where the trace, or the rows while recording, shall go.
    OutputExists {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be written.
    Output {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
        /// Where the rows recorded so far are, if they are anywhere.
        kept: Option<PathBuf>,
    },
    /// Not one heartbeat arrived, so there is no trace.
    NothingArrived {
        /// How many datagrams arrived that were no heartbeats of this recorder.
        foreign: u64,
    },
    /// Ctrl-C could not be handled.
    Interrupt {
        /// Why not.
        message: String,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { heartbeats, limit } => write!(
                f,
                "{heartbeats} heartbeats were asked for, but a recording holds at most {limit}"
            ),
            Self::Address { address, error } => {
                write!(f, "{address:?} is no address to use: {error}")
            }
            Self::Socket { address, error } => write!(f, "the socket at {address}: {error}"),
            Self::OutputExists { path } => {
                write!(f, "{} exists; `--force` replaces it", path.display())
            }
            Self::Output { path, error, kept } => {
                write!(f, "{} cannot be written: {error}", path.display())?;
                kept.as_ref().map_or(Ok(()), |kept| {
                    write!(f, "; what was recorded is in {}", kept.display())
                })
            }
            Self::NothingArrived { foreign } => {
                write!(f, "no heartbeat arrived, only {foreign} other datagrams")
            }
            Self::Interrupt { message } => write!(f, "Ctrl-C cannot be handled: {message}"),
        }
    }
}

impl Error for RecordError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Address { error, .. }
            | Self::Socket { error, .. }
            | Self::Output { error, .. } => Some(error),
            Self::TooMany { .. }
            | Self::OutputExists { .. }
            | Self::NothingArrived { .. }
            | Self::Interrupt { .. } => None,
        }
    }
}
