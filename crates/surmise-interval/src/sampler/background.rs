use alloc::{string::ToString as _, sync::Arc};
use core::time::Duration;
use std::{
    io,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError},
    thread::{self, JoinHandle},
};

use surmise_time::MonotonicClock;

use super::{Round, Sampler};
use crate::{Synchronization, sync::SharedIntervalClock};

/// A thread that feeds a shared clock from its sources, until this value is dropped.
///
/// A source that hangs holds it up for as long as that source's time limit; the clock's interval grows
/// meanwhile.
///
/// To drop this waits for the source that is being asked, no longer than for its time limit. Those that would be
/// next are not asked any more, and the round is neither fed to the clock nor reported.
#[derive(Debug)]
pub struct Background {
    /// Dropped to tell the thread to stop.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts to ask, at once and then again, with a pause of `every` from the end of a round to the beginning
    /// of the next.
    ///
    /// A source that must not be asked so often is added [with a pause](Sampler::with_pause). So is one that was
    /// asked just before, in a round of the caller's own: the thread's first round follows at once.
    ///
    /// `boot` must count the time that the machine sleeps: `BootClock` of `surmise-time`. `report` gets what
    /// came of each round and what it meant to the clock, to be logged or counted.
    ///
    /// # Errors
    ///
    /// If the operating system gives no thread.
    ///
    /// # Panics
    ///
    /// Not here, but in the thread, if `report` panics or a source: the thread ends then and nobody feeds the
    /// clock, whose interval grows until it tells no time. [`is_running`](Self::is_running) says so.
    pub fn spawn(
        mut sampler: Sampler,
        clock: Arc<SharedIntervalClock>,
        boot: impl MonotonicClock + Send + 'static,
        every: Duration,
        mut report: impl FnMut(&Round, Option<Synchronization>) + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let ask = move || loop {
            let round = sampler.ask_until(&boot, || is_dropped(&stopped));
            if is_dropped(&stopped) {
                break;
            }
            let outcome = round.feed(&clock);
            report(&round, outcome);
            if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        };
        let thread = thread::Builder::new().name("surmise-interval".to_string()).spawn(ask)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Returns whether the thread still asks, which it does unless it panicked.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed, and must not become a second one here.
            _ = thread.join();
        }
    }
}

/// Returns whether nobody is there any more to send anything.
fn is_dropped(stopped: &Receiver<()>) -> bool {
    stopped.try_recv() == Err(TryRecvError::Disconnected)
}
