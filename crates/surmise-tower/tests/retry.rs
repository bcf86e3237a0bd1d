//! Requests that are tried again, or are not, on tokio's paused clock.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/always.rs"]
mod always;
#[path = "support/idempotent.rs"]
mod idempotent;
#[path = "support/retrying.rs"]
mod retrying;
#[path = "support/script.rs"]
mod script;

use alloc::sync::Arc;
use core::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use always::Always;
use idempotent::Idempotent;
use retrying::{backoff, budget, millis, played_from};
use script::{End, Line, Played, Script};
use surmise_timeout::{Ratio, backoff::Backoff};
use surmise_tower::{DefaultPolicy, Judgement, Policy, RetryLayer};
use tokio::time::{Instant, advance};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt};
use tower_test::mock;

fn layer<P>(policy: P) -> RetryLayer<P> {
    RetryLayer::new(backoff(), 3, budget(Ratio::ZERO, 10), policy)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_passed_on() {
    let script = Script::new([Line::Answer(1)]);
    let service = layer(Idempotent::default()).layer(script.clone());
    assert_eq!(service.oneshot("hello").await.unwrap(), 0);
    assert_eq!(script.played(), played_from(&[0]));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_tried_again_after_each_delay_until_it_is_answered() {
    let script = Script::new([Line::Fail(1), Line::Fail(1), Line::Answer(1)]);
    let service = layer(Idempotent::default()).layer(script.clone());
    assert_eq!(service.oneshot("hello").await.unwrap(), 2);
    assert_eq!(script.played(), played_from(&[0, 101, 302]));
}

#[tokio::test(start_paused = true)]
async fn tries_stop_at_their_number() {
    for (max_retries, times) in
        [(0, [0].as_slice()), (1, &[0, 101]), (2, &[0, 101, 302]), (3, &[0, 101, 302, 703])]
    {
        let (script, budget) = (Script::new([Line::Fail(1); 5]), budget(Ratio::ZERO, 10));
        let layer =
            RetryLayer::new(backoff(), max_retries, Arc::clone(&budget), Idempotent::default());
        let error = layer.layer(script.clone()).oneshot("hello").await.unwrap_err();
        assert_eq!(error.to_string(), "as scripted");
        assert_eq!(script.played(), played_from(times));
        assert_eq!(budget.available(), 10 - max_retries);
    }
}

#[tokio::test(start_paused = true)]
async fn no_retry_begins_at_the_deadline_or_later() {
    // The second retry would begin after 302 ms.
    for (deadline, times) in
        [(101, [0].as_slice()), (102, &[0, 101]), (302, &[0, 101]), (303, &[0, 101, 302])]
    {
        let script = Script::new([Line::Fail(1); 5]);
        let policy = Idempotent { deadline: Some(Instant::now() + millis(deadline)) };
        layer(policy).layer(script.clone()).oneshot("hello").await.unwrap_err();
        assert_eq!(script.played(), played_from(times), "{deadline} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_service_asks_for_is_the_least_delay() {
    for (retry_after, times) in [(0, [0, 101]), (100, [0, 101]), (20_000, [0, 20_001])] {
        let script = Script::new([Line::Answer(1); 2]);
        let policy = Always(Judgement::RetryAfter(millis(retry_after)));
        let layer = RetryLayer::new(backoff(), 1, budget(Ratio::ZERO, 10), policy);
        assert_eq!(layer.layer(script.clone()).oneshot("hello").await.unwrap(), 1);
        assert_eq!(script.played(), played_from(&times));
    }
}

/// A year is what a deadline would have to prevent otherwise.
#[tokio::test(start_paused = true)]
async fn a_service_that_asks_for_more_than_the_limit_is_not_asked_again() {
    const YEAR: u64 = 31_536_000_000;
    for (limit, retry_after, is_tried) in [
        (None, 60_000, true),
        (None, 60_001, false),
        (None, YEAR, false),
        (Some(millis(5000)), 5000, true),
        (Some(millis(5000)), 5001, false),
        // It may be asked at once, but the backoff lets it alone.
        (Some(Duration::ZERO), 0, true),
        (Some(Duration::ZERO), 1, false),
        (Some(Duration::MAX), YEAR, true),
    ] {
        let (began, budget) = (Instant::now(), budget(Ratio::ZERO, 10));
        let script = Script::new([Line::Answer(1); 2]);
        let policy = Always(Judgement::RetryAfter(millis(retry_after)));
        let mut layer = RetryLayer::new(backoff(), 1, Arc::clone(&budget), policy);
        if let Some(limit) = limit {
            layer = layer.max_retry_after(limit);
        }
        // Which of the two answers it was.
        let answer = layer.layer(script.clone()).oneshot("hello").await.unwrap();
        assert_eq!(answer, usize::from(is_tried), "{limit:?}, {retry_after} ms");
        assert_eq!(budget.available(), if is_tried { 9 } else { 10 });
        if !is_tried {
            assert_eq!(began.elapsed(), millis(1), "the caller need not wait for it");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_asks_for_more_than_the_limit_is_passed_on() {
    let script = Script::new([Line::Fail(1)]);
    let service = layer(Always(Judgement::RetryAfter(millis(60_001)))).layer(script.clone());
    assert_eq!(service.oneshot("hello").await.unwrap_err().to_string(), "as scripted");
    assert_eq!(script.played(), played_from(&[0]));
}

#[tokio::test(start_paused = true)]
async fn delays_are_random() {
    let jitter = Backoff::aws();
    let mut times = Vec::new();
    for _ in 0..20 {
        let script = Script::new([Line::Fail(0), Line::Answer(0)]);
        let layer = RetryLayer::new(jitter, 1, budget(Ratio::ZERO, 1), Idempotent::default());
        layer.layer(script.clone()).oneshot("hello").await.unwrap();
        times.push(script.played()[1].from);
    }
    assert!(times.iter().all(|&time| time <= 1000), "{times:?}");
    times.sort_unstable();
    times.dedup();
    // Of 20 days of a thousand, hardly ever that many are the same.
    assert!(times.len() > 10, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_judged_good_or_hopeless_is_not_tried_again() {
    let script = Script::new([Line::Fail(1)]);
    layer(Always(Judgement::Keep)).layer(script.clone()).oneshot("hello").await.unwrap_err();
    assert_eq!(script.played(), played_from(&[0]));
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_sent_twice_is_not_tried_again() {
    let script = Script::new([Line::Fail(1)]);
    layer(DefaultPolicy).layer(script.clone()).oneshot("hello").await.unwrap_err();
    assert_eq!(script.played(), played_from(&[0]));
}

#[tokio::test(start_paused = true)]
async fn a_request_is_copied_as_often_as_it_may_be_sent_again() {
    #[derive(Clone)]
    struct Counting(Arc<AtomicU32>);

    impl Policy<&'static str, usize> for Counting {
        fn clone_request(&self, request: &&'static str) -> Option<&'static str> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Some(*request)
        }
    }

    for max_retries in 0..4 {
        let copies = Arc::new(AtomicU32::new(0));
        let policy = Counting(Arc::clone(&copies));
        let layer = RetryLayer::new(backoff(), max_retries, budget(Ratio::ZERO, 10), policy);
        layer.layer(Script::new([Line::Fail(1); 4])).oneshot("hello").await.unwrap_err();
        assert_eq!(copies.load(Ordering::Relaxed), max_retries);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_is_not_tried_again() {
    for waited in 0..120 {
        let script = Script::new([Line::Fail(1), Line::Hang]);
        let mut service = layer(Idempotent::default()).layer(script.clone());
        let mut response = task::spawn(service.ready().await.unwrap().call("hello"));
        for _ in 0..waited {
            assert_pending!(response.poll());
            advance(millis(1)).await;
        }
        drop(response);
        // What is polled at the end of the first millisecond sees it fail.
        let mut played = match waited {
            0 | 1 => vec![Played { from: 0, end: End::Dropped(waited) }],
            _ => played_from(&[0]),
        };
        if waited > 101 {
            played.push(Played { from: 101, end: End::Dropped(waited) });
        }
        assert_eq!(script.played(), played, "dropped after {waited} ms");
        advance(millis(1000)).await;
        assert_eq!(script.played(), played, "dropped after {waited} ms");
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_service_is_ready_before_each_try() {
    let (mut service, mut handle) = mock::spawn_layer::<_, usize, _>(layer(Idempotent::default()));
    handle.allow(0);
    assert_pending!(service.poll_ready());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());

    let mut response = task::spawn(service.call("hello"));
    handle.next_request().await.unwrap().1.send_error("again");
    assert_pending!(response.poll());
    advance(millis(100)).await;
    assert!(response.is_woken());
    // The delay is over, but there is no room.
    assert_pending!(response.poll());
    assert_pending!(handle.poll_request());
    advance(millis(10_000)).await;
    assert_pending!(response.poll());
    handle.allow(1);
    assert!(response.is_woken());
    assert_pending!(response.poll());
    handle.next_request().await.unwrap().1.send_response(7);
    assert_eq!(assert_ready_ok!(response.poll()), 7);
}

#[tokio::test(start_paused = true)]
async fn readiness_is_waited_for_until_the_deadline() {
    let policy = Idempotent { deadline: Some(Instant::now() + millis(500)) };
    let (mut service, mut handle) = mock::spawn_layer::<_, usize, _>(layer(policy));
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut response = task::spawn(service.call("hello"));
    handle.next_request().await.unwrap().1.send_error("busy");
    assert_pending!(response.poll());
    advance(millis(499)).await;
    assert_pending!(response.poll());
    advance(millis(1)).await;
    assert!(response.is_woken());
    assert_eq!(assert_ready_err!(response.poll()).to_string(), "busy");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_breaks_down_meanwhile_says_so() {
    let (mut service, mut handle) = mock::spawn_layer::<_, usize, _>(layer(Idempotent::default()));
    assert_ready_ok!(service.poll_ready());
    let mut response = task::spawn(service.call("hello"));
    handle.next_request().await.unwrap().1.send_error("again");
    assert_pending!(response.poll());
    handle.send_error("closed for today");
    advance(millis(100)).await;
    assert_eq!(assert_ready_err!(response.poll()).to_string(), "closed for today");
    handle.send_error("closed for good");
    assert_eq!(assert_ready_err!(service.poll_ready()).to_string(), "closed for good");
}

#[tokio::test(start_paused = true)]
async fn a_panic_surfaces_and_leaves_the_layer_usable() {
    let lines = [Line::Panic(0), Line::Fail(1), Line::PanicWhenCalled, Line::Answer(1)];
    let service = layer(Idempotent::default()).layer(Script::new(lines));
    for said in ["in the future", "in the call"] {
        let panicked = tokio::spawn(service.clone().oneshot("hello")).await.unwrap_err();
        assert_eq!(*panicked.into_panic().downcast::<&str>().unwrap(), said);
    }
    assert_eq!(service.oneshot("hello").await.unwrap(), 3);
}
