use core::{error::Error, fmt};
use std::io;

/// A trace that cannot be read. It names the file, and the line and the field where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceError {
    /// The input could not be read.
    Read {
        /// The file's path, or `-` for the standard input.
        file: String,
        /// What kind of failure it was.
        kind: io::ErrorKind,
        /// The operating system's words.
        message: String,
    },
    /// There is nothing in the input.
    Empty {
        /// The name of the input.
        file: String,
    },
    /// The first line is not the header of a trace.
    Header {
        /// The name of the input.
        file: String,
        /// The number of the line, from 1.
        line: u64,
        /// The line as it stands, shortened if it is long.
        text: String,
    },
    /// The input is neither CSV with the header of a trace nor `ping` output with a reply.
    Unrecognised {
        /// The name of the input.
        file: String,
        /// The number of the first line, from 1, that is not blank.
        line: u64,
        /// That line as it stands, shortened if it is long.
        text: String,
    },
    /// There is a header, and no row below it.
    NoBeats {
        /// The name of the input.
        file: String,
    },
    /// A row has more or fewer fields than the header.
    Columns {
        /// The name of the input.
        file: String,
        /// The number of the line, from 1.
        line: u64,
        /// How many fields there are.
        found: usize,
    },
    /// A field does not hold what it must.
    Field {
        /// The name of the input.
        file: String,
        /// The number of the line, from 1.
        line: u64,
        /// The field's name.
        field: &'static str,
        /// The field as it stands, shortened if it is long.
        text: String,
        /// What the field must be.
        expected: &'static str,
    },
    /// The trace would hold more records than [`MAX_BEATS`](crate::trace::MAX_BEATS).
    TooManyBeats {
        /// The name of the input.
        file: String,
        /// The number of the line, from 1, that goes beyond.
        line: u64,
        /// The greatest number of records.
        limit: usize,
    },
}

impl TraceError {
    pub(super) fn read(file: &str, error: &io::Error) -> Self {
        Self::Read { file: file.to_owned(), kind: error.kind(), message: error.to_string() }
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { file, message, .. } => write!(f, "{file}: cannot be read: {message}"),
            Self::Empty { file } => write!(f, "{file}: is empty, so it is no trace"),
            Self::Header { file, line, text } => write!(
                f,
                "{file}:{line}: the header is {text:?}, but must be \"sequence,sent_ns,received_ns\""
            ),
            Self::Unrecognised { file, line, text } => write!(
                f,
                "{file}:{line}: is {text:?}, but must be the header \
                 \"sequence,sent_ns,received_ns\"; nor is there a reply to `ping` in any line"
            ),
            Self::NoBeats { file } => write!(f, "{file}: has a header, but no heartbeats"),
            Self::Columns { file, line, found } => write!(
                f,
                "{file}:{line}: has {found} fields, but must have 3: `sequence`, `sent_ns` and \
                 `received_ns`"
            ),
            Self::Field { file, line, field, text, expected } => {
                write!(f, "{file}:{line}: `{field}` is {text:?}, but must be {expected}")
            }
            Self::TooManyBeats { file, line, limit } => {
                write!(f, "{file}:{line}: more than {limit} heartbeats, the lost ones counted")
            }
        }
    }
}

impl Error for TraceError {}

/// Returns at most 60 characters of what an error quotes.
pub(super) fn excerpt(text: &str) -> String {
    let mut characters = text.chars();
    let mut short: String = characters.by_ref().take(60).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}
