use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::error::RecordError;
use crate::trace::{CsvWriter, HeartbeatRecord, Trace, write_csv};

/// A trace file while it is recorded.
///
/// What arrives goes into `NAME.partial` at once, in order of arrival and without the lost beats, so
/// that even a recorder that is killed leaves a trace that can be read. When the recording ends,
/// the whole trace is written to `NAME` and the partial one removed.
#[derive(Debug)]
pub(super) struct Journal {
    output: PathBuf,
    partial: PathBuf,
    rows: CsvWriter<File>,
    force: bool,
}

impl Journal {
    /// Opens the partial file.
    ///
    /// Fails if it or the output exists, unless `force`; the output is left alone until the end.
    pub(super) fn create(output: &Path, force: bool) -> Result<Self, RecordError> {
        if !force && output.exists() {
            return Err(RecordError::OutputExists { path: output.to_owned() });
        }
        let mut partial = OsString::from(output);
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let rows = open(&partial, force).and_then(CsvWriter::new);
        match rows {
            Ok(rows) => Ok(Self { output: output.to_owned(), partial, rows, force }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(RecordError::OutputExists { path: partial })
            }
            Err(error) => Err(RecordError::Output { path: output.to_owned(), error, kept: None }),
        }
    }

    /// Returns the output's name, without its folder.
    pub(super) fn name(&self) -> String {
        self.output.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Adds a row.
    pub(super) fn append(&mut self, beat: &HeartbeatRecord) -> Result<(), RecordError> {
        self.rows.write(beat).map_err(|error| self.failed(error))
    }

    /// Hands the rows so far to the operating system.
    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        self.rows.flush().map_err(|error| self.failed(error))
    }

    /// Writes the whole trace and removes the partial file.
    pub(super) fn finish(mut self, trace: &Trace) -> Result<PathBuf, RecordError> {
        let written = open(&self.output, self.force).and_then(|file| {
            write_csv(trace, &file)?;
            file.sync_all()
        });
        if let Err(error) = written {
            // Whatever fails here too, the first failure is the one to report.
            let _also_failed = self.rows.flush();
            let kept = Some(self.partial);
            return Err(RecordError::Output { path: self.output, error, kept });
        }
        // The trace is safe; a partial file that stays behind is a nuisance, not a failure.
        let _stays = fs::remove_file(&self.partial);
        Ok(self.output)
    }

    /// Removes the partial file: nothing arrived.
    pub(super) fn discard(self) {
        let _stays = fs::remove_file(&self.partial);
    }

    fn failed(&self, error: io::Error) -> RecordError {
        RecordError::Output { path: self.partial.clone(), error, kept: None }
    }
}

fn open(path: &Path, force: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{ReadOptions, read};

    const BEAT: HeartbeatRecord = HeartbeatRecord::new(0, Some(1), Some(2));

    #[test]
    fn a_killed_recorder_leaves_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("t.csv");
        let mut journal = Journal::create(&output, false).unwrap();
        journal.append(&BEAT).unwrap();
        journal.flush().unwrap();
        drop(journal);
        let left = read(&folder.path().join("t.csv.partial"), &ReadOptions::default()).unwrap();
        assert_eq!(left[0].beats, [BEAT]);
        let again = Journal::create(&output, false).unwrap_err();
        assert!(
            matches!(again, RecordError::OutputExists { path } if path.ends_with("t.csv.partial"))
        );
    }

    #[test]
    fn a_finished_one_leaves_only_the_trace() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("t.csv");
        let trace = Trace::new("t.csv", vec![BEAT]);
        let journal = Journal::create(&output, false).unwrap();
        assert_eq!(journal.finish(&trace).unwrap(), output);
        assert_eq!(read(&output, &ReadOptions::default()).unwrap(), [trace]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_older_trace_survives_until_the_end_even_with_force() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("t.csv");
        fs::write(&output, "old").unwrap();
        let refused = Journal::create(&output, false).unwrap_err();
        assert!(matches!(refused, RecordError::OutputExists { path } if path == output));
        let journal = Journal::create(&output, true).unwrap();
        assert_eq!(fs::read(&output).unwrap(), b"old");
        journal.finish(&Trace::new("t.csv", vec![BEAT])).unwrap();
        assert_ne!(fs::read(&output).unwrap(), b"old");
    }

    #[test]
    fn what_appears_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("t.csv");
        let mut journal = Journal::create(&output, false).unwrap();
        journal.append(&BEAT).unwrap();
        fs::write(&output, "somebody else's").unwrap();
        let error = journal.finish(&Trace::new("t.csv", vec![BEAT])).unwrap_err();
        let RecordError::Output { kept: Some(kept), .. } = error else { panic!("{error}") };
        assert_eq!(read(&kept, &ReadOptions::default()).unwrap()[0].beats, [BEAT]);
        assert_eq!(fs::read(&output).unwrap(), b"somebody else's");
    }
}
