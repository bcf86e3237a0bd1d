//! Where operations wait for the one who writes.

use core::mem;

use parking_lot::{Condvar, Mutex};

use super::operation::Waiting;

/// Operations in the order in which they came, up to a number of bytes.
pub(super) struct Queue {
    max_bytes: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Box<dyn Waiting>>,
    bytes: usize,
    /// How many were taken last, if any were.
    last_taken: usize,
    is_closed: bool,
}

/// Why an operation cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoWait {
    Full,
    Closed,
}

impl Queue {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, state: Mutex::new(State::default()), changed: Condvar::new() }
    }

    /// Lets an operation wait, and returns whether it seems to be alone: no other waits, and the last one had no company.
    /// Nobody is [told](Self::notify).
    pub(super) fn push(&self, operation: Box<dyn Waiting>) -> Result<bool, NoWait> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(NoWait::Closed);
        }
        let bytes = state.bytes.saturating_add(operation.bytes());
        // One that is larger than the limit can still go alone.
        if bytes > self.max_bytes && !state.waiting.is_empty() {
            return Err(NoWait::Full);
        }
        state.bytes = bytes;
        state.waiting.push(operation);
        Ok(state.waiting.len() == 1 && state.last_taken <= 1)
    }

    /// Waits for operations, and returns whether there are any: if not, there will be none.
    pub(super) fn wait(&self) -> bool {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| state.waiting.is_empty() && !state.is_closed);
        !state.waiting.is_empty()
    }

    /// Takes all operations.
    pub(super) fn take(&self) -> Vec<Box<dyn Waiting>> {
        let mut state = self.state.lock();
        state.bytes = 0;
        if !state.waiting.is_empty() {
            state.last_taken = state.waiting.len();
        }
        mem::take(&mut state.waiting)
    }

    /// Wakes who [waits](Self::wait), if there are operations.
    pub(super) fn notify(&self) {
        if !self.state.lock().waiting.is_empty() {
            self.changed.notify_one();
        }
    }

    /// Lets no more operations wait.
    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Lets no more operations wait, and forgets those that do: their callers are told that there is no answer.
    pub(super) fn abandon(&self) {
        self.close();
        drop(self.take());
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::operation::{Ask, ask},
        *,
    };
    use crate::Resource;

    fn operation(name: &str) -> Box<dyn Waiting> {
        ask(Ask::new(Resource::new(name).unwrap())).0
    }

    #[test]
    fn what_is_beyond_the_limit_is_refused_until_the_others_were_taken() {
        let queue = Queue::new(2 * operation("ledger").bytes());
        assert_eq!(queue.push(operation("ledger")), Ok(true));
        assert_eq!(queue.push(operation("ledger")), Ok(false));
        assert_eq!(queue.push(operation("l")), Err(NoWait::Full));
        assert_eq!(queue.take().len(), 2);
        // There was company.
        assert_eq!(queue.push(operation("ledger")), Ok(false));
        assert_eq!(queue.take().len(), 1);
        assert_eq!(queue.take().len(), 0);
        assert_eq!(queue.push(operation("ledger")), Ok(true));
    }

    #[test]
    fn what_is_larger_than_the_limit_goes_alone() {
        let queue = Queue::new(1);
        assert_eq!(queue.push(operation("ledger")), Ok(true));
        assert_eq!(queue.push(operation("ledger")), Err(NoWait::Full));
    }

    #[test]
    fn what_waits_when_it_is_closed_is_still_taken() {
        let queue = Queue::new(1000);
        assert_eq!(queue.push(operation("ledger")), Ok(true));
        queue.close();
        assert_eq!(queue.push(operation("ledger")), Err(NoWait::Closed));
        assert!(queue.wait());
        assert_eq!(queue.take().len(), 1);
        assert!(!queue.wait());
    }
}
