//! All three layers about one service, in the order that the crate's documentation recommends.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/idempotent.rs"]
mod idempotent;
#[path = "support/script.rs"]
mod script;

use alloc::sync::Arc;
use core::time::Duration;

use idempotent::Idempotent;
use script::{End, Line, Played, Script};
use surmise_timeout::{
    AdaptiveTimeoutConfig, HedgeCounters, Outcome, Quantile, Ratio, RetryBudgetConfig,
    backoff::{Backoff, BackoffConfig, Jitter},
    sync::{AtomicRetryBudget, SharedAdaptiveTimeout, SharedHedge},
};
use surmise_tower::{AdaptiveTimeoutLayer, BoxError, Elapsed, HedgeLayer, RetryLayer};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneService};

const DELAY: u64 = 10;

const TIMEOUT: u64 = 40;

const BACKOFF: u64 = 100;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn played(from: u64, end: End) -> Played {
    Played { from, end }
}

fn new_timeout() -> SharedAdaptiveTimeout {
    let config = AdaptiveTimeoutConfig {
        prior: millis(TIMEOUT),
        exploring: Ratio::ZERO,
        ..AdaptiveTimeoutConfig::of(Quantile::P99, millis(1), millis(1000))
    };
    SharedAdaptiveTimeout::new(config).unwrap()
}

fn retry_layer<P>(budget: &Arc<AtomicRetryBudget>, policy: P) -> RetryLayer<P> {
    let backoff = Backoff::new(BackoffConfig {
        base: millis(BACKOFF),
        multiplier: Ratio::ONE,
        cap: millis(BACKOFF),
        floor: Duration::ZERO,
        jitter: Jitter::None,
    });
    RetryLayer::new(backoff.unwrap(), 3, Arc::clone(budget), policy)
}

struct Scene {
    timeout: Arc<SharedAdaptiveTimeout>,
    hedge: Arc<SharedHedge>,
    budget: Arc<AtomicRetryBudget>,
    script: Script,
}

impl Scene {
    fn new(lines: impl Into<Vec<Line>>, ratio: Ratio, initial: u32) -> Self {
        let config = RetryBudgetConfig { ratio, burst: 10, initial };
        let delay = AdaptiveTimeoutConfig {
            prior: millis(DELAY),
            ..AdaptiveTimeoutConfig::of(Quantile::P95, millis(1), millis(1000))
        };
        Self {
            timeout: Arc::new(new_timeout()),
            hedge: Arc::new(SharedHedge::new(delay).unwrap()),
            budget: Arc::new(AtomicRetryBudget::new(config).unwrap()),
            script: Script::new(lines),
        }
    }

