//! Who writes: a thread, or the callers.

use alloc::sync::Arc;
use core::fmt;
use std::{
    io,
    thread::{self, JoinHandle},
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    RedbConfig,
    clocks::Reading,
    engine::{Engine, closed},
    operation::{Operation, ask},
    queue::{NoWait, Queue},
};
use crate::{LostReply, StoreError};

/// Has operations performed: in batches, by a thread, or by a caller who finds nobody at it.
///
/// While one batch is on its way to the disk, the next one gathers; so the more callers there are, the fewer syncs
/// each of them costs, and one alone waits for nobody (DeWitt et al., "Implementation techniques for main memory database
/// systems", SIGMOD 1984, §5.2: group commit).
pub(super) struct Writer {
    store: String,
    write_in_caller: bool,
    batches: Arc<Batches>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

struct Batches {
    queue: Queue,
    /// None once the file was closed.
    engine: Mutex<Option<Engine>>,
}

impl Writer {
    pub(super) fn spawn(engine: Engine, store: &str, config: &RedbConfig) -> io::Result<Self> {
        let queue = Queue::new(config.max_waiting_bytes);
        let batches = Arc::new(Batches { queue, engine: Mutex::new(Some(engine)) });
        let theirs = Arc::clone(&batches);
        let thread = thread::Builder::new()
            .name("surmise-redb".to_owned())
            .spawn(move || theirs.write_until_closed())?;
        Ok(Self {
            store: store.to_owned(),
            write_in_caller: config.write_in_caller,
            batches,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Has an operation performed.
    pub(super) async fn perform<O: Operation>(&self, operation: O) -> Result<O::Reply, StoreError> {
        let (waiting, receiver) = ask(operation);
        let is_alone = self.batches.queue.push(waiting).map_err(|reason| match reason {
            NoWait::Closed => closed(&self.store),
            NoWait::Full => StoreError::Unavailable {
                store: self.store.clone(),
                source: "more operations than `max_waiting_bytes` wait for the disk".into(),
            },
        })?;
        // With company, it is the thread's, so that none is ahead of those who wait for it.
        if self.write_in_caller && is_alone {
            self.batches.write_unless_busy();
        }
        // If somebody else is at it, the thread is the next.
        self.batches.queue.notify();
        let no_answer = || LostReply::new(&*self.store, "the thread that writes is gone");
        receiver.await.unwrap_or_else(|| O::lost(no_answer(), &self.store))
    }

    /// Waits until everything that waits was performed, and the file was closed.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        self.batches.queue.close();
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

impl Batches {
    fn write_until_closed(&self) -> Result<(), StoreError> {
        let abandoned = AbandonOnDrop(&self.queue);
        while self.queue.wait() {
            self.write(self.engine.lock());
        }
        drop(abandoned);
        let engine = self.engine.lock().take();
        engine.map_or(Ok(()), |engine| engine.close(Reading::now()))
    }

    fn write_unless_busy(&self) {
        if let Some(engine) = self.engine.try_lock() {
            self.write(engine);
        }
    }

    /// Performs what waits, which may be nothing: somebody else can have been faster.
    fn write(&self, mut engine: MutexGuard<'_, Option<Engine>>) {
        let waiting = self.queue.take();
        let Some(writing) = &mut *engine else { return };
        if !waiting.is_empty() {
            let answers = writing.run(waiting, Reading::now());
            drop(engine);
            answers.send();
        }
    }
}

/// Leaves nobody without an answer if the thread ends before its time.
struct AbandonOnDrop<'a>(&'a Queue);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
