//! What is counted, and what is told of.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/always.rs"]
mod always;
#[path = "support/idempotent.rs"]
mod idempotent;

use alloc::{collections::BTreeMap, sync::Arc};
use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{io, sync::Mutex};

use always::Always;
use idempotent::Idempotent;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use surmise_timeout::{
    Ratio, RetryBudgetConfig,
    backoff::{Backoff, BackoffConfig, Jitter},
    sync::{AtomicRetryBudget, SharedHedge},
};
use surmise_tower::{AdaptiveTimeoutLayer, HedgeLayer, Judgement, RetryLayer};
use tokio::time::{Instant, timeout};
use tower::{Layer, Service, ServiceExt, service_fn};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn budget(initial: u32) -> Arc<AtomicRetryBudget> {
    let config = RetryBudgetConfig { ratio: Ratio::ZERO, burst: 10, initial };
    Arc::new(AtomicRetryBudget::new(config).unwrap())
}

/// Returns a service whose calls are answered or fail after so many milliseconds.
fn service<const N: usize>(
    calls: [Result<u64, u64>; N],
) -> impl Service<&'static str, Response = (), Error = &'static str, Future: Send> + Clone {
    let nth = Arc::new(AtomicUsize::new(0));
    service_fn(move |_| {
        let call = calls[nth.fetch_add(1, Ordering::Relaxed)];
        async move {
            tokio::time::sleep(millis(call.unwrap_or_else(|took| took))).await;
            call.map(|_| ()).map_err(|_| "as scripted")
        }
    })
}

fn backoff() -> Backoff {
    Backoff::new(BackoffConfig {
        base: millis(100),
        multiplier: Ratio::ONE,
        cap: millis(100),
        floor: Duration::ZERO,
        jitter: Jitter::None,
    })
    .unwrap()
}

/// A retry and a denied one, each of a call that timed out.
async fn time_out_and_retry() {
    let retry = RetryLayer::new(backoff(), 3, budget(1), Idempotent::default());
    let timeout = AdaptiveTimeoutLayer::p99().ceiling(millis(50));
    let service = retry.layer(timeout.layer(service([Ok(1000); 2])));
    service.oneshot("hello").await.unwrap_err();
}

/// A call whose timeout is sooner than its deadline, one that the deadline cuts short, and one that it is too late for.
async fn keep_to_deadlines() {
    let deadline = Some(Instant::now() + millis(80));
    let layer = AdaptiveTimeoutLayer::p99().ceiling(millis(50)).policy(Idempotent { deadline });
    let service = layer.layer(service([Ok(1000); 2]));
    for _ in 0..3 {
        service.clone().oneshot("hello").await.unwrap_err();
    }
}

/// A retry whose caller leaves, one that there is no token for, and one that the service asks not to make.
async fn wait_in_vain() {
    let budget = budget(1);
    let retry = RetryLayer::new(backoff(), 1, Arc::clone(&budget), Idempotent::default());
    let request = || retry.layer(service([Err(0)])).oneshot("hello");
    timeout(millis(50), request()).await.unwrap_err();
    budget.withdraw().unwrap();
    request().await.unwrap_err();

    let later = Always(Judgement::RetryAfter(millis(60_001)));
    let retry = RetryLayer::new(backoff(), 1, Arc::clone(&budget), later);
    retry.layer(service([Err(0)])).oneshot("hello").await.unwrap_err();
}

/// A backup that wins, one that loses, one that fails, and one that is denied.
async fn hedge() {
    let hedge = Arc::new(SharedHedge::p95(millis(10), millis(10)).unwrap());
    let layer = HedgeLayer::new(hedge, budget(3), Idempotent::default());
    let service = layer.layer(service([Ok(1000), Ok(5), Ok(15), Ok(1000), Ok(50), Err(5), Ok(15)]));
    for _ in 0..4 {
        service.clone().oneshot("hello").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_counted_and_told_of() {
    let recorder = DebuggingRecorder::new();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let text = Text::default();
    let _subscribed = tracing::subscriber::set_default(text.subscriber());
    time_out_and_retry().await;
    keep_to_deadlines().await;
    wait_in_vain().await;
    hedge().await;
    assert_counted(&recorder.snapshotter());
    text.assert_told();
}

fn assert_counted(snapshotter: &Snapshotter) {
    let counted = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let DebugValue::Counter(count) = value else { panic!("{key:?} is no counter") };
        (key.key().name().to_owned(), count)
    });
    let counts = [
        ("surmise_deadlines_exceeded_total", 2),
        ("surmise_hedges_denied_total", 1),
        ("surmise_hedges_issued_total", 3),
        ("surmise_hedges_lost_total", 2),
        ("surmise_hedges_won_total", 1),
        ("surmise_retries_denied_total", 2),
        ("surmise_retries_total", 1),
        ("surmise_timeouts_total", 3),
    ];
    let expected = counts.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), BTreeMap::from(expected));
}

/// Text that a subscriber writes.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Text {
    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        let writer = self.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish()
    }

    /// The spans say which try it was.
    fn assert_told(&self) {
        let told = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            told.lines().map(str::trim).collect::<Vec<_>>(),
            [
                "DEBUG attempt{nth=0}: call timed out after=50ms",
                "DEBUG waiting to try again nth=1 delay=100ms",
                "DEBUG trying again nth=1",
                "DEBUG attempt{nth=1}: call timed out after=50ms",
                "DEBUG the budget allows no retry nth=2",
                "DEBUG call timed out after=50ms",
                "DEBUG call given up at its caller's deadline after=30ms",
                "DEBUG call given up at its caller's deadline after=0ns",
                "DEBUG waiting to try again nth=1 delay=100ms",
                "DEBUG the budget allows no retry nth=1",
                "DEBUG the service asks for too long a delay retry_after=60.001s",
                "DEBUG sending a backup delay=10ms",
                "DEBUG the backup answered first primary=15ms backup=5ms",
                "DEBUG sending a backup delay=10ms",
                "DEBUG the backup was of no use primary=15ms backup=5ms",
                "DEBUG sending a backup delay=10ms",
                "DEBUG the backup was of no use primary=50ms backup=5ms",
                "DEBUG the budget allows no backup",
            ]
        );
    }
}