    fn service(&self, policy: Idempotent) -> BoxCloneService<&'static str, usize, BoxError> {
        ServiceBuilder::new()
            .layer(retry_layer(&self.budget, policy))
            .layer(AdaptiveTimeoutLayer::new(Arc::clone(&self.timeout)).policy(policy))
            .layer(self.hedge_layer(policy).without_deposits())
            .service(self.script.clone())
            .boxed_clone()
    }

    fn hedge_layer(&self, policy: Idempotent) -> HedgeLayer<Idempotent> {
        HedgeLayer::new(Arc::clone(&self.hedge), Arc::clone(&self.budget), policy)
    }

    #[track_caller]
    fn assert_learned(&self, outcomes: &[Outcome]) {
        let expected = new_timeout();
        for &outcome in outcomes {
            expected.record(outcome);
        }
        let same = format!("{:?}", self.timeout) == format!("{expected:?}");
        assert!(same, "expected {outcomes:?}, got {:?}", self.timeout);
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeout_learns_how_long_the_first_answer_of_the_two_takes() {
    let scene = Scene::new([Line::Answer(30), Line::Answer(5)], Ratio::ZERO, 10);
    assert_eq!(scene.service(Idempotent::default()).oneshot("hello").await.unwrap(), 1);
    assert_eq!(scene.script.played(), [played(0, End::Dropped(15)), played(10, End::At(15))]);
    scene.assert_learned(&[Outcome::Completed(millis(15))]);
}

#[tokio::test(start_paused = true)]
async fn each_try_has_a_timeout_and_a_backup_of_its_own() {
    let lines = [Line::Hang, Line::Hang, Line::Hang, Line::Answer(5)];
    let scene = Scene::new(lines, Ratio::ZERO, 10);
    assert_eq!(scene.service(Idempotent::default()).oneshot("hello").await.unwrap(), 3);
    // The first try was given up after 40 ms, with its backup. The delay is what it was, since that ended without
    // an answer.
    assert_eq!(
        scene.script.played(),
        [
            played(0, End::Dropped(40)),
            played(10, End::Dropped(40)),
            played(140, End::Dropped(155)),
            played(150, End::At(155)),
        ]
    );
    scene.assert_learned(&[Outcome::TimedOut(millis(40)), Outcome::Completed(millis(15))]);
    let HedgeCounters { issued, won, lost, .. } = scene.hedge.counters();
    assert_eq!((issued, won, lost), (2, 1, 1));
    // Two backups and a retry.
    assert_eq!(scene.budget.available(), 7);
}

#[tokio::test(start_paused = true)]
async fn retries_and_backups_are_paid_for_from_one_budget() {
    // The backup takes the only token, and the retry has to do without.
    let scene = Scene::new([Line::Hang, Line::Hang], Ratio::ZERO, 1);
    let error = scene.service(Idempotent::default()).oneshot("hello").await.unwrap_err();
    assert_eq!(error.downcast::<Elapsed>().unwrap().after, millis(40));
    assert_eq!(scene.script.played().len(), 2);

    // A request pays in once, with two tries.
    let scene = Scene::new([Line::Fail(1), Line::Answer(1)], Ratio::from_percent(200), 0);
    scene.service(Idempotent::default()).oneshot("hello").await.unwrap();
    assert_eq!(scene.budget.available(), 1);
}

/// The primary is given up and the backup is not made: nothing of a request outlasts its deadline.
#[tokio::test(start_paused = true)]
async fn all_layers_keep_to_the_deadline() {
    for deadline in [1, DELAY, DELAY + 1, TIMEOUT, 50, 139, 140, 141, 150, 155] {
        let began = Instant::now();
        let policy = Idempotent { deadline: Some(began + millis(deadline)) };
        let scene = Scene::new([Line::Hang; 20], Ratio::ZERO, 10);
        scene.service(policy).oneshot("hello").await.unwrap_err();
        assert!(began.elapsed() <= millis(deadline), "{:?} of {deadline} ms", began.elapsed());
        let played = scene.script.played();
        assert!(played.iter().all(|call| call.from < deadline), "{deadline} ms: {played:?}");
    }
}

/// Why the timeout is to be outside, as `stacking.rs` shows: how long the slow one would have taken is not known.
#[tokio::test(start_paused = true)]
async fn a_timeout_within_the_hedge_learns_that_the_loser_was_cancelled() {
    let scene = Scene::new([Line::Answer(30), Line::Answer(5)], Ratio::ZERO, 10);
    let policy = Idempotent::default();
    let service = ServiceBuilder::new()
        .layer(scene.hedge_layer(policy))
        .layer(AdaptiveTimeoutLayer::new(Arc::clone(&scene.timeout)).policy(policy))
        .service(scene.script.clone());
    assert_eq!(service.oneshot("hello").await.unwrap(), 1);
    scene.assert_learned(&[Outcome::Completed(millis(5)), Outcome::Cancelled(millis(15))]);
}

/// Why the retries are to be outside.
#[tokio::test(start_paused = true)]
async fn a_hedge_outside_of_retries_takes_their_delays_for_slowness() {
    let scene = Scene::new([Line::Fail(1), Line::Answer(1)], Ratio::ZERO, 10);
    let policy = Idempotent::default();
    let service = ServiceBuilder::new()
        .layer(scene.hedge_layer(policy))
        .layer(retry_layer(&scene.budget, policy))
        .service(scene.script.clone());
    assert_eq!(service.oneshot("hello").await.unwrap(), 1);
    assert_eq!(scene.script.played()[1], played(DELAY, End::At(DELAY + 1)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_surfaces_through_all_layers_and_leaves_them_usable() {
    let lines =
        [Line::Panic(1), Line::PanicWhenCalled, Line::Hang, Line::Panic(1), Line::Answer(1)];
    let scene = Scene::new(lines, Ratio::ZERO, 10);
    let service = scene.service(Idempotent::default());
    for said in ["in the future", "in the call", "in the future"] {
        let panicked = tokio::spawn(service.clone().oneshot("hello")).await.unwrap_err();
        assert_eq!(*panicked.into_panic().downcast::<&str>().unwrap(), said);
    }
    assert_eq!(service.oneshot("hello").await.unwrap(), 4);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}
