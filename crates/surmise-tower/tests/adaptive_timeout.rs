//! Calls that are answered, given up, dropped, refused or panic, on tokio's paused clock.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/script.rs"]
mod script;

use alloc::sync::Arc;
use core::time::Duration;

use script::{End, Line, Played, Script};
use surmise_timeout::{
    AdaptiveTimeoutConfig, Outcome, Quantile, Ratio, sync::SharedAdaptiveTimeout,
};
use surmise_tower::{AdaptiveTimeoutLayer, BoxError, Elapsed, Limit, Policy};
use tokio::time::{Instant, advance};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock;

/// The timeout of a layer to begin with.
const TIMEOUT: u64 = 100;

/// With an answer that took a millisecond or less, it becomes the timeout.
const PRIOR: u64 = 101;

const CEILING: u64 = 1000;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn config() -> AdaptiveTimeoutConfig {
    AdaptiveTimeoutConfig {
        exploring: Ratio::ZERO,
        prior: millis(PRIOR),
        ..AdaptiveTimeoutConfig::of(Quantile::P99, millis(1), millis(CEILING))
    }
}

/// Returns a timeout that knows of an answer which took no time. To one that knows of none, or of longer ones only, it
/// is no news that a call was cancelled.
fn new_timeout() -> SharedAdaptiveTimeout {
    let timeout = SharedAdaptiveTimeout::new(config()).unwrap();
    timeout.record(Outcome::Completed(Duration::ZERO));
    assert_eq!(timeout.current(), millis(TIMEOUT));
    timeout
}

fn layer() -> AdaptiveTimeoutLayer {
    AdaptiveTimeoutLayer::new(Arc::new(new_timeout()))
}

/// Asserts that a timeout took in these outcomes and no others, as far as it tells them apart.
#[track_caller]
fn assert_learned<P>(layer: &AdaptiveTimeoutLayer<P>, outcomes: &[Outcome]) {
    let expected = new_timeout();
    for &outcome in outcomes {
        expected.record(outcome);
    }
    let same = format!("{:?}", layer.timeout()) == format!("{expected:?}");
    assert!(same, "expected {outcomes:?}, got {:?}", layer.timeout());
}

fn elapsed(error: &BoxError) -> Elapsed {
    *error.downcast_ref().expect("the error is that it was given up")
}

fn after(error: &BoxError) -> Duration {
    elapsed(error).after
}

