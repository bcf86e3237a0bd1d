use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use std::{
    panic,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use super::{Answer, Layer, layers::NothingDone};

/// How long somebody may wait before it is taken to wait for ever, and how long an executor waits for one who
/// waits for it.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
const MOMENT: Duration = Duration::from_millis(200);

/// A layer, and how often something was executed.
pub(super) struct Trial<L> {
    pub(super) layer: Arc<L>,
    executions: Arc<AtomicU32>,
}

/// How an executor ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// With a result of 7.
    Result,
    /// With an error, as nothing could be done.
    Error,
    Panic,
}

/// Somebody who executes until told to stop.
pub(super) struct Executor {
    stop: Sender<()>,
    answer: Caller,
}

/// What a caller will hear.
pub(super) struct Caller(Receiver<Answer>);

impl<L: Layer> Trial<L> {
    pub(super) fn with_room(room: usize) -> Self {
        Self { layer: Arc::new(L::with_room(room)), executions: Arc::default() }
    }

    pub(super) fn executions(&self) -> u32 {
        self.executions.load(Ordering::SeqCst)
    }

    /// Calls from this thread.
    pub(super) fn call(&self, key: u64, payload: u8, value: u64) -> Answer {
        self.layer.execute(key, payload, &|| {
            self.executions.fetch_add(1, Ordering::SeqCst);
            Ok(value)
        })
    }

    /// Executes key 1 with payload 0, and neither ends nor panics; or does nothing where that cannot be.
    pub(super) fn vanish(&self) -> Option<()> {
        self.layer.vanish(1, &|| {
            self.executions.fetch_add(1, Ordering::SeqCst);
            Ok(7)
        })
    }

    /// Calls from another thread.
    pub(super) fn call_aside(&self, key: u64, payload: u8, value: u64) -> Caller {
        let (layer, executions) = (Arc::clone(&self.layer), Arc::clone(&self.executions));
        Caller::spawn(move || Self { layer, executions }.call(key, payload, value))
    }

    /// Lets another thread execute key 1 with payload 0, and returns when it is at it. It ends when it is told to,
    /// as is said here.
    pub(super) fn executor(&self, end: End) -> Executor {
        let (layer, executions) = (Arc::clone(&self.layer), Arc::clone(&self.executions));
        let (starts, started) = channel();
        let (stop, stopped) = channel();
        let answer = Caller::spawn(move || {
            layer.execute(1, 0, &|| {
                executions.fetch_add(1, Ordering::SeqCst);
                let _ = starts.send(());
                let _ = stopped.recv_timeout(2 * PATIENCE);
                match end {
                    End::Result => Ok(7),
                    End::Error => Err(NothingDone),
                    // Nothing is printed, as it would be by `panic!`.
                    End::Panic => panic::resume_unwind(Box::new("the executor dies")),
                }
            })
        });
        started.recv_timeout(PATIENCE).expect("the first one executes");
        Executor { stop, answer }
    }
}

impl Executor {
    pub(super) fn stop(self) -> Caller {
        // It may have given up.
        let _ = self.stop.send(());
        self.answer
    }
}

impl Caller {
    fn spawn(call: impl FnOnce() -> Answer + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || sender.send(call()));
        Self(receiver)
    }

    /// Returns what it hears, unless that takes longer than a moment.
    pub(super) fn soon(&self) -> Option<Answer> {
        self.0.recv_timeout(MOMENT).ok()
    }

    /// Returns what it has heard.
    pub(super) fn by_now(&self) -> Option<Answer> {
        self.0.try_recv().ok()
    }

    /// Returns what it hears, unless it waits for ever or dies.
    pub(super) fn ever(&self) -> Option<Answer> {
        self.0.recv_timeout(PATIENCE).ok()
    }
}
