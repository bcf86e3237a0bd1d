//! Heartbeat traces: when each beat was sent, and when it arrived.
//!
//! A trace is what one node saw of another: one [`HeartbeatRecord`] a heartbeat, in order of
//! sequence. [`read`] takes it from a CSV file (see [`parse_csv`]) or from saved `ping` output (see
//! [`parse_ping`]).
//!
//! # Limits
//!
//! An input is at most 1 GiB, and a trace at most [`MAX_BEATS`] records long, the lost beats among
//! them; what is longer is an error, never a truncated trace.

mod csv;
mod error;
mod ping;
mod shipped;

use core::time::Duration;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

pub(crate) use self::csv::CsvWriter;
pub use self::{
    csv::{parse_csv, write_csv},
    error::TraceError,
    ping::parse_ping,
    shipped::shipped,
};

/// The greatest number of records in one trace: eleven days at ten heartbeats a second.
pub const MAX_BEATS: usize = 10_000_000;

/// The greatest number of bytes in one input.
const MAX_BYTES: u64 = 1 << 30;

/// The heartbeats of one sender as one receiver saw them.
///
/// # Examples
///
/// ```
/// use surmise_lab::trace::{HeartbeatRecord, Trace};
///
/// let late = HeartbeatRecord::new(2, Some(200_000_000), Some(450_000_000));
/// let lost = HeartbeatRecord::new(1, Some(100_000_000), None);
/// let trace = Trace::new("office", vec![late, lost]);
/// assert_eq!(trace.beats, [lost, late]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trace {
    /// The name that reports print: a file name, with `#2` appended for its second session.
    pub name: String,
    /// The heartbeats in order of sequence. A sequence that appears twice was delivered twice.
    pub beats: Vec<HeartbeatRecord>,
    /// The time between two sendings that was assumed, because the input has no stamps.
    pub assumed_interval: Option<Duration>,
}

impl Trace {
    /// Creates a trace from records in any order.
    ///
    /// The sort is stable: duplicates of a sequence keep their order.
    #[must_use]
    pub fn new(name: impl Into<String>, mut beats: Vec<HeartbeatRecord>) -> Self {
        beats.sort_by_key(|beat| beat.sequence);
        Self { name: name.into(), beats, assumed_interval: None }
    }
}

/// One heartbeat: when it was sent and when it was received, in nanoseconds.
///
/// The two times may be read from different clocks, with different origins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HeartbeatRecord {
    /// The sender's count of heartbeats.
    pub sequence: u64,
    /// When it was sent, if that is known.
    pub sent: Option<u64>,
    /// When it was received, or `None` if it was lost.
    pub received: Option<u64>,
}

impl HeartbeatRecord {
    /// Creates a record from nanoseconds on the sender's and on the receiver's clock.
    #[must_use]
    pub const fn new(sequence: u64, sent: Option<u64>, received: Option<u64>) -> Self {
        Self { sequence, sent, received }
    }
}

/// How an input that leaves something open is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// The time between two pings, for `ping` output whose lines carry no stamps.
    ///
    /// One second by default, as is `ping`'s own.
    pub interval: Duration,
}

impl ReadOptions {
    /// Creates options for pings sent at `interval`.
    #[must_use]
    pub const fn with_interval(interval: Duration) -> Self {
        Self { interval }
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self::with_interval(Duration::from_secs(1))
    }
}

