//! When retries are paid for, and when they are not, on tokio's paused clock.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/idempotent.rs"]
mod idempotent;
#[path = "support/retrying.rs"]
mod retrying;
#[path = "support/script.rs"]
mod script;

use alloc::sync::Arc;
use core::{
    future::{Future as _, Ready, ready},
    pin::pin,
    task::{Context, Poll},
};

use idempotent::Idempotent;
use retrying::{backoff, budget, millis, played_from};
use script::{Line, Script};
use surmise_timeout::{Ratio, sync::AtomicRetryBudget};
use surmise_tower::{Policy, RetryLayer, RetryService};
use tokio::time::{Instant, advance, timeout};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock;

fn layer(budget: &Arc<AtomicRetryBudget>) -> RetryLayer<Idempotent> {
    RetryLayer::new(backoff(), 3, Arc::clone(budget), Idempotent::default())
}

#[tokio::test(start_paused = true)]
async fn tries_stop_when_the_budget_is_exhausted() {
    let (script, budget) = (Script::new([Line::Fail(1); 5]), budget(Ratio::ZERO, 2));
    let service = layer(&budget).layer(script.clone());
    // The first takes both tokens, and the second has to do without.
    service.clone().oneshot("hello").await.unwrap_err();
    service.oneshot("hello").await.unwrap_err();
    assert_eq!(script.played(), played_from(&[0, 101, 302, 303]));
}

#[tokio::test(start_paused = true)]
async fn a_request_pays_in_once_however_often_it_is_tried() {
    let (script, budget) = (Script::new([Line::Fail(1); 10]), budget(Ratio::from_percent(150), 0));
    let layer = layer(&budget);
    // 1.5 tokens allow for one retry, and what is left and another 1.5 for two.
    for (tries, tokens) in [(2, 0), (3, 0), (2, 0), (3, 0)] {
        let before = script.played().len();
        layer.layer(script.clone()).oneshot("hello").await.unwrap_err();
        assert_eq!((script.played().len() - before, budget.available()), (tries, tokens));
    }
}

