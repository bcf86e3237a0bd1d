use core::{error::Error, fmt};
use std::{
    io,
    path::{Path, PathBuf},
};

/// A scenario was run, but nobody could be told.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScenarioError {
    /// A result cannot be written.
    Write {
        /// Where it should have gone; `-` is the standard output.
        file: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
}

impl ScenarioError {
    pub(super) fn write(file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Write { file: file.to_owned(), error }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Write { file, error } = self;
        write!(f, "{}: cannot be written: {error}", file.display())
    }
}

impl Error for ScenarioError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let Self::Write { error, .. } = self;
        Some(error)
    }
}
