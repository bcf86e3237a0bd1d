//! Results as people and machines read them.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::Serialize;

use crate::compare::output::write_whole;

/// Prints lines: to the standard output, unless that is for something else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    to_stderr: bool,
}

impl Printer {
    /// Creates a printer that leaves the standard output to JSON, if it is to go there.
    pub(crate) fn beside(json: Option<&Path>) -> Self {
        Self { to_stderr: json.is_some_and(|file| file == Path::new("-")) }
    }

    /// Prints a line or more.
    pub(crate) fn say(self, text: &str) -> io::Result<()> {
        if self.to_stderr {
            // Like notes, it is lost where nobody can read it.
            let _ = writeln!(io::stderr(), "{text}");
            return Ok(());
        }
        let mut output = io::stdout().lock();
        match writeln!(output, "{text}").and_then(|()| output.flush()) {
            // Whoever reads the output has seen enough, and there may be a file to be written.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

/// Checks that a file can be written, before there is anything to write.
pub(crate) fn check_writable(file: &Path) -> io::Result<()> {
    if file == Path::new("-") {
        return Ok(());
    }
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // A pipe or a device, which is written to.
        Ok(metadata) if !metadata.is_file() => Ok(()),
        // It is made beside the old one, and replaces it.
        _ => {
            let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
            tempfile::tempfile_in(folder.unwrap_or(Path::new("."))).map(drop)
        }
    }
}

/// Writes plain numbers and names to a file, or to the standard output, which is `-`.
pub(crate) fn write_json(file: &Path, report: &impl Serialize) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    if file != Path::new("-") {
        return write_whole(file, json.as_bytes());
    }
    match io::stdout().write_all(json.as_bytes()) {
        // Whoever reads the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
