use super::loom::{AtomicU64, Ordering, fence, wait};

/// Words that one thread at a time publishes, and many read, all of one publication.
///
/// A sequence lock (Boehm, "Can Seqlocks Get Along with Programming Language Memory Models?", MSPC 2012) with
/// two slots: the next publication is written to the one that is not being read. So no reader waits for a
/// writer, not even for one that is preempted while it writes. A reader begins again only if meanwhile
/// another publication was finished. Readers write nothing, so they do not disturb each other.
#[derive(Debug)]
pub(super) struct Published<const N: usize> {
    /// How many publications there were. The words of the last are in the even or the odd slot.
    version: AtomicU64,
    slots: [Slot<N>; 2],
}

/// The words of one publication, on a cache line of their own if they are no more than eight.
#[derive(Debug)]
#[repr(align(64))]
struct Slot<const N: usize>([AtomicU64; N]);

impl<const N: usize> Published<N> {
    pub(super) fn new(words: [u64; N]) -> Self {
        Self {
            version: AtomicU64::new(0),
            slots: [words, words].map(|words| Slot(words.map(AtomicU64::new))),
        }
    }

    /// Publishes words. Only one thread at a time may do so.
    pub(super) fn store(&self, words: [u64; N]) {
        let version = self.version.load(Ordering::Relaxed).wrapping_add(1);
        // Who sees a word of this publication sees that the one before it was published, and so that the
        // slot is no longer of the one before that.
        fence(Ordering::Release);
        for (slot, word) in self.slot(version).iter().zip(words) {
            slot.store(word, Ordering::Relaxed);
        }
        self.version.store(version, Ordering::Release);
    }

    /// Returns the words of the latest publication, or the first of them.
    #[inline]
    pub(super) fn load<const M: usize>(&self) -> [u64; M] {
        const { assert!(M <= N, "there are no more words") };
        loop {
            let version = self.version.load(Ordering::Acquire);
            let mut words = [0; M];
            for (word, slot) in words.iter_mut().zip(self.slot(version)) {
                *word = slot.load(Ordering::Relaxed);
            }
            // If one of them was of a later publication, a later version is seen below.
            fence(Ordering::Acquire);
            if self.version.load(Ordering::Relaxed) == version {
                return words;
            }
            wait();
        }
    }

    #[inline]
    const fn slot(&self, version: u64) -> &[AtomicU64; N] {
        let [even, odd] = &self.slots;
        if version % 2 == 0 { &even.0 } else { &odd.0 }
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
            let first = published.load::<2>();
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
            for (slot, word) in published.slot(0).iter().zip(words) {
                slot.store(word, Ordering::Relaxed);
            }
        });
    }
}
