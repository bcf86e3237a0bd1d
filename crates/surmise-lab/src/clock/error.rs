use core::{error::Error, fmt};
use std::{
    io,
    path::{Path, PathBuf},
};

use crate::record::RecordError;

/// The clocks were asked or simulated, but nobody could be told, or they do not know what they should.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClockError {
    /// A result cannot be written.
    Write {
        /// Where it should have gone; `-` is the standard output.
        file: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// Ctrl-C cannot be handled.
    Interrupt(RecordError),
    /// Nothing was selected, which was to be checked.
    NothingSelected {
        /// Why not.
        why: String,
    },
}

impl ClockError {
    pub(super) fn write(file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Write { file: file.to_owned(), error }
    }
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { file, error } => {
                write!(f, "{}: cannot be written: {error}", file.display())
            }
            Self::Interrupt(error) => error.fmt(f),
            Self::NothingSelected { why } => write!(f, "nothing selected: {why}"),
        }
    }
}

impl Error for ClockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Write { error, .. } => Some(error),
            Self::Interrupt(error) => error.source(),
            Self::NothingSelected { .. } => None,
        }
    }
}
