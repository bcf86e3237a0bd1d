use alloc::sync::Arc;
use core::future::Future;

use tokio::{sync::watch, task::JoinHandle};

/// The tasks of a layer and its clones.
#[derive(Clone, Debug)]
pub(super) struct Tasks(Arc<watch::Sender<()>>);

impl Tasks {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }

    /// Starts a task, which tells of itself in the span of the one that starts it.
    pub(super) fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        // It is dropped with the task, also if that panics.
        let under_way = self.0.subscribe();
        tokio::spawn(in_span(async move {
            let output = work.await;
            drop(under_way);
            output
        }))
    }

    /// Waits until none is under way.
    pub(super) async fn drained(&self) {
        self.0.closed().await;
    }
}

#[cfg(feature = "tracing")]
fn in_span<F: Future>(work: F) -> impl Future<Output = F::Output> {
    use tracing::Instrument as _;
    work.in_current_span()
}

#[cfg(not(feature = "tracing"))]
const fn in_span<F: Future>(work: F) -> F {
    work
}
