//! Callers of `execute_async` that are polled by hand: no runtime, no time but the cache's.

use alloc::{rc::Rc, sync::Arc, task::Wake};
use core::{
    cell::{Cell, RefCell},
    future::poll_fn,
    num::NonZeroUsize,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::panic::catch_unwind;

use surmise_idempotency::{
    CacheConfig, Fingerprint, Ticket, WhenFull,
    sync::{ExecuteError, Finished, IdempotencyCache},
};
use surmise_time::{ManualClock, MonotonicClock as _};

pub(crate) type Cache = IdempotencyCache<String, String, ManualClock, String>;

pub(crate) type Answer = Result<String, ExecuteError<String, String, String>>;

pub(crate) const LEASE: Duration = Duration::from_secs(30);
pub(crate) const RETENTION: Duration = Duration::from_secs(100);
pub(crate) const BRIEF: Duration = Duration::from_secs(10);
pub(crate) const TICK: Duration = Duration::from_nanos(1);

/// Returns an empty cache with room for so many keys.
pub(crate) fn cache(room: usize, when_full: WhenFull) -> Cache {
    let config = CacheConfig {
        lease: LEASE,
        retention: RETENTION,
        brief_retention: BRIEF,
        capacity: NonZeroUsize::new(room).expect("there is room"),
        when_full,
        epoch: 1,
    };
    Cache::with_checkpoints(config, ManualClock::default()).expect("it is a cache")
}

pub(crate) fn roomy() -> Cache {
    cache(100, WhenFull::Refuse)
}

pub(crate) fn set_back(cache: &Cache, time: Duration) {
    let now = cache.clock().now();
    cache.clock().set(now - time);
}

pub(crate) fn fingerprint(payload: u8) -> Fingerprint {
    Fingerprint::from_bytes([payload; 16])
}

/// A call that is polled when the test says so. Dropped, its future is.
pub(crate) struct Caller<'a> {
    future: Pin<Box<dyn Future<Output = Answer> + 'a>>,
    work: Rc<Work>,
    wakes: Arc<Wakes>,
}

/// What a caller executes: it waits to be told what comes of it.
#[derive(Default)]
struct Work {
    polls: Cell<usize>,
    panics: Cell<bool>,
    result: RefCell<Option<Finished<String>>>,
}

#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<'a> Caller<'a> {
    /// Calls, and is not polled yet.
    pub(crate) fn new(cache: &'a Cache, key: &'a str, payload: u8) -> Self {
        let work = Rc::<Work>::default();
        let executed = Rc::clone(&work);
        let future = Box::pin(cache.execute_async(key, fingerprint(payload), move || {
            poll_fn(move |_| {
                executed.polls.set(executed.polls.get() + 1);
                assert!(!executed.panics.get(), "as asked");
                executed.result.take().map_or(Poll::Pending, Poll::Ready)
            })
        }));
        Self { future, work, wakes: Arc::default() }
    }

    /// Calls and is polled once, by which it executes.
    pub(crate) fn executes(cache: &'a Cache, key: &'a str, payload: u8) -> Self {
        let mut caller = Self::new(cache, key, payload);
        caller.must_execute();
        caller
    }

    /// Calls and is polled once, by which it waits for another.
    pub(crate) fn waits(cache: &'a Cache, key: &'a str, payload: u8) -> Self {
        let mut caller = Self::new(cache, key, payload);
        caller.must_wait();
        caller
    }

    pub(crate) fn poll(&mut self) -> Poll<Answer> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub(crate) fn must_execute(&mut self) {
        match self.poll() {
            Poll::Pending => assert!(self.is_executing(), "it waits for another"),
            Poll::Ready(answer) => panic!("to be executed, but it says {answer:?}"),
        }
    }

    pub(crate) fn must_wait(&mut self) {
        match self.poll() {
            Poll::Pending => assert!(!self.is_executing(), "it executes"),
            Poll::Ready(answer) => panic!("to be waited for, but it says {answer:?}"),
        }
    }

    pub(crate) fn is_executing(&self) -> bool {
        self.work.polls.get() > 0
    }

    /// Returns how often it was woken.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.count()
    }

    /// Returns what counts how often it is woken, which has one owner once no waker is left.
    pub(crate) fn waker(&self) -> Arc<Wakes> {
        Arc::clone(&self.wakes)
    }

    /// Finishes what it executes.
    pub(crate) fn finish(self, result: Finished<String>) -> Answer {
        assert!(self.is_executing(), "it does not execute");
        self.work.result.replace(Some(result));
        self.answer()
    }

    /// Panics in what it executes, and returns what is left.
    pub(crate) fn panic(mut self) -> Self {
        assert!(self.is_executing(), "it does not execute");
        self.work.panics.set(true);
        assert!(catch_unwind(AssertUnwindSafe(|| self.poll())).is_err());
        self
    }

    /// Polls once, and returns the answer that there must be by now.
    pub(crate) fn answer(mut self) -> Answer {
        match self.poll() {
            Poll::Ready(answer) => answer,
            Poll::Pending if self.is_executing() => panic!("it executes"),
            Poll::Pending => panic!("it waits"),
        }
    }
}

/// Asks, and returns what is answered at once.
pub(crate) fn ask(cache: &Cache, key: &str, payload: u8) -> Answer {
    Caller::new(cache, key, payload).answer()
}

pub(crate) fn kept(value: &str) -> Finished<String> {
    Finished::kept(value.to_owned())
}

pub(crate) fn kept_briefly(value: &str) -> Finished<String> {
    Finished::kept_briefly(value.to_owned())
}

pub(crate) fn released(value: &str) -> Finished<String> {
    Finished::released(value.to_owned())
}

/// Executes a key that nobody works at.
pub(crate) fn execute(cache: &Cache, key: &str, payload: u8, result: Finished<String>) {
    Caller::executes(cache, key, payload).finish(result).expect("nobody took over");
}

pub(crate) fn replays(answer: Answer, value: &str) {
    match answer {
        Ok(replayed) if replayed == value => {}
        other => panic!("to be answered with {value}, but it says {other:?}"),
    }
}

pub(crate) fn in_flight(answer: Answer) -> Duration {
    match answer {
        Err(ExecuteError::InFlight { retry_after }) => retry_after,
        other => panic!("in flight, but it says {other:?}"),
    }
}

pub(crate) fn mismatches(answer: Answer) {
    assert!(matches!(answer, Err(ExecuteError::Mismatch)), "another payload, but: {answer:?}");
}

pub(crate) fn refuses(answer: Answer) {
    assert!(matches!(answer, Err(ExecuteError::Full)), "there is no room, but: {answer:?}");
}

pub(crate) fn recovers(answer: Answer) -> Ticket<String> {
    match answer {
        Err(ExecuteError::Recover(recovery)) => recovery.into_ticket(),
        other => panic!("to be recovered, but it says {other:?}"),
    }
}

/// Fails unless an execution was superseded, and its result came back.
pub(crate) fn is_fenced(answer: Answer, value: &str) {
    match answer {
        Err(ExecuteError::Fenced(fenced)) => assert_eq!(fenced.rejected, value),
        other => panic!("it was superseded, but it says {other:?}"),
    }
}
