use core::{convert::Infallible, time::Duration};

use crossbeam::channel::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use surmise_time::Instant;

use super::{clock, error::RecordError};

/// Tells the threads of a recording when to end.
///
/// Clones hear of it together.
#[derive(Clone, Debug)]
pub struct Stop {
    signal: Receiver<Infallible>,
    /// The signal after that, for what goes on at the first.
    again: Receiver<Infallible>,
}

/// Ends what waits on a [`Stop`] when dropped.
#[derive(Debug)]
pub struct Stopper {
    /// Nothing is ever sent: the channel closes with its only sender.
    _signal: Sender<Infallible>,
}

impl Stop {
    /// Creates a signal, and what gives it.
    #[must_use]
    pub fn new() -> (Stopper, Self) {
        let (sender, signal) = channel::bounded(0);
        (Stopper { _signal: sender }, Self { signal, again: channel::never() })
    }

    /// Creates a signal that the first Ctrl-C gives, or a request to terminate.
    ///
    /// The second one ends the wait for late heartbeats that the first began.
    ///
    /// # Errors
    ///
    /// [`RecordError::Interrupt`] if the process handles these already.
    pub fn on_interrupt() -> Result<Self, RecordError> {
        let (first, mut stop) = Self::new();
        let (second, again) = Self::new();
        stop.again = again.signal;
        let mut stoppers = vec![second, first];
        // Not `try_set_handler`: shells start background jobs with Ctrl-C ignored, and that is no
        // reason not to record.
        ctrlc::set_handler(move || drop(stoppers.pop()))
            .map_err(|error| RecordError::Interrupt { message: error.to_string() })?;
        Ok(stop)
    }

    /// Returns the signal that has not been given yet: this one, or the one after it.
    pub(super) fn next(&self) -> Self {
        let next = if self.is_set() { &self.again } else { &self.signal };
        Self { signal: next.clone(), again: channel::never() }
    }

    /// Returns what closes when the signal is given, to be waited for among other things.
    pub(crate) const fn signal(&self) -> &Receiver<Infallible> {
        &self.signal
    }

    pub(crate) fn is_set(&self) -> bool {
        matches!(self.signal.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Waits until `deadline`, but no longer than until the signal; returns whether it was given.
    pub(super) fn wait_until(&self, deadline: Instant) -> bool {
        self.wait(deadline - clock::now())
    }

    /// Waits for `duration`, but no longer than until the signal; returns whether it was given.
    pub(crate) fn wait(&self, duration: Duration) -> bool {
        match self.signal.recv_timeout(duration) {
            Ok(never) => match never {},
            Err(error) => error == RecvTimeoutError::Disconnected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_signal_is_one_that_has_not_been_given() {
        let (first, mut stop) = Stop::new();
        let (second, again) = Stop::new();
        stop.again = again.signal;
        let before = stop.next();
        assert!(!before.is_set());
        drop(first);
        assert!(stop.is_set() && before.is_set());
        let after = stop.next();
        assert!(!after.is_set());
        drop(second);
        assert!(after.is_set());
    }
}
