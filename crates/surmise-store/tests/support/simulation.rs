//! Time that passes only when everybody waits for it.

#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

use core::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    task::{Context, Poll},
    time::Duration,
};
use std::{sync::Arc, task::Wake};

use parking_lot::Mutex;
use surmise_store::conformance::Timer;
use surmise_time::{Instant, MonotonicClock};

/// A clock and a runtime. No two readings of the clock are the same.
#[derive(Debug, Default)]
pub(crate) struct Simulation {
    now: AtomicU64,
    /// The earliest time that somebody waits for, as far as was said since all were asked last.
    alarm: Mutex<Option<Instant>>,
}

impl Simulation {
    /// Runs a future to its end, and moves the clock whenever nothing else is to be done.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        let woken = Arc::new(Woken::default());
        let waker = Arc::clone(&woken).into();
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            *self.alarm.lock() = None;
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            if !woken.0.swap(false, Ordering::SeqCst) {
                let alarm = self.alarm.lock().expect("somebody waits for a time");
                self.now.fetch_max(alarm.as_nanos(), Ordering::SeqCst);
            }
        }
    }
}

impl MonotonicClock for Simulation {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.now.fetch_add(1, Ordering::SeqCst))
    }
}

impl Timer for Simulation {
    async fn sleep(&self, time: Duration) {
        let until = self.now() + time;
        poll_fn(|_| {
            if Instant::from_nanos(self.now.load(Ordering::SeqCst)) >= until {
                return Poll::Ready(());
            }
            let mut alarm = self.alarm.lock();
            *alarm = Some(alarm.map_or(until, |alarm| alarm.min(until)));
            Poll::Pending
        })
        .await;
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
