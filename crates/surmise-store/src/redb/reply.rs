//! One answer to one question, across threads and without a runtime.

use alloc::sync::Arc;
use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

/// Creates both ends.
pub(super) fn reply<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Arc::new(Mutex::new(Slot::Empty(None)));
    (Sender(Arc::clone(&slot)), Receiver(slot))
}

/// Who will answer. Dropped without an answer, it says that there will be none.
#[derive(Debug)]
pub(super) struct Sender<T>(Arc<Mutex<Slot<T>>>);

/// Who waits: a future of the answer, or of `None` if there will be none.
///
/// Any executor can drive it, and so can a thread that parks.
#[derive(Debug)]
pub(super) struct Receiver<T>(Arc<Mutex<Slot<T>>>);

#[derive(Debug)]
enum Slot<T> {
    Empty(Option<Waker>),
    Answered(T),
    Closed,
}

impl<T> Sender<T> {
    pub(super) fn send(self, answer: T) {
        self.fill(Slot::Answered(answer));
    }

    /// Returns whether nobody waits any more.
    pub(super) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    fn fill(&self, slot: Slot<T>) {
        // The waker may run anything, so it runs without the lock.
        let before = mem::replace(&mut *self.0.lock(), slot);
        if let Slot::Empty(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let is_empty = matches!(*self.0.lock(), Slot::Empty(_));
        if is_empty {
            self.fill(Slot::Closed);
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.0.lock();
        match &mut *slot {
            Slot::Empty(waker) => {
                match waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    None => *waker = Some(context.waker().clone()),
                }
                Poll::Pending
            }
            Slot::Answered(_) | Slot::Closed => match mem::replace(&mut *slot, Slot::Closed) {
                Slot::Answered(answer) => Poll::Ready(Some(answer)),
                Slot::Empty(_) | Slot::Closed => Poll::Ready(None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::task::Wake;
    use core::{
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
    };

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn counting() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        (Arc::clone(&count), Waker::from(count))
    }

    #[test]
    fn an_answer_wakes_who_polled_last() {
        let [(first, first_waker), (last, last_waker)] = [counting(), counting()];
        let (sender, receiver) = reply();
        let mut receiver = pin!(receiver);
        for waker in [&first_waker, &last_waker] {
            assert_eq!(receiver.as_mut().poll(&mut Context::from_waker(waker)), Poll::Pending);
        }
        sender.send(7);
        assert_eq!([first, last].map(|count| count.0.load(Ordering::SeqCst)), [0, 1]);
        let polled = receiver.poll(&mut Context::from_waker(&last_waker));
        assert_eq!(polled, Poll::Ready(Some(7)));
    }

    #[test]
    fn a_sender_that_is_dropped_says_so() {
        let (count, waker) = counting();
        let (sender, receiver) = reply::<u8>();
        let mut receiver = pin!(receiver);
        assert_eq!(receiver.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending);
        drop(sender);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(receiver.poll(&mut Context::from_waker(&waker)), Poll::Ready(None));
    }

    #[test]
    fn a_receiver_that_is_dropped_abandons_the_sender() {
        let (sender, receiver) = reply::<u8>();
        assert!(!sender.is_abandoned());
        drop(receiver);
        assert!(sender.is_abandoned());
        sender.send(7);
    }
}
