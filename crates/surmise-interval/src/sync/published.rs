use super::loom::{AtomicU64, Ordering, fence, wait};

/// Words that one thread at a time publishes, and many read, all of one publication.
///
/// A sequence lock (Boehm, "Can Seqlocks Get Along with Programming Language Memory Models?", MSPC 2012):
/// the version is odd while the words are being written, and a reader that finds it odd, or changed
/// afterwards, reads again. Readers write nothing, so they do not disturb each other.
#[derive(Debug)]
pub(super) struct Published<const N: usize> {
    version: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Published<N> {
    pub(super) fn new(words: [u64; N]) -> Self {
        Self { version: AtomicU64::new(0), words: words.map(AtomicU64::new) }
    }

    /// Publishes words. Only one thread at a time may do so.
    pub(super) fn store(&self, words: [u64; N]) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version.wrapping_add(1), Ordering::Relaxed);
        // No word of this publication is seen before the odd version is.
        fence(Ordering::Release);
        for (slot, word) in self.words.iter().zip(words) {
            slot.store(word, Ordering::Relaxed);
        }
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    /// Returns the words of the latest publication.
    #[inline]
    pub(super) fn load(&self) -> [u64; N] {
        loop {
            if let Some(words) = self.try_load() {
                return words;
            }
            wait();
        }
    }

    /// Returns the words of the latest publication, unless there is one in between.
    #[inline]
    fn try_load(&self) -> Option<[u64; N]> {
        let version = self.version.load(Ordering::Acquire);
        let words = self.words.each_ref().map(|word| word.load(Ordering::Relaxed));
        // If one of them was of a later publication, its odd version is seen below.
        fence(Ordering::Acquire);
        let unchanged = self.version.load(Ordering::Relaxed) == version;
        (unchanged && version % 2 == 0).then_some(words)
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::{sync::Arc, thread};

    use super::*;

    fn reader_beside(store: fn(&Published<2>, [u64; 2])) {
        loom::model(move || {
            let published = Arc::new(Published::new([1, 1]));
            let writer = {
                let published = Arc::clone(&published);
                thread::spawn(move || {
                    store(&published, [2, 2]);
                    store(&published, [3, 3]);
                })
            };
            let first = published.load();
            let second = published.load();
            for [a, b] in [first, second] {
                assert_eq!(a, b, "torn");
            }
            assert!(first <= second);
            writer.join().unwrap();
            assert_eq!(published.load(), [3, 3]);
        });
    }

    #[test]
    fn loom_readers_see_words_of_one_publication() {
        reader_beside(Published::store);
    }

    #[test]
    #[should_panic(expected = "torn")]
    fn loom_catches_words_without_a_version() {
        reader_beside(|published, words| {
            for (slot, word) in published.words.iter().zip(words) {
                slot.store(word, Ordering::Relaxed);
            }
        });
    }
}
