mod line;
mod session;
#[cfg(test)]
mod tests;

use core::time::Duration;

use self::{line::Line, session::Session};
use super::{MAX_BEATS, Trace, TraceError, error::excerpt};

/// Reads the traces in saved `ping` output.
///
/// Understood are the replies of iputils (Linux), of the BSDs and macOS, and of busybox, in any
/// language in which the round trip is given as `=10.3 ms` or `<1 ms`; other lines and whatever
/// stands before a reply in its line, such as a date, are passed over.
///
/// # Times
///
/// A reply is a heartbeat: it was sent when its request was, and received when the reply arrived.
///
/// * With the stamps of `ping -D`, as in `[1700000000.123456] 64 bytes from …`, the stamp is the
///   time of arrival, and the stamp less the round trip the time of sending. When a lost one was
///   sent is unknown.
/// * Without, the sequence times `interval` is taken as the time of sending, and that plus the
///   round trip as the time of arrival: how much `ping` itself was late is not in its output.
///
/// All digits count; a decimal comma is a point. `time<1 ms` is taken for one millisecond.
///
/// # Sequences
///
/// Numbers that no reply has are lost heartbeats if they lie between two that have one, or if a line
/// such as `no answer yet for icmp_seq=7` mentions them. A number marked `(DUP!)` is a duplicate.
/// `ping` counts to 65535 and goes on at 0; here the count goes on at 65536.
///
/// # Sessions
///
/// Each run of `ping` becomes a trace: named `name` if it is the only one, and else `name#1`,
/// `name#2` and so on. Runs without any reply are left out. A run begins at a `PING` line, after the
/// statistics, where stamps begin or end, and where the count starts again:
///
/// * at an unmarked reply to a number that has had its reply;
/// * at a number that goes back, if the reply cannot be a late one. A late reply took so long that
///   its request went out before the latest one that has been answered. With stamps that is
///   compared exactly. Without, the round trip must be at least half the number of intervals that
///   it is behind; a number above 1 and at most 1000 behind passes as late in any case, since runs
///   begin at 0 or 1;
/// * at a number 0 or 1 that would otherwise mean more than 1000 lost around the wrap.
///
/// After more than 32767 losses in a row, the count cannot be followed, and a new run begins.
///
/// # Errors
///
/// [`TraceError`] if there is no reply at all, if a reply holds a number that cannot be read or lacks
/// both stamp and round trip, or if there would be more than [`MAX_BEATS`] records, or more than a
/// million and 100 for each line: so a short text cannot ask for much memory. A last line without a
/// line end, which was perhaps cut off, is no error.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_lab::trace::{HeartbeatRecord, parse_ping};
///
/// let log = "\
/// PING example.org (93.184.216.34) 56(84) bytes of data.
/// 64 bytes from 93.184.216.34: icmp_seq=1 ttl=56 time=10.3 ms
/// 64 bytes from 93.184.216.34: icmp_seq=3 ttl=56 time=9.87 ms
/// ";
/// let traces = parse_ping("office", log, Duration::from_secs(1))?;
/// let second = HeartbeatRecord::new(2, Some(2_000_000_000), None);
/// let third = HeartbeatRecord::new(3, Some(3_000_000_000), Some(3_009_870_000));
/// assert_eq!(traces[0].beats[1..], [second, third]);
/// # Ok::<(), surmise_lab::trace::TraceError>(())
/// ```
pub fn parse_ping(name: &str, text: &str, interval: Duration) -> Result<Vec<Trace>, TraceError> {
    let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
    let mut finished: Vec<Session> = Vec::new();
    let mut session = Session::new(interval);
    let mut rows = 0_usize;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let is_whole = line.ends_with('\n');
        let parsed = match Line::parse(line.trim_end()) {
            Ok(parsed) => parsed,
            Err(_cut_off) if !is_whole => break,
            Err(field) => {
                return Err(TraceError::Field {
                    file: name.to_owned(),
                    line: number,
                    field: field.name,
                    text: excerpt(field.text),
                    expected: field.expected,
                });
            }
        };
        if session.is_ended_by(&parsed) {
            rows = rows.saturating_add(session.rows());
            finished.push(core::mem::replace(&mut session, Session::new(interval)));
        }
        session.take(&parsed);
        let limit = most_rows(number);
        if rows.saturating_add(session.rows()) > limit {
            return Err(TraceError::TooManyBeats { file: name.to_owned(), line: number, limit });
        }
    }
    finished.push(session);
    finished.retain(Session::has_replies);
    let only = finished.len() == 1;
    let traces = (1..).zip(finished).map(|(number, session)| {
        let name = if only { name.to_owned() } else { format!("{name}#{number}") };
        let assumed_interval = session.assumed_interval();
        Trace { assumed_interval, ..Trace::new(name, session.into_beats()) }
    });
    let traces: Vec<_> = traces.collect();
    if traces.is_empty() { Err(unrecognised(name, text)) } else { Ok(traces) }
}

/// Returns how many records so many lines may come to.
fn most_rows(lines: u64) -> usize {
    let rows = lines.saturating_mul(100).saturating_add(1_000_000);
    usize::try_from(rows).unwrap_or(usize::MAX).min(MAX_BEATS)
}

fn unrecognised(name: &str, text: &str) -> TraceError {
    let file = name.to_owned();
    match (1..).zip(text.lines()).find(|(_, line)| !line.trim().is_empty()) {
        Some((line, text)) => TraceError::Unrecognised { file, line, text: excerpt(text.trim()) },
        None => TraceError::Empty { file },
    }
}
