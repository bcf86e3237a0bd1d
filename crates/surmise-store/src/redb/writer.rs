//! The thread that writes.

use alloc::sync::Arc;
use core::fmt;
use std::{
    io,
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use surmise_time::MonotonicClock as _;

use super::{
    engine::{Engine, closed},
    operation::{Operation, ask},
    queue::{NoWait, Queue},
};
use crate::{LostReply, StoreError, clock::LeaseClock};

/// A thread that performs what waits, until it is closed.
///
/// While one batch is on its way to the disk, the next one gathers; so the more callers there are, the fewer syncs
/// each of them costs, and one alone waits for nobody (DeWitt et al., "Implementation techniques for main memory database
/// systems", SIGMOD 1984, §5.2: group commit).
pub(super) struct Writer {
    store: String,
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

impl Writer {
    pub(super) fn spawn(engine: Engine, store: &str, max_waiting_bytes: usize) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(max_waiting_bytes));
        let theirs = Arc::clone(&queue);
        let thread = thread::Builder::new()
            .name("surmise-redb".to_owned())
            .spawn(move || write(engine, &theirs))?;
        Ok(Self { store: store.to_owned(), queue, thread: Mutex::new(Some(thread)) })
    }

    /// Has an operation performed.
    pub(super) async fn perform<O: Operation>(&self, operation: O) -> Result<O::Reply, StoreError> {
        let (waiting, receiver) = ask(operation);
        self.queue.push(waiting).map_err(|reason| match reason {
            NoWait::Closed => closed(&self.store),
            NoWait::Full => StoreError::Unavailable {
                store: self.store.clone(),
                source: "more operations than `max_waiting_bytes` wait for the disk".into(),
            },
        })?;
        let no_answer = || LostReply::new(&*self.store, "the thread that writes is gone");
        receiver.await.unwrap_or_else(|| O::lost(no_answer(), &self.store))
    }

    /// Waits until everything that waits was performed, and the file was closed.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        self.queue.close();
        // Whoever comes second waits for the first.
        let mut thread = self.thread.lock();
        match thread.take() {
            // The last owner was woken by the very thread, which ends when it returns there.
            Some(thread) if thread.thread().id() == thread::current().id() => Ok(()),
            Some(thread) => thread.join().unwrap_or_else(|_| Err(closed(&self.store))),
            None => Ok(()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Nobody is left to be told; what was acknowledged is durable without it.
        let _ = self.close();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("store", &self.store).finish_non_exhaustive()
    }
}

fn write(mut engine: Engine, queue: &Queue) -> Result<(), StoreError> {
    let abandoned = AbandonOnDrop(queue);
    while let Some(waiting) = queue.take() {
        engine.run(waiting, LeaseClock.now());
    }
    drop(abandoned);
    engine.close()
}

/// Leaves nobody without an answer if the thread ends before its time.
struct AbandonOnDrop<'a>(&'a Queue);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
