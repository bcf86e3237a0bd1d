use core::{error::Error, fmt};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Nobody could be told what came of a scenario.
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
    /// The page and the JSON would go to one file.
    SameOutput {
        /// That file.
        file: PathBuf,
    },
}

impl ScenarioError {
    pub(super) fn write(file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Write { file: file.to_owned(), error }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { file, error } => {
                write!(f, "{}: cannot be written: {error}", file.display())
            }
            Self::SameOutput { file } => {
                write!(f, "{}: cannot be written as JSON, for it is the page", file.display())
            }
        }
    }
}

impl Error for ScenarioError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Write { error, .. } => Some(error),
            Self::SameOutput { .. } => None,
        }
    }
}
