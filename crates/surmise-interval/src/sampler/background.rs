use alloc::{string::ToString as _, sync::Arc};
use core::time::Duration;
use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
};

use surmise_time::MonotonicClock;

use super::{Round, Sampler};
use crate::{Synchronization, sync::SharedIntervalClock};

/// A thread that feeds a shared clock from its sources, until this value is dropped.
///
/// A source that hangs holds it up for as long as that source's time limit; the clock's interval grows
/// meanwhile.
#[derive(Debug)]
pub struct Background {
    /// Dropped to tell the thread to stop.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts to ask, at once and then again `every` so often.
    ///
    /// A source that must not be asked so often is added [with a pause](Sampler::with_pause). So is one that was asked just
    /// before, in a round of the caller's own: the thread's first round follows at once.
    ///
    /// `boot` must count the time that the machine sleeps: `BootClock` of `surmise-time`. `report` gets what
    /// came of each round and what it meant to the clock, to be logged or counted.
    ///
    /// # Errors
    ///
    /// If the operating system gives no thread.
    pub fn spawn(
        mut sampler: Sampler,
        clock: Arc<SharedIntervalClock>,
        boot: impl MonotonicClock + Send + 'static,
        every: Duration,
        mut report: impl FnMut(&Round, Option<Synchronization>) + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let ask = move || loop {
            let round = sampler.ask(&boot);
            let outcome = round.feed(&clock);
            report(&round, outcome);
            if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        };
        let thread = thread::Builder::new().name("surmise-interval".to_string()).spawn(ask)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
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