/// Whoever waits is not denied in the end.
#[tokio::test(start_paused = true)]
async fn a_retry_that_waits_has_its_token() {
    let (script, budget) = (Script::new([Line::Fail(0), Line::Answer(0)]), budget(Ratio::ZERO, 1));
    let mut service = layer(&budget).layer(script);
    let mut response = task::spawn(service.ready().await.unwrap().call("hello"));
    assert_pending!(response.poll());
    // A hedge comes too late for it.
    assert!(budget.withdraw().is_err());
    advance(millis(100)).await;
    assert_eq!(assert_ready_ok!(response.poll()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_sent_costs_a_token_however_it_ends() {
    for line in [Line::Answer(1), Line::Fail(1), Line::Hang, Line::Panic(1), Line::PanicWhenCalled]
    {
        let (script, budget) = (Script::new([Line::Fail(0), line]), budget(Ratio::ZERO, 1));
        let response = layer(&budget).layer(script).oneshot("hello");
        let _ = tokio::spawn(timeout(millis(200), response)).await;
        assert_eq!(budget.available(), 0, "{line:?}");
    }
}

/// Only those who are in a hurry have a deadline.
#[derive(Clone)]
struct HurriedUntil(Instant);

impl Policy<&'static str, usize> for HurriedUntil {
    fn clone_request(&self, request: &&'static str) -> Option<&'static str> {
        Some(*request)
    }

    fn deadline(&self, request: &&'static str) -> Option<Instant> {
        (*request == "hurry").then_some(self.0)
    }
}

/// How a retry comes not to be sent.
#[derive(Clone, Copy, Debug)]
enum Unsent {
    Dropped { after: u64 },
    NotReadyInTime,
    BrokenDown,
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_never_sent_costs_nothing() {
    for unsent in [
        Unsent::Dropped { after: 0 },
        Unsent::Dropped { after: 99 },
        // The service is not ready.
        Unsent::Dropped { after: 100 },
        Unsent::Dropped { after: 499 },
        Unsent::NotReadyInTime,
        Unsent::BrokenDown,
    ] {
        let (budget, policy) = (budget(Ratio::ZERO, 1), HurriedUntil(Instant::now() + millis(500)));
        let layer = RetryLayer::new(backoff(), 3, Arc::clone(&budget), policy);
        let (mut service, mut handle) = mock::spawn_layer::<_, usize, _>(layer.clone());
        handle.allow(1);
        assert_ready_ok!(service.poll_ready());
        let mut response = task::spawn(service.call("hurry"));
        handle.next_request().await.unwrap().1.send_error("busy");
        assert_pending!(response.poll());
        match unsent {
            Unsent::Dropped { after } => {
                advance(millis(after)).await;
                assert_pending!(response.poll());
                drop(response);
            }
            Unsent::NotReadyInTime => {
                advance(millis(100)).await;
                assert_pending!(response.poll());
                advance(millis(400)).await;
                assert_eq!(assert_ready_err!(response.poll()).to_string(), "busy");
            }
            Unsent::BrokenDown => {
                handle.send_error("closed");
                advance(millis(100)).await;
                assert_eq!(assert_ready_err!(response.poll()).to_string(), "closed");
            }
        }
        assert_eq!(budget.available(), 1, "{unsent:?}");
        // And another may have the token.
        let another = layer.layer(Script::new([Line::Fail(0), Line::Answer(0)]));
        assert_eq!(another.oneshot("hello").await.unwrap(), 1, "{unsent:?}");
        assert_eq!(budget.available(), 0, "{unsent:?}");
    }
}

/// Else those who are too late, as in an overload most are, would pay for the retries of the others.
#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_late_pays_nothing_in() {
    let (budget, policy) = (budget(Ratio::ONE, 0), HurriedUntil(Instant::now() + millis(10)));
    let layer = RetryLayer::new(backoff(), 3, Arc::clone(&budget), policy);
    let call = || layer.layer(Script::new([Line::Answer(0)])).oneshot("hurry");
    advance(millis(9)).await;
    call().await.unwrap();
    assert_eq!(budget.available(), 1);
    advance(millis(1)).await;
    call().await.unwrap();
    assert_eq!(budget.available(), 1);
}

/// Asked whether it is ready again, it takes longer than until the deadline, and no timer fires meanwhile.
#[derive(Clone)]
struct SlowlyReady;

impl Service<&'static str> for SlowlyReady {
    type Response = usize;
    type Error = &'static str;
    type Future = Ready<Result<usize, &'static str>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        let _ = pin!(advance(millis(600))).poll(context);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: &'static str) -> Self::Future {
        ready(Err("busy"))
    }
}

#[tokio::test(start_paused = true)]
async fn no_retry_is_sent_after_the_deadline_though_no_timer_fired() {
    let (budget, policy) = (budget(Ratio::ZERO, 1), HurriedUntil(Instant::now() + millis(500)));
    let layer = RetryLayer::new(backoff(), 3, Arc::clone(&budget), policy);
    assert_eq!(layer.layer(SlowlyReady).call("hurry").await.unwrap_err().to_string(), "busy");
    assert_eq!(budget.available(), 1);
}

/// Those who cannot be helped learn it at once, and not after a delay.
#[tokio::test(start_paused = true)]
async fn no_more_requests_wait_than_there_are_tokens_for() {
    let (script, budget) = (Script::new([Line::Fail(0); 8]), budget(Ratio::ZERO, 2));
    let layer = layer(&budget);
    // Clones of a layer count together.
    let services = [layer.layer(script.clone()), layer.clone().layer(script)];
    let mut responses = [0, 1, 0, 1].map(|nth| {
        let service: &RetryService<_, _> = &services[nth];
        task::spawn(service.clone().oneshot("hello"))
    });
    let waiting = responses.each_mut().map(|response| response.poll().is_pending());
    assert_eq!(waiting, [true, true, false, false]);
    // The retries fail as well, and the third ones are denied.
    advance(millis(100)).await;
    for response in &mut responses[..2] {
        assert_ready_err!(response.poll());
    }
    assert_eq!(budget.available(), 0);
}

/// The clone that was found ready may hold a place that others wait for.
#[tokio::test(start_paused = true)]
async fn nothing_of_a_retry_that_is_not_sent_outlasts_the_result() {
    let (inner, budget) = (Arc::new(()), budget(Ratio::ZERO, 1));
    let (layer, held) = (layer(&budget), Arc::clone(&inner));
    let service = service_fn(move |_| {
        let _held = &held;
        ready(Err::<usize, _>("busy"))
    });
    let mut response = task::spawn(layer.layer(service).call("hello"));
    assert_pending!(response.poll());
    assert_eq!(Arc::strong_count(&inner), 2);
    // The retry takes the only token, and fails as well.
    advance(millis(100)).await;
    assert_ready_err!(response.poll());
    assert_eq!((Arc::strong_count(&inner), budget.available()), (1, 0));
}
