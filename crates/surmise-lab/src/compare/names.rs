//! Names that tell the traces of one comparison apart.

use std::path::{Path, PathBuf};

/// Returns the shortest end of a path that none of the others ends in, its file name at least.
///
/// A path that is given twice is one file, and keeps one name.
pub(crate) fn short_name(path: &Path, all: &[PathBuf]) -> String {
    let others: Vec<&Path> =
        all.iter().map(PathBuf::as_path).filter(|other| *other != path).collect();
    let length = path.components().count();
    let is_unique = |name: &PathBuf| !others.iter().any(|other| other.ends_with(name));
    let mut ends = (1..=length).map(|parts| path.components().skip(length - parts).collect());
    // A relative path may be the end of another, but not the same as any of their names.
    ends.find(is_unique).unwrap_or_else(|| path.to_owned()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str]) -> Vec<String> {
        let all: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        all.iter().map(|path| short_name(path, &all)).collect()
    }

    #[test]
    fn a_file_name_is_enough_where_no_other_is_the_same() {
        assert_eq!(names(&["a/one.csv", "b/two.csv", "-"]), ["one.csv", "two.csv", "-"]);
        assert_eq!(names(&["a/one.csv", "a/one.csv"]), ["one.csv", "one.csv"]);
    }

    #[test]
    fn as_many_folders_are_named_as_it_takes() {
        let named = names(&["a/x/one.csv", "b/x/one.csv", "c/one.csv", "d/two.csv"]);
        assert_eq!(named, ["a/x/one.csv", "b/x/one.csv", "c/one.csv", "two.csv"]);
        assert_eq!(
            names(&["one.csv", "a/one.csv", "/a/one.csv"]),
            ["one.csv", "a/one.csv", "/a/one.csv"]
        );
    }
}
