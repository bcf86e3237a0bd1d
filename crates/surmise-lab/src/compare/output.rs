//! Files that are either written whole or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use tempfile::Builder;

/// Writes a file, replacing it in one step if it exists.
///
/// A pipe or a device cannot be replaced and is written to.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    // A symbolic link keeps pointing where it does.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::OpenOptions::new().write(true).open(&target)?.write_all(content);
    }
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // Opened here, the file has the permissions of any new file, where temporary ones are private;
    // and no error names it, where the user knows only the target.
    let mut file = Builder::new()
        .prefix(".surmise-")
        .make_in(folder, |path| fs::OpenOptions::new().write(true).create_new(true).open(path))?;
    file.as_file_mut().write_all(content)?;
    file.persist(&target)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        write_whole(&path, b"a long first version").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_whole(&folder.path().join("no/report.html"), b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains(".surmise-"), "{error}");
        assert!(write_whole(folder.path(), b"").is_err());
    }
}