/// Whoever is to judge the other tests must be able to tell outcomes apart.
#[test]
fn what_was_learned_can_be_told_apart() {
    let outcomes = [
        Outcome::FailedFast,
        Outcome::Completed(millis(TIMEOUT)),
        Outcome::Cancelled(millis(TIMEOUT)),
        Outcome::TimedOut(millis(TIMEOUT)),
        Outcome::Cancelled(millis(TIMEOUT / 2)),
        Outcome::Cancelled(Duration::ZERO),
    ];
    let learned = outcomes.map(|outcome| {
        let timeout = new_timeout();
        timeout.record(outcome);
        format!("{timeout:?}")
    });
    for (nth, one) in learned.iter().enumerate() {
        assert!(!learned[..nth].contains(one), "{:?}", outcomes[nth]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_passed_on_and_recorded() {
    let (layer, script) = (layer(), Script::new([Line::Answer(20)]));
    assert_eq!(layer.layer(script.clone()).oneshot("hello").await.unwrap(), 0);
    assert_eq!(script.played(), [Played { from: 0, end: End::At(20) }]);
    assert_learned(&layer, &[Outcome::Completed(millis(20))]);
}

/// The prior is blended out, so that the second timeout is no longer the ceiling.
#[tokio::test(start_paused = true)]
async fn a_call_is_given_up_at_the_timeout_and_cancelled_by_then() {
    let (layer, script) = (layer(), Script::new([Line::Answer(20), Line::Hang]));
    let mut service = layer.layer(script.clone());
    service.ready().await.unwrap().call("hello").await.unwrap();
    let current = layer.timeout().current();
    assert!(current < millis(TIMEOUT), "{current:?}");

    let mut response = Box::pin(service.ready().await.unwrap().call("hello"));
    let error = response.as_mut().await.unwrap_err();
    assert_eq!(after(&error), current);
    assert_eq!(error.to_string(), format!("the call was given up after {current:?}"));
    // Although its future is still there. Tokio's timers end at whole milliseconds.
    let end = 20 + u64::try_from(current.as_nanos().div_ceil(1_000_000)).unwrap();
    assert_eq!(script.played()[1], Played { from: 20, end: End::Dropped(end) });
    let outcomes = [Outcome::Completed(millis(20)), Outcome::TimedOut(current)];
    assert_learned(&layer, &outcomes);
    // Once, whatever else is done to it.
    response.as_mut().await.unwrap_err();
    drop(response);
    assert_learned(&layer, &outcomes);
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_timeout_is_in_time() {
    for (answers, in_time) in [(TIMEOUT, true), (TIMEOUT + 1, false)] {
        let script = Script::new([Line::Answer(answers)]);
        let result = layer().layer(script).oneshot("hello").await;
        assert_eq!(result.is_ok(), in_time, "{answers} ms: {result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_at_any_time_is_recorded_as_cancelled() {
    for waited in 0..TIMEOUT {
        let (layer, script) = (layer(), Script::new([Line::Hang]));
        let mut service = layer.layer(script.clone());
        let mut response = task::spawn(service.ready().await.unwrap().call("hello"));
        // Some are dropped without ever having been polled.
        for _ in 0..waited {
            assert_pending!(response.poll());
            advance(millis(1)).await;
        }
        drop(response);
        assert_eq!(script.played(), [Played { from: 0, end: End::Dropped(waited) }]);
        assert_learned(&layer, &[Outcome::Cancelled(millis(waited))]);
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_asks_after_is_cancelled_however_long_it_took() {
    let (layer, script) = (layer(), Script::new([Line::Hang]));
    let mut service = layer.layer(script);
    let response = service.ready().await.unwrap().call("hello");
    advance(millis(TIMEOUT + 50)).await;
    drop(response);
    assert_learned(&layer, &[Outcome::Cancelled(millis(TIMEOUT + 50))]);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_passed_on_and_an_answer_would_have_taken_longer() {
    let (layer, script) = (layer(), Script::new([Line::Fail(20)]));
    let error = layer.layer(script).oneshot("hello").await.unwrap_err();
    assert_eq!(error.to_string(), "as scripted");
    assert_learned(&layer, &[Outcome::Cancelled(millis(20))]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_says_what_a_result_means() {
    #[derive(Clone)]
    struct Refusals;

    impl Policy<&'static str, usize> for Refusals {
        fn outcome(&self, result: &Result<usize, BoxError>, took: Duration) -> Outcome {
            match result {
                Ok(_) => Outcome::FailedFast,
                Err(_) => Outcome::Completed(took),
            }
        }
    }

    let layer = layer().policy(Refusals);
    let script = Script::new([Line::Answer(20), Line::Fail(30)]);
    let mut service = layer.layer(script);
    service.ready().await.unwrap().call("hello").await.unwrap();
    assert_learned(&layer, &[]);
    service.oneshot("hello").await.unwrap_err();
    assert_learned(&layer, &[Outcome::Completed(millis(30))]);
}

/// Takes the milliseconds since the beginning as the request.
#[derive(Clone)]
struct Until(Instant);

impl Policy<&'static str, usize> for Until {
    fn deadline(&self, request: &&'static str) -> Option<Instant> {
        request.parse().ok().map(|deadline| self.0 + millis(deadline))
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_beyond_the_caller_s_deadline() {
    let until = Until(Instant::now());
    for (deadline, waits, limit, outcome) in [
        ("0", 0, Limit::Deadline, None),
        ("1", 1, Limit::Deadline, Some(Outcome::Cancelled(millis(1)))),
        ("99", 99, Limit::Deadline, Some(Outcome::Cancelled(millis(99)))),
        ("100", 100, Limit::Timeout, Some(Outcome::TimedOut(millis(TIMEOUT)))),
        ("101", 100, Limit::Timeout, Some(Outcome::TimedOut(millis(TIMEOUT)))),
        ("none", 100, Limit::Timeout, Some(Outcome::TimedOut(millis(TIMEOUT)))),
    ] {
        let began = Instant::now();
        let (layer, script) = (layer().policy(Until(began)), Script::new([Line::Hang]));
        let error = layer.layer(script.clone()).oneshot(deadline).await.unwrap_err();
        assert_eq!((after(&error), began.elapsed()), (millis(waits), millis(waits)), "{deadline}");
        assert_eq!(elapsed(&error).limit, limit, "{deadline}");
        // A call that is too late is not made.
        assert_eq!(script.played().len(), usize::from(waits > 0));
        assert_learned(&layer, outcome.as_slice());
    }
    // Nor is one whose time was over long ago, nor does it matter whether anybody hears of that.
    let (layer, script) = (layer().policy(until), Script::new([]));
    let mut service = layer.layer(script);
    let error = service.ready().await.unwrap().call("5").await.unwrap_err();
    assert_eq!(after(&error), Duration::ZERO);
    drop(service.ready().await.unwrap().call("5"));
    assert_learned(&layer, &[]);
}

#[tokio::test(start_paused = true)]
async fn an_error_says_whose_time_was_over() {
    for (deadline, text) in [
        ("0", "the call was not made, since its caller's deadline had passed"),
        ("99", "the call was given up after 99ms, at its caller's deadline"),
        ("100", "the call was given up after 100ms"),
    ] {
        let layer = layer().policy(Until(Instant::now()));
        let script = Script::new([Line::Hang]);
        let error = layer.layer(script).oneshot(deadline).await.unwrap_err();
        assert_eq!(error.to_string(), text);
    }
}

/// The timeout fell below the caller's time while the call was under way, and does not grow on its account.
#[tokio::test(start_paused = true)]
async fn that_a_caller_is_in_a_hurry_does_not_make_the_timeout_too_short() {
    let timeout = Arc::new(SharedAdaptiveTimeout::new(config()).unwrap());
    let layer = AdaptiveTimeoutLayer::new(Arc::clone(&timeout)).policy(Until(Instant::now()));
    let mut service = layer.layer(Script::new([Line::Hang]));
    let response = service.ready().await.unwrap().call("99");
    for _ in 0..50 {
        timeout.record(Outcome::Completed(millis(1)));
    }
    timeout.record(Outcome::Cancelled(millis(20)));
    let fallen = timeout.current();
    assert!(fallen < millis(60), "{fallen:?}");
    assert_eq!(after(&response.await.unwrap_err()), millis(99));
    assert_eq!(timeout.current(), fallen);
}

#[tokio::test(start_paused = true)]
async fn calls_that_explore_wait_until_the_ceiling() {
    for (exploring, waits) in [(Ratio::ONE, CEILING), (Ratio::ZERO, 2)] {
        let config = AdaptiveTimeoutConfig { exploring, prior: millis(2), ..config() };
        let timeout = Arc::new(SharedAdaptiveTimeout::new(config).unwrap());
        let layer = AdaptiveTimeoutLayer::new(timeout);
        let error = layer.layer(Script::new([Line::Hang])).oneshot("hello").await.unwrap_err();
        assert_eq!(after(&error), millis(waits));
    }
}

#[tokio::test(start_paused = true)]
async fn random_numbers_are_drawn_for_each_call() {
    let exploring = Ratio::from_percent(50);
    let config = AdaptiveTimeoutConfig { exploring, prior: millis(2), ..config() };
    let timeout = Arc::new(SharedAdaptiveTimeout::new(config).unwrap());
    let service = AdaptiveTimeoutLayer::new(timeout).layer(Script::new([Line::Hang; 200]));
    let mut explorers = 0;
    for _ in 0..200 {
        // Dropped at once, so that nothing is learned.
        let mut service = service.clone();
        let response = format!("{:?}", service.ready().await.unwrap().call("hello"));
        explorers += usize::from(response.contains("wait: 1s"));
    }
    // Binomial: that far from 100 are seven standard deviations.
    assert!((50..=150).contains(&explorers), "{explorers}");
}

#[tokio::test(start_paused = true)]
async fn clones_share_what_they_learn() {
    let builder = AdaptiveTimeoutLayer::p99().ceiling(millis(100));
    let layer = builder.clone().build();
    let script = Script::new([Line::Answer(3); 3]);
    let services =
        [builder.layer(script.clone()), builder.clone().layer(script.clone()), layer.layer(script)];
    let mut last = layer.timeout().current();
    for service in services {
        service.oneshot("hello").await.unwrap();
        assert!(layer.timeout().current() < last);
        last = layer.timeout().current();
    }
}

#[tokio::test(start_paused = true)]
async fn readiness_is_the_inner_service_s() {
    let (mut service, mut handle) = mock::spawn_layer::<_, usize, _>(layer());
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
    let mut response = task::spawn(service.call("hello"));
    assert_pending!(service.poll_ready());

    let (request, respond) = handle.next_request().await.unwrap();
    assert_eq!(request, "hello");
    respond.send_response(7);
    assert_eq!(assert_ready_ok!(response.poll()), 7);

    handle.send_error("closed for today");
    assert_eq!(assert_ready_err!(service.poll_ready()).to_string(), "closed for today");
}

#[tokio::test(start_paused = true)]
async fn a_panic_surfaces_and_leaves_the_layer_usable() {
    let (layer, script) = (
        layer(),
        Script::new([Line::Panic(0), Line::Panic(5), Line::PanicWhenCalled, Line::Answer(20)]),
    );
    let service = layer.layer(script.clone());
    for said in ["in the future", "in the future", "in the call"] {
        let panicked = tokio::spawn(service.clone().oneshot("hello")).await.unwrap_err();
        assert_eq!(*panicked.into_panic().downcast::<&str>().unwrap(), said);
    }
    assert_eq!(service.oneshot("hello").await.unwrap(), 3);
    assert_learned(
        &layer,
        &[
            Outcome::Cancelled(Duration::ZERO),
            Outcome::Cancelled(millis(5)),
            Outcome::Cancelled(Duration::ZERO),
            Outcome::Completed(millis(20)),
        ],
    );
}

/// It uses up what tokio allows a task at a time whenever it is polled, and timers count towards that.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_always_busy_is_given_up() {
    let busy = service_fn(async |_: &'static str| -> Result<(), BoxError> {
        loop {
            tokio::task::consume_budget().await;
        }
    });
    let mut response = task::spawn(layer().layer(busy).oneshot("hello"));
    assert_pending!(response.poll());
    advance(millis(TIMEOUT - 1)).await;
    assert_pending!(response.poll());
    advance(millis(1)).await;
    assert!(assert_ready_err!(response.poll()).is::<Elapsed>());
}
