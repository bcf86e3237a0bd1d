use crossbeam::{
    channel::{self, Receiver, Sender},
    select,
};
use surmise_time::{BootClock, Instant, MonotonicClock as _};

use super::error::RunError;
use crate::record::Stop;

/// What the threads that listen to processes pass on, unless Ctrl-C is pressed.
#[derive(Debug)]
pub(crate) struct Inbox<'a, T> {
    sender: Sender<T>,
    heard: Receiver<T>,
    stop: &'a Stop,
}

impl<'a, T> Inbox<'a, T> {
    pub(crate) fn new(stop: &'a Stop) -> Self {
        let (sender, heard) = channel::unbounded();
        Self { sender, heard, stop }
    }

    /// Returns what a thread passes things on by.
    pub(crate) fn sender(&self) -> Sender<T> {
        self.sender.clone()
    }

    /// Waits for one thing, but no longer than until a time.
    pub(crate) fn receive(&self, until: Instant) -> Result<Option<T>, RunError> {
        select! {
            recv(self.heard) -> heard => Ok(heard.ok()),
            recv(self.stop.signal()) -> _ => Err(RunError::Interrupted),
            default(until - BootClock.now()) => Ok(None),
        }
    }

    /// Returns what has been passed on already.
    pub(crate) fn received(&self) -> Option<T> {
        self.heard.try_recv().ok()
    }
}

/// Returns what Ctrl-C gives, or a request to terminate.
pub(crate) fn stop_on_interrupt() -> Result<Stop, RunError> {
    Stop::on_interrupt().map_err(|error| RunError::Interrupt { message: error.to_string() })
}
