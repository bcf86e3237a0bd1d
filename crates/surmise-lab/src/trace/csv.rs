use std::io;

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};

use super::{HeartbeatRecord, MAX_BEATS, Trace, TraceError, error::excerpt};

/// The first line of every trace.
const HEADER: [&str; 3] = ["sequence", "sent_ns", "received_ns"];

/// Reads a trace from CSV text.
///
/// The header is `sequence,sent_ns,received_ns`, then comes one row a heartbeat. `received_ns` is
/// empty where the beat was lost, `sent_ns` where the sender's time is unknown. Rows may come in any
/// order, and a sequence may appear more than once: that is a duplicated heartbeat. A byte order
/// mark, Windows line ends, blank lines and spaces around fields are no trouble.
///
/// # Errors
///
/// [`TraceError`] if the text is empty, the header is another, there are no rows, a row does not hold
/// three whole numbers of at most 64 bits, or there are more than [`MAX_BEATS`] rows.
///
/// # Examples
///
/// ```
/// use surmise_lab::trace::{HeartbeatRecord, parse_csv};
///
/// let trace = parse_csv("office", "sequence,sent_ns,received_ns\n0,5,9\n1,105,\n")?;
/// assert_eq!(trace.beats[1], HeartbeatRecord::new(1, Some(105), None));
/// # Ok::<(), surmise_lab::trace::TraceError>(())
/// ```
pub fn parse_csv(name: &str, text: &str) -> Result<Trace, TraceError> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    if !next_record(name, &mut reader, &mut record)? {
        return Err(TraceError::Empty { file: name.to_owned() });
    }
    if record != HEADER[..] {
        let line = line_of(text, &record);
        let text = excerpt(&record.iter().collect::<Vec<_>>().join(","));
        return Err(TraceError::Header { file: name.to_owned(), line, text });
    }
    let mut beats = Vec::new();
    while next_record(name, &mut reader, &mut record)? {
        if beats.len() == MAX_BEATS {
            let line = line_of(text, &record);
            return Err(TraceError::TooManyBeats { file: name.to_owned(), line, limit: MAX_BEATS });
        }
        beats.push(parse_row(name, text, &record)?);
    }
    if beats.is_empty() {
        return Err(TraceError::NoBeats { file: name.to_owned() });
    }
    Ok(Trace::new(name, beats))
}

/// Writes a trace as the CSV text that [`parse_csv`] reads.
///
/// # Errors
///
/// Whatever `output` reports.
pub fn write_csv(trace: &Trace, output: impl io::Write) -> io::Result<()> {
    let mut writer = CsvWriter::new(output)?;
    for beat in &trace.beats {
        writer.write(beat)?;
    }
    writer.flush()
}

/// Writes a trace row by row.
#[derive(Debug)]
pub(crate) struct CsvWriter<W: io::Write> {
    inner: csv::Writer<W>,
}

impl<W: io::Write> CsvWriter<W> {
    /// Writes the header.
    pub(crate) fn new(output: W) -> io::Result<Self> {
        let mut inner = WriterBuilder::new().from_writer(output);
        inner.write_record(HEADER)?;
        Ok(Self { inner })
    }

