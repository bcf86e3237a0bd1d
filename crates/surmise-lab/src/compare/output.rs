//! Files that are either written whole or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
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
    // Opened here, the file has the permissions of any new file, where temporary ones are private;
    // and no error names it, where the user knows only the target.
    let mut file = Builder::new().prefix(".surmise-").make_in(folder(&target), |path| {
        fs::OpenOptions::new().write(true).create_new(true).open(path)
    })?;
    file.as_file_mut().write_all(content)?;
    file.persist(&target)?;
    Ok(())
}

/// Returns whether what is written to one path replaces the file at the other.
pub(crate) fn is_same_file(output: &Path, other: &Path) -> bool {
    let place = place(output);
    place.is_some() && place == self::place(other)
}

/// Returns where a file is, or would be, whatever links lead there.
fn place(path: &Path) -> Option<PathBuf> {
    if path == Path::new("-") {
        return None;
    }
    match fs::canonicalize(path) {
        // A pipe or a device is not replaced.
        Ok(target) => fs::metadata(&target).is_ok_and(|found| found.is_file()).then_some(target),
        Err(_) => Some(fs::canonicalize(folder(path)).ok()?.join(path.file_name()?)),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
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
    fn one_file_is_known_by_all_its_paths() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("in")).unwrap();
        fs::write(path("a.csv"), "").unwrap();
        assert!(is_same_file(&path("a.csv"), &path("in/../a.csv")));
        assert!(is_same_file(&path("new.csv"), &path("in/../new.csv")));
        assert!(!is_same_file(&path("a.csv"), &path("new.csv")));
        assert!(!is_same_file(&path("a.csv"), &path("in/a.csv")));
        assert!(!is_same_file(&path("no/a.csv"), &path("no/a.csv")));
        assert!(!is_same_file(Path::new("-"), Path::new("-")));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(path("a.csv"), path("link")).unwrap();
            assert!(is_same_file(&path("link"), &path("a.csv")));
            assert!(!is_same_file(Path::new("/dev/null"), Path::new("/dev/null")));
        }
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