/// Reads the traces in a file, or in the standard input if `path` is `-`.
///
/// A file whose first line begins with `sequence` is CSV, any other is `ping` output. The traces take
/// the file's name, without its folders.
///
/// # Errors
///
/// [`TraceError`] if the file cannot be read, is too long, or is no trace.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
/// use surmise_lab::trace::{ReadOptions, read};
///
/// for trace in read(Path::new("office.csv"), &ReadOptions::default())? {
///     println!("{}: {} heartbeats", trace.name, trace.beats.len());
/// }
/// # Ok::<(), surmise_lab::trace::TraceError>(())
/// ```
pub fn read(path: &Path, options: &ReadOptions) -> Result<Vec<Trace>, TraceError> {
    let file = path.display().to_string();
    let bytes = if path == Path::new("-") {
        read_limited(io::stdin().lock(), MAX_BYTES)
    } else {
        File::open(path).and_then(|file| read_limited(file, MAX_BYTES))
    };
    let bytes = bytes.map_err(|error| TraceError::read(&file, &error))?;
    // A `ping` log may carry anything around its lines, in any encoding.
    let text = String::from_utf8_lossy(&bytes);
    let mut traces = if is_csv(&text) {
        vec![parse_csv(&file, &text)?]
    } else {
        parse_ping(&file, &text, options.interval)?
    };
    let short = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    for trace in &mut traces {
        let session = trace.name.strip_prefix(&file).unwrap_or_default();
        trace.name = format!("{short}{session}");
    }
    Ok(traces)
}

fn is_csv(text: &str) -> bool {
    let is_ignored = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"');
    text.trim_start_matches(is_ignored).starts_with("sequence")
}

fn read_limited(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(length).is_ok_and(|length| length <= limit) {
        Ok(bytes)
    } else {
        let message = format!("it is longer than {limit} bytes");
        Err(io::Error::new(io::ErrorKind::FileTooLarge, message))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PING: &str = "64 bytes from 10.0.0.7: icmp_seq=4 ttl=56 time=1 ms\n";

    /// Writes a file named `t.log` and reads it.
    fn read_file(content: impl AsRef<[u8]>) -> Result<Vec<Trace>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.log");
        fs::write(&path, content).unwrap();
        let options = ReadOptions::with_interval(Duration::from_millis(200));
        let folder = format!("{}/", folder.path().display());
        read(&path, &options).map_err(|error| error.to_string().replace(&folder, "FOLDER/"))
    }

    #[test]
    fn tells_csv_from_ping_output() {
        let beat = HeartbeatRecord::new(1, Some(2), Some(3));
        for header in ["sequence", "\u{feff}\r\n sequence", "\"sequence\""] {
            let traces = read_file(format!("{header},sent_ns,received_ns\n1,2,3\n"));
            assert_eq!(traces, Ok(vec![Trace::new("t.log", vec![beat])]), "{header}");
        }
        let beat = HeartbeatRecord::new(4, Some(800_000_000), Some(801_000_000));
        let assumed_interval = Some(Duration::from_millis(200));
        let unstamped = |name| Trace { assumed_interval, ..Trace::new(name, vec![beat]) };
        assert_eq!(read_file(PING), Ok(vec![unstamped("t.log")]));
        let stamped = read_file(format!("[0.801] {PING}"));
        assert_eq!(stamped, Ok(vec![Trace::new("t.log", vec![beat])]));
        let latin = [b"Gr\xfc\xdfe\n", PING.as_bytes(), PING.as_bytes()].concat();
        let sessions = ["t.log#1", "t.log#2"].map(unstamped);
        assert_eq!(read_file(latin), Ok(sessions.to_vec()));
    }

    #[test]
    fn errors_name_the_file_with_its_folder() {
        let error = read_file("sequence,sent_ns,received_ns\n1,2,x\n").unwrap_err();
        assert!(error.starts_with("FOLDER/t.log:2: `received_ns` is \"x\""), "{error}");
        let error = read_file("seq,sent,received\n1,2,3\n").unwrap_err();
        assert!(error.starts_with("FOLDER/t.log:1: is \"seq,sent,received\""), "{error}");
        assert_eq!(read_file("").unwrap_err(), "FOLDER/t.log: is empty, so it is no trace");

        let missing = read(Path::new("no/such.csv"), &ReadOptions::default()).unwrap_err();
        assert!(matches!(&missing, TraceError::Read { kind: io::ErrorKind::NotFound, .. }));
        assert!(missing.to_string().starts_with("no/such.csv: cannot be read: "), "{missing}");
    }

    #[test]
    fn an_input_without_end_is_refused() {
        assert_eq!(
            read_limited(io::repeat(7), 100).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        assert_eq!(read_limited(io::repeat(7).take(100), 100).unwrap().len(), 100);
    }
}
