use core::num::NonZeroU64;

use crossbeam_utils::CachePadded;

use super::loom::{AtomicU64, Mutex, Ordering, fence};
use crate::{Fence, FencingToken, StaleToken};

/// A [`Fence`] that many threads share.
///
/// To admit a write of the latest holder takes no lock and changes nothing, so that threads do not disturb each
/// other. All else, a new holder or one to be refused, takes a short lock.
///
/// That a write was admitted does not mean that it is done: meanwhile a later holder can raise the fence. Where both
/// are in one process, a [`FencedMap`](super::FencedMap) checks and writes in one step.
///
/// # Examples
///
/// ```
/// use surmise_fence::{FencingToken, sync::AtomicFence};
///
/// let fence = AtomicFence::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| fence.admit(FencingToken::first(1)));
///     scope.spawn(|| fence.admit(FencingToken::first(2)));
/// });
/// assert!(fence.admit(FencingToken::first(1)).is_err());
/// ```
#[derive(Debug)]
pub struct AtomicFence(CachePadded<Shared>);

/// The highest token, published so that a reader knows whether both of its parts are of one token.
#[derive(Debug)]
struct Shared {
    /// The epoch that the counter is of, or is about to be of.
    begun: AtomicU64,
    /// The counter of the highest token, 0 if there is none.
    counter: AtomicU64,
    /// The epoch that the counter is of.
    done: AtomicU64,
    /// What decides, for those who cannot tell from the above.
    fence: Mutex<Fence>,
}

impl AtomicFence {
    /// Creates a fence that admits every token.
    #[must_use]
    pub fn new() -> Self {
        Self::resume(Fence::new())
    }

    /// Creates a fence that has seen a token, as after a restart.
    #[must_use]
    pub fn at(highest: FencingToken) -> Self {
        Self::resume(Fence::at(highest))
    }

    fn resume(fence: Fence) -> Self {
        let (epoch, counter) = fence.highest().map_or((0, 0), parts);
        Self(CachePadded::new(Shared {
            begun: AtomicU64::new(epoch),
            counter: AtomicU64::new(counter),
            done: AtomicU64::new(epoch),
            fence: Mutex::new(fence),
        }))
    }

    /// Admits a write if its token is the highest seen, or higher.
    ///
    /// # Errors
    ///
    /// If a higher token was seen. The write must not happen then.
    #[inline]
    pub fn admit(&self, token: FencingToken) -> Result<(), StaleToken> {
        if self.highest_published() == parts(token) { Ok(()) } else { self.raise(token) }
    }

    /// Raises the fence to a token: no write of an earlier holder is admitted from now on.
    ///
    /// A new holder does this before it reads what it will go on from. A write that was admitted before may
    /// still be under way.
    ///
    /// # Errors
    ///
    /// If a higher token was seen: the new holder is not the latest any more.
    pub fn raise(&self, token: FencingToken) -> Result<(), StaleToken> {
        let mut fence = self.0.fence.lock();
        fence.raise(token)?;
        self.publish(token);
        Ok(())
    }

    /// Returns the highest token seen.
    #[must_use]
    pub fn highest(&self) -> Option<FencingToken> {
        self.0.fence.lock().highest()
    }

    /// Returns the parts of the highest token, or of none if another is being published.
    #[inline]
    fn highest_published(&self) -> (u64, u64) {
        // In the reverse of the order in which they are stored. If the counter is of a later epoch than the one
        // read first, then the one read last is that epoch, or a later one.
        let done = self.0.done.load(Ordering::Acquire);
        let counter = self.0.counter.load(Ordering::Acquire);
        let begun = self.0.begun.load(Ordering::Relaxed);
        if begun == done { (done, counter) } else { (0, 0) }
    }

    /// Publishes the highest token. Whoever does so holds the lock.
    fn publish(&self, token: FencingToken) {
        let (epoch, counter) = parts(token);
        self.0.begun.store(epoch, Ordering::Relaxed);
        fence(Ordering::Release);
        self.0.counter.store(counter, Ordering::Relaxed);
        self.0.done.store(epoch, Ordering::Release);
    }
}

impl Default for AtomicFence {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the epoch and the counter, which is never 0.
#[inline]
fn parts(token: FencingToken) -> (u64, u64) {
    (token.epoch(), NonZeroU64::get(token.counter()))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn it_answers_as_the_fence_for_one_thread_does(tokens: Vec<(u8, u8)>) -> bool {
            let (mut one, many) = (Fence::new(), AtomicFence::new());
            tokens.into_iter().all(|(epoch, counter)| {
                let counter = NonZeroU64::MIN.saturating_add((counter % 8).into());
                let token = FencingToken::new((epoch % 3).into(), counter);
                one.admit(token) == many.admit(token) && one.highest() == many.highest()
            })
        }
    }

    #[test]
    fn a_fence_that_goes_on_refuses_what_it_refused() {
        let [earlier, later] = [1, 2].map(FencingToken::first);
        let fence = AtomicFence::at(later);
        assert_eq!(fence.admit(earlier), Err(StaleToken { offered: earlier, highest: later }));
        assert_eq!((fence.admit(later), fence.highest()), (Ok(()), Some(later)));
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::{sync::Arc, thread};

    use super::*;

    fn token(epoch: u64, counter: u64) -> FencingToken {
        FencingToken::new(epoch, NonZeroU64::new(counter).unwrap())
    }

    /// No token is admitted that never was the highest: not even one made of the parts of two.
    fn nothing_made_of_two_is_admitted(publish: fn(&AtomicFence, FencingToken)) {
        loom::model(move || {
            let fence = Arc::new(AtomicFence::at(token(1, 9)));
            let writer = {
                let fence = Arc::clone(&fence);
                thread::spawn(move || publish(&fence, token(2, 5)))
            };
            // Either would be taken for the highest: the first is stale, the second was never shown.
            let published = fence.highest_published();
            assert!([(0, 0), (1, 9), (2, 5)].contains(&published), "torn: {published:?}");
            writer.join().unwrap();
            assert_eq!(fence.highest_published(), (2, 5));
        });
    }

    #[test]
    fn loom_nothing_made_of_two_tokens_is_admitted() {
        nothing_made_of_two_is_admitted(|fence, token| fence.raise(token).unwrap());
    }

    #[test]
    #[should_panic(expected = "torn")]
    fn loom_catches_a_counter_before_its_epoch() {
        nothing_made_of_two_is_admitted(|fence, token| {
            let (epoch, counter) = parts(token);
            fence.0.counter.store(counter, Ordering::Release);
            fence.0.begun.store(epoch, Ordering::Relaxed);
            fence.0.done.store(epoch, Ordering::Release);
        });
    }

    #[test]
    fn loom_a_stale_writer_is_refused_once_the_fence_is_raised() {
        loom::model(|| {
            let fence = Arc::new(AtomicFence::at(token(1, 1)));
            let raised = Arc::new(AtomicU64::new(0));
            let holders = [token(1, 2), token(2, 1)].map(|token| {
                let (fence, raised) = (Arc::clone(&fence), Arc::clone(&raised));
                thread::spawn(move || {
                    if fence.raise(token).is_ok() {
                        raised.store(1, Ordering::Release);
                    }
                })
            });
            let was_raised = raised.load(Ordering::Acquire) == 1;
            assert!(!(was_raised && fence.admit(token(1, 1)).is_ok()), "a stale writer");
            for holder in holders {
                holder.join().unwrap();
            }
            assert_eq!(fence.highest(), Some(token(2, 1)));
            assert!(fence.admit(token(1, 2)).is_err());
        });
    }
}
