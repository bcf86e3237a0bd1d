//! Requests with and without a backup, on tokio's paused clock.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/always.rs"]
mod always;
#[path = "support/idempotent.rs"]
mod idempotent;
#[path = "support/refused.rs"]
mod refused;
#[path = "support/script.rs"]
mod script;

use alloc::sync::Arc;
use core::time::Duration;

use always::Always;
use idempotent::Idempotent;
use refused::Refused;
use script::{End, Line, Played, Script};
use surmise_timeout::{
    AdaptiveTimeoutConfig, HedgeOutcome, Outcome, Quantile, Ratio, RetryBudgetConfig,
    sync::{AtomicRetryBudget, SharedHedge},
};
use surmise_tower::{BoxError, DefaultPolicy, HedgeLayer, Judgement};
use tokio::time::{Instant, advance};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, util::BoxCloneService};
use tower_test::mock;

const DELAY: u64 = 10;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn new_hedge() -> SharedHedge {
    let config = AdaptiveTimeoutConfig {
        prior: millis(DELAY),
        prior_samples: 500,
        ..AdaptiveTimeoutConfig::of(Quantile::P50, millis(1), millis(1000))
    };
    let hedge = SharedHedge::new(config).unwrap();
    // Without a faster answer, a request that is given up would say nothing.
    hedge.record(HedgeOutcome::Alone(Outcome::Completed(millis(1))));
    hedge
}

fn new_budget(ratio: Ratio, initial: u32) -> Arc<AtomicRetryBudget> {
    let config = RetryBudgetConfig { ratio, burst: 10, initial };
    Arc::new(AtomicRetryBudget::new(config).unwrap())
}

/// A service that does as the script says, and what its hedge learned.
struct Scene {
    hedge: Arc<SharedHedge>,
    budget: Arc<AtomicRetryBudget>,
    script: Script,
}

impl Scene {
    fn new(lines: impl Into<Vec<Line>>) -> Self {
        Self {
            hedge: Arc::new(new_hedge()),
            budget: new_budget(Ratio::ZERO, 10),
            script: Script::new(lines),
        }
    }

    fn layer<P>(&self, policy: P) -> HedgeLayer<P> {
        HedgeLayer::new(Arc::clone(&self.hedge), Arc::clone(&self.budget), policy)
    }

    fn service(&self) -> BoxCloneService<&'static str, usize, BoxError> {
        self.layer(Idempotent::default()).layer(self.script.clone()).boxed_clone()
    }

    /// Asserts what the hedge took in: nothing else, and to the nanosecond.
    #[track_caller]
    fn assert_learned(&self, outcomes: &[HedgeOutcome]) {
        let (expected, budget) = (new_hedge(), new_budget(Ratio::ZERO, 10));
        for &outcome in outcomes {
            if !matches!(outcome, HedgeOutcome::Alone(_)) {
                expected.issue(&budget).unwrap();
            }
            expected.record(outcome);
        }
        let same = format!("{:?}", self.hedge) == format!("{expected:?}");
        assert!(same, "expected {outcomes:?}, got {:?}", self.hedge);
    }
}

const fn played(from: u64, end: End) -> Played {
    Played { from, end }
}

