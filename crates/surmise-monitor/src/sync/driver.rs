use alloc::sync::Arc;
use core::{
    fmt,
    hash::Hash,
    sync::atomic::{AtomicBool, Ordering},
};
use std::{
    io,
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Select, Sender, TrySendError};
use surmise_detector::FailureDetector;
use surmise_time::{Instant, MonotonicClock};

use super::{bell::Bell, monitor::Monitor};
use crate::Event;

/// A thread that polls a [`Monitor`] and sends what it finds out over a channel of
/// [crossbeam's](super::crossbeam_channel).
///
/// It sleeps until the monitor's deadline, and wakes when another thread makes that earlier. It polls on while the channel
/// is full, for a pause would be a stall of the observer: meanwhile events stay in the monitor, and none is lost. With
/// an unbounded channel they gather there instead.
///
/// It ends when it is [stopped](Self::stop) or dropped, and when it has something to send and nobody receives any more. What
/// was not sent stays in the monitor, which goes on to take heartbeats; but it takes the time without polls for a
/// stall. A monitor is for one driver at a time: of two, only one is woken, and the other may not be stopped. What is in
/// the channel already is told, even of peers that are not watched any more.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use std::sync::Arc;
///
/// use surmise_detector::FixedTimeout;
/// use surmise_monitor::{
///     Event, MonitorConfig,
///     sync::{Driver, Monitor},
/// };
/// use surmise_time::{MonotonicClock, OsClock};
///
/// let monitor = Arc::new(Monitor::new(MonitorConfig::default())?);
/// let (sender, events) = crossbeam_channel::bounded(1000);
/// let driver = Driver::spawn(Arc::clone(&monitor), OsClock, sender)?;
///
/// monitor.watch("a", FixedTimeout::new(Duration::from_millis(20))?, OsClock.now())?;
/// monitor.heartbeat(&"a", 1, 1, OsClock.now())?;
/// assert!(matches!(events.recv()?, Event::Trusted { peer: "a", .. }));
/// let silent = events.iter().find(|event| matches!(event, Event::Suspected { .. }));
/// assert!(silent.is_some());
/// driver.stop().expect("it does not panic");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Driver {
    is_stopped: Arc<AtomicBool>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts a thread that polls a monitor by a clock, which is to be that of all heartbeats.
    ///
    /// # Errors
    ///
    /// If the operating system starts no thread.
    pub fn spawn<K, D, C>(
        monitor: Arc<Monitor<K, D>>,
        clock: C,
        events: Sender<Event<K>>,
    ) -> io::Result<Self>
    where
        K: Clone + Eq + Hash + Send + 'static,
        D: FailureDetector + Send + 'static,
        C: MonotonicClock + Send + 'static,
    {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let bell = monitor.bell();
        let stopped = Arc::clone(&is_stopped);
        let rounds = Rounds { monitor, clock, events, bell: bell.clone(), is_stopped: stopped };
        let thread =
            thread::Builder::new().name("surmise-monitor".into()).spawn(move || rounds.run())?;
        Ok(Self { is_stopped, bell, thread: Some(thread) })
    }

    /// Returns whether the thread still polls.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Stops the thread, and waits until it has ended.
    ///
    /// # Errors
    ///
    /// If a key, a detector or the clock panicked, with what it said.
    pub fn stop(mut self) -> thread::Result<()> {
        self.end()
    }

    fn end(&mut self) -> thread::Result<()> {
        self.is_stopped.store(true, Ordering::Release);
        self.bell.ring();
        let thread = self.thread.take();
        // A key or detector that owns the driver may be dropped by the thread itself.
        let is_other = |thread: &JoinHandle<()>| thread.thread().id() != thread::current().id();
        thread.filter(is_other).map_or(Ok(()), JoinHandle::join)
    }
}

/// Stops the thread, and waits until it has ended. If it panicked, it did so before, and said so then.
impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("is_running", &self.is_running()).finish_non_exhaustive()
    }
}

/// What the thread does.
struct Rounds<K, D, C> {
    monitor: Arc<Monitor<K, D>>,
    clock: C,
    events: Sender<Event<K>>,
    bell: Bell,
    is_stopped: Arc<AtomicBool>,
}

/// What became of the events.
enum Delivery {
    All,
    /// The others wait for room in the channel.
    Some,
    NobodyReceives,
}

impl<K: Clone + Eq + Hash, D: FailureDetector, C: MonotonicClock> Rounds<K, D, C> {
    fn run(&self) {
        while !self.is_stopped.load(Ordering::Acquire) {
            drop(self.monitor.poll(self.clock.now()));
            match self.deliver() {
                Delivery::All => self.sleep(self.monitor.deadline(), false),
                Delivery::Some => self.sleep(self.monitor.next_due(), true),
                Delivery::NobodyReceives => return,
            }
        }
    }

    /// Sends what there is room for.
    fn deliver(&self) -> Delivery {
        // To try waits for nobody, so that it can be done under the monitor's lock.
        let delivered = self.monitor.hand_over(|event| match self.events.try_send(event) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(event)) => Err((event, Delivery::Some)),
            Err(TrySendError::Disconnected(event)) => Err((event, Delivery::NobodyReceives)),
        });
        delivered.err().unwrap_or(Delivery::All)
    }

    /// Sleeps until then, or until the bell rings, or until there is room in the channel if that is waited for.
    fn sleep(&self, until: Option<Instant>, for_room: bool) {
        let mut select = Select::new();
        select.recv(&self.bell.heard);
        if for_room {
            select.send(&self.events);
        }
        match until {
            Some(until) => drop(select.ready_timeout(until - self.clock.now())),
            None => drop(select.ready()),
        }
        self.bell.silence();
    }
}
