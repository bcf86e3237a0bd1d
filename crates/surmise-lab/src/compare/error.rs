use core::{error::Error, fmt, time::Duration};
use std::{io, path::Path};

use surmise_detector::ConfigError;

use super::{
    number::count,
    timeline::{Timeline, TimelineError},
};
use crate::trace::TraceError;

/// Why traces could not be compared.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CompareError {
    /// A trace cannot be read.
    Trace(TraceError),
    /// A trace cannot be replayed.
    Timeline {
        /// The trace's name.
        trace: String,
        /// What it lacks.
        error: TimelineError,
    },
    /// A detector does not take a parameter, or the trace's interval.
    Parameter {
        /// The name of the trace it should have been replayed on.
        trace: String,
        /// The detector's name.
        detector: &'static str,
        /// The name of the field that is out of its range.
        field: &'static str,
        /// Its value; a time is in seconds.
        value: f64,
        /// The least value that the detector takes.
        min: f64,
        /// The greatest value that it takes.
        max: f64,
    },
    /// A result would take the place of a trace.
    OverwritesTrace {
        /// Where the result would go.
        file: String,
        /// The trace.
        trace: String,
    },
    /// Both results would go to one file.
    SameOutput {
        /// Where the JSON would go.
        json: String,
        /// Where the report would go.
        report: String,
    },
    /// The report's figures cannot be drawn.
    Draw {
        /// Where the report should have gone.
        file: String,
        /// What went wrong.
        message: String,
    },
    /// A result cannot be written.
    Write {
        /// Where it should have gone.
        file: String,
        /// What kind of failure it was.
        kind: io::ErrorKind,
        /// The operating system's words.
        message: String,
    },
}

impl CompareError {
    pub(crate) fn config(
        trace: &str,
        detector: &'static str,
        timeline: &Timeline,
        error: &ConfigError,
    ) -> Self {
        // The detector took the timeline's ticks for nanoseconds.
        let seconds = |time: Duration| {
            timeline.scale().seconds(i128::try_from(time.as_nanos()).unwrap_or(i128::MAX))
        };
        let (field, value, min, max) = match error {
            ConfigError::Duration { field, value, min, max } => {
                (*field, seconds(*value), seconds(*min), seconds(*max))
            }
            ConfigError::Number { field, value, min, max } => (*field, *value, *min, *max),
            ConfigError::Count { field, value, min, max } => {
                (*field, count(*value), count(*min), count(*max))
            }
            _ => ("configuration", f64::NAN, f64::NAN, f64::NAN),
        };
        Self::Parameter { trace: trace.to_owned(), detector, field, value, min, max }
    }

    pub(crate) fn write(file: &Path, error: &io::Error) -> Self {
        Self::Write {
            file: file.display().to_string(),
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

impl fmt::Display for CompareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trace(error) => error.fmt(f),
            Self::Timeline { trace, error } => write!(f, "{trace}: {error}"),
            Self::Parameter { trace, detector, field, value, min, max } => write!(
                f,
                "{trace}: `{detector}` does not take {value} as its `{field}`, which must lie between \
                 {min} and {max}"
            ),
            Self::OverwritesTrace { file, trace } => {
                write!(f, "{file}: cannot be written, for it is the trace {trace}")
            }
            Self::SameOutput { json, report } => {
                write!(f, "{json}: cannot be written as JSON, for it is the report {report}")
            }
            Self::Draw { file, message } => write!(f, "{file}: cannot be drawn: {message}"),
            Self::Write { file, message, .. } => write!(f, "{file}: cannot be written: {message}"),
        }
    }
}

impl Error for CompareError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Trace(error) => Some(error),
            Self::Timeline { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<TraceError> for CompareError {
    fn from(error: TraceError) -> Self {
        Self::Trace(error)
    }
}