#[tokio::test(start_paused = true)]
async fn an_answer_before_the_delay_needs_no_backup() {
    let scene = Scene::new([Line::Answer(DELAY - 1)]);
    assert_eq!(scene.service().oneshot("hello").await.unwrap(), 0);
    assert_eq!(scene.script.played(), [played(0, End::At(9))]);
    scene.assert_learned(&[HedgeOutcome::Alone(Outcome::Completed(millis(9)))]);
    assert_eq!(scene.budget.available(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_answers_first_wins_and_the_primary_is_cancelled() {
    let scene = Scene::new([Line::Answer(50), Line::Answer(8)]);
    let mut service = scene.layer(Idempotent::default()).layer(scene.script.clone());
    let mut response = Box::pin(service.ready().await.unwrap().call("hello"));
    assert_eq!(response.as_mut().await.unwrap(), 1);
    // Although the future is still there.
    assert_eq!(scene.script.played(), [played(0, End::Dropped(18)), played(10, End::At(18))]);
    let won = HedgeOutcome::BackupWon { primary: millis(18), backup: millis(8) };
    scene.assert_learned(&[won]);
    assert_eq!(scene.budget.available(), 9);
    drop(response);
    scene.assert_learned(&[won]);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_answers_first_wins_and_the_backup_is_cancelled() {
    let scene = Scene::new([Line::Answer(15), Line::Answer(8)]);
    let mut service = scene.layer(Idempotent::default()).layer(scene.script.clone());
    let mut response = Box::pin(service.ready().await.unwrap().call("hello"));
    assert_eq!(response.as_mut().await.unwrap(), 0);
    assert_eq!(scene.script.played(), [played(0, End::At(15)), played(10, End::Dropped(15))]);
    let won = HedgeOutcome::PrimaryWon { primary: millis(15), backup: millis(5) };
    scene.assert_learned(&[won]);
    drop(response);
    scene.assert_learned(&[won]);
}

#[tokio::test(start_paused = true)]
async fn no_backup_is_sent_that_the_budget_does_not_allow() {
    let scene = Scene { budget: new_budget(Ratio::ZERO, 0), ..Scene::new([Line::Answer(15)]) };
    assert_eq!(scene.service().oneshot("hello").await.unwrap(), 0);
    assert_eq!(scene.script.played(), [played(0, End::At(15))]);
    let counters = scene.hedge.counters();
    assert_eq!((counters.issued, counters.denied), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_sent_twice_has_no_backup_and_teaches_nothing() {
    let scene = Scene::new([Line::Answer(50)]);
    let service = scene.layer(DefaultPolicy).layer(scene.script.clone());
    assert_eq!(service.oneshot("hello").await.unwrap(), 0);
    assert_eq!(scene.script.played(), [played(0, End::At(50))]);
    scene.assert_learned(&[]);
}

#[tokio::test(start_paused = true)]
async fn no_backup_is_sent_at_the_deadline_or_later() {
    for (deadline, calls) in [(DELAY - 1, 1), (DELAY, 1), (DELAY + 1, 2)] {
        let scene = Scene::new([Line::Answer(50), Line::Answer(1)]);
        let policy = Idempotent { deadline: Some(Instant::now() + millis(deadline)) };
        let service = scene.layer(policy).layer(scene.script.clone());
        service.oneshot("hello").await.unwrap();
        assert_eq!(scene.script.played().len(), calls);
        assert_eq!(scene.budget.available(), 11 - u32::try_from(calls).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_fails_before_the_delay_is_all_there_is() {
    let scene = Scene::new([Line::Fail(5)]);
    scene.service().oneshot("hello").await.unwrap_err();
    assert_eq!(scene.script.played(), [played(0, End::At(5))]);
    scene.assert_learned(&[HedgeOutcome::Alone(Outcome::Cancelled(millis(5)))]);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_fails_leaves_the_field_to_the_backup() {
    let scene = Scene::new([Line::Fail(15), Line::Answer(20)]);
    assert_eq!(scene.service().oneshot("hello").await.unwrap(), 1);
    assert_eq!(scene.script.played(), [played(0, End::At(15)), played(10, End::At(30))]);
    let won = HedgeOutcome::BackupWon { primary: millis(15), backup: millis(20) };
    scene.assert_learned(&[won]);
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_fails_leaves_the_field_to_the_primary() {
    let scene = Scene::new([Line::Answer(50), Line::Fail(5)]);
    assert_eq!(scene.service().oneshot("hello").await.unwrap(), 0);
    assert_eq!(scene.script.played(), [played(0, End::At(50)), played(10, End::At(15))]);
    let won = HedgeOutcome::PrimaryWon { primary: millis(50), backup: millis(5) };
    scene.assert_learned(&[won]);
}

#[tokio::test(start_paused = true)]
async fn when_both_fail_the_last_error_is_passed_on() {
    for (lines, primary, backup) in
        [([Line::Fail(15), Line::Fail(20)], 15, 20), ([Line::Fail(50), Line::Fail(5)], 50, 5)]
    {
        let scene = Scene::new(lines);
        let error = scene.service().oneshot("hello").await.unwrap_err();
        assert_eq!(error.to_string(), "as scripted");
        let (primary, backup) = (millis(primary), millis(backup));
        scene.assert_learned(&[HedgeOutcome::Cancelled { primary, backup }]);
    }
}

/// Whether there is a backup by then or not, and whoever of the two wins.
#[tokio::test(start_paused = true)]
async fn what_the_policy_does_not_take_for_an_answer_does_not_teach_how_long_answers_take() {
    let (fast, backup) = (Outcome::FailedFast, Outcome::Completed(millis(20)));
    let cancelled = Outcome::Cancelled(millis(5));
    let both = |backup, backup_won| HedgeOutcome::Both { primary: fast, backup, backup_won };
    for (judgement, lines, learned) in [
        (Judgement::Keep, vec![Line::Fail(5)], HedgeOutcome::Alone(fast)),
        (Judgement::Keep, vec![Line::Fail(15), Line::Hang], both(cancelled, false)),
        (Judgement::Retry, vec![Line::Fail(15), Line::Answer(20)], both(backup, true)),
        (Judgement::Retry, vec![Line::Fail(15), Line::Fail(20)], both(fast, false)),
    ] {
        let scene = Scene::new(lines);
        let service = scene.layer(Refused(judgement)).layer(scene.script.clone());
        let answered = service.oneshot("hello").await.is_ok();
        assert_eq!(answered, matches!(learned, HedgeOutcome::Both { backup_won: true, .. }));
        scene.assert_learned(&[learned]);
        assert_eq!(scene.hedge.delay(), new_hedge().delay());
    }
}

/// An error that is judged an answer wins, and an answer that is judged worth another try does not.
#[tokio::test(start_paused = true)]
async fn the_policy_judges_who_wins() {
    let scene = Scene::new([Line::Answer(50), Line::Fail(5)]);
    let service = scene.layer(Always(Judgement::Keep)).layer(scene.script.clone());
    service.oneshot("hello").await.unwrap_err();
    assert_eq!(scene.hedge.counters().won, 1);

    let scene = Scene::new([Line::Answer(50), Line::Answer(5)]);
    let service = scene.layer(Always(Judgement::Retry)).layer(scene.script.clone());
    assert_eq!(service.oneshot("hello").await.unwrap(), 0);
    // Neither was good enough for the caller, and both say how long answers take.
    let [primary, backup] = [50, 5].map(|took| Outcome::Completed(millis(took)));
    scene.assert_learned(&[HedgeOutcome::Both { primary, backup, backup_won: false }]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_at_any_time_is_recorded_as_cancelled() {
    for waited in 0..20 {
        let scene = Scene::new([Line::Hang, Line::Hang]);
        let mut service = scene.service();
        let mut response = task::spawn(service.ready().await.unwrap().call("hello"));
        for _ in 0..waited {
            assert_pending!(response.poll());
            advance(millis(1)).await;
        }
        drop(response);
        let primary = played(0, End::Dropped(waited));
        if waited > DELAY {
            assert_eq!(scene.script.played(), [primary, played(10, End::Dropped(waited))]);
            let (primary, backup) = (millis(waited), millis(waited - DELAY));
            scene.assert_learned(&[HedgeOutcome::Cancelled { primary, backup }]);
        } else {
            assert_eq!(scene.script.played(), [primary]);
            scene.assert_learned(&[HedgeOutcome::Alone(Outcome::Cancelled(millis(waited)))]);
        }
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_request_pays_in_unless_another_layer_does() {
    let ratio = Ratio::from_percent(100);
    let scene =
        Scene { budget: new_budget(ratio, 0), ..Scene::new([Line::Answer(1), Line::Answer(1)]) };
    let layer = scene.layer(DefaultPolicy);
    layer.layer(scene.script.clone()).oneshot("hello").await.unwrap();
    assert_eq!(scene.budget.available(), 1);
    layer.without_deposits().layer(scene.script.clone()).oneshot("hello").await.unwrap();
    assert_eq!(scene.budget.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_backup_waits_for_the_service_to_be_ready_and_pays_only_then() {
    let scene = Scene::new([]);
    let layer = scene.layer(Idempotent::default());
    let (mut service, mut handle) = mock::spawn_layer::<_, usize, _>(layer);
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());

    let mut response = task::spawn(service.call("hello"));
    let _primary = handle.next_request().await.unwrap();
    assert_pending!(response.poll());
    advance(millis(DELAY)).await;
    assert!(response.is_woken());
    assert_pending!(response.poll());
    assert_pending!(handle.poll_request());
    assert_eq!(scene.budget.available(), 10);

    advance(millis(5)).await;
    handle.allow(1);
    assert!(response.is_woken());
    assert_pending!(response.poll());
    assert_eq!(scene.budget.available(), 9);
    handle.next_request().await.unwrap().1.send_response(7);
    advance(millis(1)).await;
    assert_eq!(assert_ready_ok!(response.poll()), 7);
    scene.assert_learned(&[HedgeOutcome::BackupWon { primary: millis(16), backup: millis(1) }]);
}

#[tokio::test(start_paused = true)]
async fn a_primary_does_not_fail_because_there_can_be_no_backup() {
    let scene = Scene::new([]);
    let layer = scene.layer(Idempotent::default());
    let (mut service, mut handle) = mock::spawn_layer::<_, usize, _>(layer);
    assert_ready_ok!(service.poll_ready());
    let mut response = task::spawn(service.call("hello"));
    let (_, primary) = handle.next_request().await.unwrap();
    assert_pending!(response.poll());
    handle.send_error("closed for today");
    advance(millis(DELAY)).await;
    assert_pending!(response.poll());
    assert_pending!(handle.poll_request());
    primary.send_response(7);
    assert_eq!(assert_ready_ok!(response.poll()), 7);
    assert_eq!(scene.budget.available(), 10);
    scene.assert_learned(&[HedgeOutcome::Alone(Outcome::Completed(millis(DELAY)))]);

    handle.send_error("closed for good");
    assert_eq!(assert_ready_err!(service.poll_ready()).to_string(), "closed for good");
}

#[tokio::test(start_paused = true)]
async fn a_panic_surfaces_and_leaves_the_layer_usable() {
    let scene = Scene::new([
        Line::Panic(0),
        Line::Hang,
        Line::Panic(5),
        Line::Hang,
        Line::PanicWhenCalled,
        Line::Answer(1),
    ]);
    for said in ["in the future", "in the future", "in the call"] {
        let panicked = tokio::spawn(scene.service().oneshot("hello")).await.unwrap_err();
        assert_eq!(*panicked.into_panic().downcast::<&str>().unwrap(), said);
    }
    assert_eq!(scene.service().oneshot("hello").await.unwrap(), 5);
    scene.assert_learned(&[
        HedgeOutcome::Alone(Outcome::Cancelled(Duration::ZERO)),
        HedgeOutcome::Cancelled { primary: millis(15), backup: millis(5) },
        HedgeOutcome::Cancelled { primary: millis(10), backup: Duration::ZERO },
        HedgeOutcome::Alone(Outcome::Completed(millis(1))),
    ]);
}
