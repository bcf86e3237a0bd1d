//! Files that their writer maps into memory and overwrites in place.

use core::sync::atomic::{Ordering, fence};
use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    thread,
};

use super::SourceError;

/// How many bytes of the file tell, with a number that the writer changes before and after, whether
/// it is at work.
pub(super) const HEADER: usize = 16;

/// How often the writer may be found at work. It takes less than a microsecond, unless it is
/// preempted.
const TRIES: usize = 1000;

/// Opens a file for reading, without waiting for anybody if it is a pipe.
pub(super) fn open(path: &Path) -> Result<File, SourceError> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    file.map_err(failed_to("open", path))
}

/// Returns a function that says which file it was that could not be read, for `map_err`.
pub(super) fn failed_to(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> SourceError {
    SourceError::io(alloc::format!("{verb} {}", path.display()))
}

/// What was read at one time.
#[derive(Debug)]
pub(super) struct Snapshot<const N: usize, T> {
    bytes: [u8; N],
    /// How many of them the file had.
    length: usize,
    /// What was found out while the file stayed as it was.
    pub(super) meanwhile: T,
}

impl<const N: usize, T> Snapshot<N, T> {
    /// Returns the beginning of the file.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

/// Reads the beginning of the file as it was at one time, or returns its header if the writer never
/// let go.
///
/// This is the reading side of a sequence lock (Boehm, "Can Seqlocks Get Along With Programming
/// Language Memory Models?", MSPC 2012), by system calls where others map the file. The number is
/// read, then the content, then the number again, each by a call of its own, because one call
/// copies in any order. If both numbers are the same and say that nobody writes, then nobody did in
/// between. A call copies from the very pages that the writer has mapped. The fences keep the CPU
/// from copying in another order than the calls were made in; the compiler cannot look into them.
///
/// What is asked of other clocks `meanwhile` is asked while the content stands.
pub(super) fn read<const N: usize, T>(
    file: &impl FileExt,
    is_settled: impl Fn(&[u8; HEADER]) -> bool,
    mut meanwhile: impl FnMut() -> T,
) -> io::Result<Result<Snapshot<N, T>, [u8; HEADER]>> {
    const { assert!(N >= HEADER, "the content begins with the header") };
    for _ in 0..TRIES {
        let before = read_header(file)?;
        if is_settled(&before) {
            fence(Ordering::Acquire);
            let mut bytes = [0; N];
            let length = read_up_to(file, &mut bytes)?;
            let meanwhile = meanwhile();
            fence(Ordering::Acquire);
            if read_header(file)? == before && bytes.starts_with(&before) {
                return Ok(Ok(Snapshot { bytes, length, meanwhile }));
            }
        }
        thread::yield_now();
    }
    read_header(file).map(Err)
}

/// Reads the header, with zeros for what the file does not have.
fn read_header(file: &impl FileExt) -> io::Result<[u8; HEADER]> {
    let mut header = [0; HEADER];
    read_up_to(file, &mut header)?;
    Ok(header)
}

/// Reads from the beginning, and returns how much there was.
fn read_up_to(file: &impl FileExt, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::VecDeque;
    use core::cell::RefCell;

    use super::*;

    /// A file that is another at every call, so that a writer comes exactly between two of them.
    struct Script(RefCell<VecDeque<io::Result<&'static [u8]>>>);

    impl Script {
        fn new(reads: impl IntoIterator<Item = io::Result<&'static [u8]>>) -> Self {
            Self(RefCell::new(reads.into_iter().collect()))
        }

        /// Reads 18 bytes, of which the last of the header is odd while somebody writes.
        fn read(&self) -> io::Result<Result<Snapshot<18, usize>, [u8; HEADER]>> {
            let is_settled = |header: &[u8; HEADER]| header[15] % 2 == 0;
            read(self, is_settled, || self.0.borrow().len())
        }
    }

    impl FileExt for Script {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            assert_eq!(offset, 0);
            let content = self.0.borrow_mut().pop_front().unwrap_or(Ok(&[]))?;
            let length = content.len().min(buffer.len());
            buffer[..length].copy_from_slice(&content[..length]);
            Ok(length)
        }

        fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
            unreachable!("a reader does not write")
        }
    }

    const OLD: &[u8] = b"0123456789abcde\x02--";
    const NEW: &[u8] = b"0123456789abcde\x04++";
    const TORN: &[u8] = b"0123456789abcde\x02+-";
    const WRITING: &[u8] = b"0123456789abcde\x03+-";

    #[test]
    fn what_stands_is_read_with_three_calls() {
        let script = Script::new([OLD, OLD, OLD, NEW].map(Ok));
        let snapshot = script.read().unwrap().unwrap();
        assert_eq!(snapshot.bytes(), OLD);
        assert_eq!(snapshot.meanwhile, 2, "asked between the content and the number again");
        assert_eq!(script.0.borrow().len(), 1);
    }

    #[test]
    fn whoever_writes_in_between_is_noticed() {
        let cases: [&[&[u8]]; 5] = [
            &[WRITING, NEW, NEW, NEW],
            &[OLD, TORN, WRITING, NEW, NEW, NEW],
            &[OLD, TORN, NEW, NEW, NEW, NEW],
            &[OLD, WRITING, NEW, NEW, NEW, NEW],
            // By as many publications as there are numbers.
            &[OLD, NEW, OLD, NEW, NEW, NEW],
        ];
        for reads in cases {
            let script = Script::new(reads.iter().copied().map(Ok));
            let snapshot = script.read().unwrap().unwrap();
            assert_eq!(snapshot.bytes(), NEW, "{reads:?}");
            assert!(script.0.borrow().is_empty(), "{reads:?}");
        }
    }

    #[test]
    fn whoever_never_finishes_is_not_waited_for() {
        let script = Script::new((0..=TRIES).map(|_| Ok(WRITING)));
        let header = script.read().unwrap().unwrap_err();
        assert_eq!(header, WRITING[..HEADER]);
    }

    #[test]
    fn a_short_file_is_read_as_short() {
        let script = Script::new([&OLD[..7]; 3].map(Ok));
        assert_eq!(script.read().unwrap().unwrap().bytes(), &OLD[..7]);
    }

    #[test]
    fn an_interrupted_call_is_made_again_and_another_error_is_one() {
        let error = |kind: io::ErrorKind| Err(kind.into());
        let interrupted = io::ErrorKind::Interrupted;
        let script =
            Script::new([error(interrupted), Ok(OLD), Ok(OLD), error(interrupted), Ok(OLD)]);
        assert_eq!(script.read().unwrap().unwrap().bytes(), OLD);
        let script = Script::new([Ok(OLD), Ok(OLD), error(io::ErrorKind::StaleNetworkFileHandle)]);
        assert_eq!(script.read().unwrap_err().kind(), io::ErrorKind::StaleNetworkFileHandle);
    }
}