    pub(crate) fn write(&mut self, beat: &HeartbeatRecord) -> io::Result<()> {
        let or_empty =
            |nanos: Option<u64>| nanos.map_or_else(String::new, |nanos| nanos.to_string());
        let row = [beat.sequence.to_string(), or_empty(beat.sent), or_empty(beat.received)];
        Ok(self.inner.write_record(row)?)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Moves to the next record that is not blank; returns whether there is one.
fn next_record(
    name: &str,
    reader: &mut csv::Reader<&[u8]>,
    record: &mut StringRecord,
) -> Result<bool, TraceError> {
    loop {
        let more = reader
            .read_record(record)
            .map_err(|error| TraceError::read(name, &io::Error::from(error)))?;
        // The reader skips empty lines; a line of spaces is one empty field.
        if !more || record.len() != 1 || record.get(0) != Some("") {
            return Ok(more);
        }
    }
}

fn parse_row(name: &str, text: &str, record: &StringRecord) -> Result<HeartbeatRecord, TraceError> {
    let (Some(sequence), Some(sent), Some(received), 3) =
        (record.get(0), record.get(1), record.get(2), record.len())
    else {
        let (line, found) = (line_of(text, record), record.len());
        return Err(TraceError::Columns { file: name.to_owned(), line, found });
    };
    let number = |field, value: &str, expected| {
        value.parse::<u64>().map_err(|_not_a_number| TraceError::Field {
            file: name.to_owned(),
            line: line_of(text, record),
            field,
            text: excerpt(value),
            expected,
        })
    };
    let nanos = |field, value: &str| match value {
        "" => Ok(None),
        value => number(field, value, "a whole number of nanoseconds, or empty").map(Some),
    };
    Ok(HeartbeatRecord::new(
        number("sequence", sequence, "a whole number")?,
        nanos("sent_ns", sent)?,
        nanos("received_ns", received)?,
    ))
}

/// Returns the line, from 1, that a record stands on.
///
/// The reader's own count is that of the line where it began to look, blank lines before the record
/// included.
fn line_of(text: &str, record: &StringRecord) -> u64 {
    let start = record.position().map_or(0, csv::Position::byte);
    let (before, rest) =
        text.as_bytes().split_at_checked(usize::try_from(start).unwrap_or(0)).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    before.iter().chain(blank).fold(1, |line, &byte| line + u64::from(byte == b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_known() {
        let trace = parse_csv("t", "sequence,sent_ns,received_ns\n0,5,9\n1,,7\n2,3,\n").unwrap();
        assert_eq!(
            trace.beats,
            [
                HeartbeatRecord::new(0, Some(5), Some(9)),
                HeartbeatRecord::new(1, None, Some(7)),
                HeartbeatRecord::new(2, Some(3), None),
            ]
        );
    }

    #[test]
    fn forgives_what_editors_and_spreadsheets_do() {
        let text =
            "\u{feff}sequence, sent_ns ,received_ns\r\n\r\n\"1\",2,3\r\n  \r\n0,1,2\r\n\r\n\n";
        let beats = parse_csv("t", text).unwrap().beats;
        let expected = [(0, 1, 2), (1, 2, 3)];
        assert_eq!(beats, expected.map(|(s, a, b)| HeartbeatRecord::new(s, Some(a), Some(b))));
    }

    #[test]
    fn keeps_duplicates_in_their_order() {
        let text = "sequence,sent_ns,received_ns\n7,1,9\n3,0,8\n7,1,4\n";
        let received: Vec<_> =
            parse_csv("t", text).unwrap().beats.iter().map(|b| b.received).collect();
        assert_eq!(received, [Some(8), Some(9), Some(4)]);
    }

    #[test]
    fn reads_the_limits_of_the_type() {
        let text = format!("sequence,sent_ns,received_ns\n{0},{0},{0}", u64::MAX);
        let max = HeartbeatRecord::new(u64::MAX, Some(u64::MAX), Some(u64::MAX));
        assert_eq!(parse_csv("t", &text).unwrap().beats, [max]);
    }

    #[test]
    fn says_where_it_is_wrong() {
        let cases = [
            ("", "t.csv: is empty, so it is no trace"),
            (" \n\n", "t.csv: is empty, so it is no trace"),
            ("H\n", "t.csv: has a header, but no heartbeats"),
            (
                "seq,sent,received\n1,2,3\n",
                "t.csv:1: the header is \"seq,sent,received\", but must be \
                 \"sequence,sent_ns,received_ns\"",
            ),
            (
                "H\n1,2,3\n\n2,3,abc\n",
                "t.csv:4: `received_ns` is \"abc\", but must be a whole number of nanoseconds, or \
                 empty",
            ),
            (
                "\u{feff}H\r\n1,2,3\r\n2,3.5,4\r\n",
                "t.csv:3: `sent_ns` is \"3.5\", but must be a whole number of nanoseconds, or empty",
            ),
            ("H\n,2,3\n", "t.csv:2: `sequence` is \"\", but must be a whole number"),
            ("H\n-1,2,3\n", "t.csv:2: `sequence` is \"-1\", but must be a whole number"),
            (
                "H\n18446744073709551616,2,3\n",
                "t.csv:2: `sequence` is \"18446744073709551616\", but must be a whole number",
            ),
            (
                "H\n1,2\n",
                "t.csv:2: has 2 fields, but must have 3: `sequence`, `sent_ns` and `received_ns`",
            ),
            (
                "H\n1,2,3,4\n",
                "t.csv:2: has 4 fields, but must have 3: `sequence`, `sent_ns` and `received_ns`",
            ),
        ];
        for (text, message) in cases {
            let text = text.replace('H', "sequence,sent_ns,received_ns");
            let error = parse_csv("t.csv", &text).unwrap_err();
            assert_eq!(error.to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn quotes_little_of_a_long_field() {
        let text = format!("sequence,sent_ns,received_ns\n1,2,{}", "x".repeat(1_000_000));
        assert!(parse_csv("t", &text).unwrap_err().to_string().len() < 200);
    }

    quickcheck::quickcheck! {
        fn what_is_written_reads_back(rows: Vec<(u64, Option<u64>, Option<u64>)>) -> bool {
            let beats = rows.iter().map(|&(s, a, b)| HeartbeatRecord::new(s, a, b)).collect();
            let trace = Trace::new("t", beats);
            let mut text = Vec::new();
            write_csv(&trace, &mut text).unwrap();
            match parse_csv("t", core::str::from_utf8(&text).unwrap()) {
                Ok(read) => read == trace,
                Err(error) => rows.is_empty() && matches!(error, TraceError::NoBeats { .. }),
            }
        }

        fn no_text_panics(text: String) -> bool {
            let _ = parse_csv("t", &text);
            let _ = parse_csv("t", &format!("sequence,sent_ns,received_ns\n{text}"));
            true
        }
    }
}
