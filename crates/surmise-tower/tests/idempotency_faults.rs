//! Handlers that die, leases that end, and stores that fail. Time is tokio's, and stands still but where a test waits.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/ask.rs"]
mod ask;
#[path = "support/faulty.rs"]
mod faulty;
#[path = "support/once.rs"]
mod once;

use alloc::sync::Arc;
use core::{
    convert::Infallible,
    future::pending,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use ask::{ask, post};
use axum::{
    Extension, Router,
    body::Body,
    http::{Request, Response, StatusCode},
    routing::any,
};
use faulty::{Claims, Faulty, Settles};
use once::{Answer, memory};
use surmise_store::IdempotencyStore;
use surmise_tower::idempotency::{Execution, IdempotencyLayer};
use tokio::time::{Instant, advance};
use tower::{Layer as _, ServiceExt as _, service_fn};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than a lease.
const MINUTE: Duration = Duration::from_secs(60);

/// What the first execution does; later ones answer with which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Answers,
    Panics,
    Takes(Duration),
}

fn app<S: IdempotencyStore + 'static>(layer: &IdempotencyLayer<S>, first: First) -> Router {
    let count = Arc::new(AtomicUsize::new(0));
    let handler = async move |Extension(execution): Extension<Execution>| {
        let nth = count.fetch_add(1, Ordering::Relaxed) + 1;
        match first {
            First::Panics if nth == 1 => panic!("as told"),
            First::Takes(time) if nth == 1 => tokio::time::sleep(time).await,
            _ => {}
        }
        let how = if execution.is_recovery() { " recovers" } else { "" };
        format!("{nth}{how}")
    };
    Router::new().fallback(any(handler)).layer(layer.clone())
}

/// Asks in a task, and returns when it waits for something.
async fn begin(app: &Router) -> tokio::task::JoinHandle<Answer> {
    let app = app.clone();
    let asking = tokio::spawn(async move { ask(&app, post("/", "a", "")).await });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    asking
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_for_as_long_as_the_handler_runs() {
    let store = Arc::new(Faulty::new(memory()));
    let layer = IdempotencyLayer::single_tenant(Arc::clone(&store));
    let app = app(&layer, First::Takes(20 * MINUTE));
    // The first renewal fails, and the second is in time.
    store.let_settles(Settles::Fail, 1);
    let first = begin(&app).await;
    for _ in 0..170 {
        tokio::time::sleep(7 * SECOND).await;
        let answer = ask(&app, post("/", "a", "")).await;
        assert_eq!(answer.problem(), (409, "idempotency-key-in-flight"));
    }
    assert_eq!(first.await.unwrap().body, "1");
    assert!(ask(&app, post("/", "a", "")).await.is_replayed());
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_beside_a_handler_that_is_always_busy() {
    let is_over = Arc::new(AtomicBool::new(false));
    let is_asked_to_end = Arc::clone(&is_over);
    let handler = async move || {
        while !is_asked_to_end.load(Ordering::Relaxed) {
            tokio::task::consume_budget().await;
        }
        "done"
    };
    let layer = IdempotencyLayer::single_tenant(memory());
    let app = Router::new().fallback(any(handler)).layer(layer);
    let first = begin(&app).await;
    for _ in 0..20 {
        advance(7 * SECOND).await;
        // Timers are looked at now and then where there is always something else to do.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let answer = ask(&app, post("/", "a", "")).await;
        assert_eq!(answer.problem(), (409, "idempotency-key-in-flight"));
    }
    is_over.store(true, Ordering::Relaxed);
    assert_eq!(first.await.unwrap().body, "done");
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_a_handler_that_panicked_is_unknown_for_the_retention() {
    let app = app(&IdempotencyLayer::single_tenant(memory()), First::Panics);
    assert!(begin(&app).await.await.unwrap_err().is_panic());
    let answer = ask(&app, post("/", "a", "")).await;
    assert_eq!(answer.problem(), (409, "idempotency-key-in-flight"));
    advance(30 * SECOND).await;
    for _ in 0..3 {
        let answer = ask(&app, post("/", "a", "")).await;
        assert_eq!(answer.problem(), (409, "idempotency-outcome-unknown"));
        // It is not what the handler answered.
        assert!(!answer.is_replayed());
        advance(11 * 60 * MINUTE).await;
    }
    assert_eq!(ask(&app, post("/", "a", "")).await.body, "2");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_without_a_response_leaves_an_unknown_outcome() {
    let failing = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>("broken"));
    let service = IdempotencyLayer::single_tenant(memory()).layer(failing);
    let answer = service.clone().oneshot(post("/", "a", "")).await;
    assert_eq!(answer.unwrap_err(), "broken");
    advance(MINUTE).await;
    let answer = Answer::read(service.oneshot(post("/", "a", "")).await.unwrap()).await;
    assert_eq!(answer.problem(), (409, "idempotency-outcome-unknown"));
}

#[tokio::test(start_paused = true)]
async fn handlers_recover_from_their_checkpoints_if_they_are_asked_to() {
    let store = memory();
    let saving = Arc::clone(&store);
    let handler = async move |Extension(execution): Extension<Execution>| {
        let Some(checkpoint) = execution.ticket().checkpoint() else {
            let _ = saving.save(execution.ticket(), b"half-way").await.unwrap();
            return pending().await;
        };
        format!("{} {}", execution.is_recovery(), checkpoint.escape_ascii())
    };
    let layer = IdempotencyLayer::single_tenant(store).recover_by_executing();
    let service = layer.layer(service_fn(move |request: Request<Body>| {
        let execution = request.extensions().get::<Execution>().unwrap().clone();
        let handler = handler.clone();
        // A process that dies is as a call that is dropped.
        let dies = execution.ticket().checkpoint().is_none();
        async move {
            let died =
                async { if dies { tokio::time::sleep(SECOND).await } else { pending().await } };
            tokio::select! {
                answer = handler(Extension(execution)) => Ok(Response::new(Body::from(answer))),
                () = died => Err("died"),
            }
        }
    }));
    service.clone().oneshot(post("/", "a", "")).await.unwrap_err();
    advance(30 * SECOND).await;
    for is_replayed in [false, true] {
        let response = service.clone().oneshot(post("/", "a", "")).await.unwrap();
        let answer = Answer::read(response).await;
        assert_eq!((&answer.body[..], answer.is_replayed()), (&b"true half-way"[..], is_replayed));
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_given_up_answers_its_client_and_is_not_replayed() {
    let store = Arc::new(Faulty::new(memory()));
    // The store cannot be reached while the first executes: its lease ends.
    store.let_settles(Settles::Fail, 6);
    let layer = IdempotencyLayer::single_tenant(Arc::clone(&store)).recover_by_executing();
    let app = app(&layer, First::Takes(MINUTE));
    let first = begin(&app).await;
    tokio::time::sleep(30 * SECOND + SECOND / 2).await;
    store.let_settles(Settles::Work, 0);
    assert_eq!(ask(&app, post("/", "a", "")).await.body, "2 recovers");
    assert_eq!(first.await.unwrap().body, "1");
    let again = ask(&app, post("/", "a", "")).await;
    assert_eq!((&again.body[..], again.is_replayed()), (&b"2 recovers"[..], true));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_executed_without_the_store() {
    let store = Arc::new(Faulty::new(memory()));
    let app = app(&IdempotencyLayer::single_tenant(Arc::clone(&store)), First::Answers);
    for (claims, code) in [
        (&[Claims::Fail][..], "idempotency-store-unavailable"),
        (&[Claims::BeFull], "idempotency-store-full"),
        (&[Claims::Lose, Claims::Lose], "idempotency-store-unavailable"),
        (&[Claims::Lose, Claims::Fail], "idempotency-store-unavailable"),
    ] {
        store.let_claims(claims);
        assert_eq!(ask(&app, post("/", "a", "")).await.problem(), (503, code));
    }
    assert_eq!(ask(&app, post("/", "a", "")).await.body, "1");
    // A claim that was done, and whose reply was lost once, is none the worse.
    store.let_claims(&[Claims::WorkAndLose]);
    assert_eq!(ask(&app, post("/", "b", "")).await.body, "2");
}

#[tokio::test(start_paused = true)]
async fn what_was_granted_and_not_heard_of_is_given_back() {
    use Claims::{Fail, Lose, WorkAndLose};
    let store = Arc::new(Faulty::new(memory()));
    let layer = IdempotencyLayer::single_tenant(Arc::clone(&store));
    let app = app(&layer, First::Answers);
    for (nth, claims, release) in [
        (1, &[WorkAndLose, Lose][..], Settles::Work),
        (2, &[WorkAndLose, Fail], Settles::Work),
        (3, &[Lose, Lose], Settles::Work),
        (4, &[WorkAndLose, Lose, Fail, Lose, WorkAndLose], Settles::Work),
        (5, &[WorkAndLose, Lose], Settles::Fail),
        (6, &[WorkAndLose, Lose], Settles::WorkAndLose),
    ] {
        let request = || post("/", &nth.to_string(), "");
        store.let_claims(claims);
        store.let_settles(release, 1);
        let answer = ask(&app, request()).await;
        assert_eq!(answer.problem(), (503, "idempotency-store-unavailable"));
        layer.drained().await;
        assert_eq!(ask(&app, request()).await.body, nth.to_string());
    }
    // What is another's by then is left to it.
    store.let_claims(&[WorkAndLose, Lose]);
    assert_eq!(ask(&app, post("/", "7", "")).await.problem().0, 503);
    advance(31 * SECOND).await;
    assert_eq!(ask(&app, post("/", "7", "")).await.problem(), (409, "idempotency-outcome-unknown"));
}

#[tokio::test(start_paused = true)]
async fn a_handler_learns_that_another_took_over() {
    let store = Arc::new(Faulty::new(memory()));
    // The renewals that it gets are of no use.
    store.let_settles(Settles::Fail, 3);
    let ended = Arc::new(AtomicUsize::new(0));
    let ending = Arc::clone(&ended);
    let handler = async move |Extension(execution): Extension<Execution>| {
        if execution.is_recovery() {
            return pending().await;
        }
        assert!(!execution.is_fenced());
        execution.fenced().await;
        assert!(execution.is_fenced());
        ending.fetch_add(1, Ordering::Relaxed);
        "stopped"
    };
    let layer = IdempotencyLayer::single_tenant(Arc::clone(&store)).recover_by_executing();
    let app = Router::new().fallback(any(handler)).layer(layer);
    let first = begin(&app).await;
    advance(10 * SECOND).await;
    tokio::time::sleep(20 * SECOND + SECOND / 2).await;
    let _second = begin(&app).await;
    assert_eq!(ended.load(Ordering::Relaxed), 0);
    assert_eq!(first.await.unwrap().body, "stopped");
    assert_eq!(ended.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_released_recovery_is_told_to_the_next_execution() {
    let count = Arc::new(AtomicUsize::new(0));
    let handler = async move |Extension(execution): Extension<Execution>| {
        let is_recovery = execution.is_recovery();
        match count.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("as told"),
            1 => (StatusCode::TOO_MANY_REQUESTS, is_recovery.to_string()),
            _ => (StatusCode::OK, is_recovery.to_string()),
        }
    };
    let layer = IdempotencyLayer::single_tenant(memory()).recover_by_executing();
    let app = Router::new().fallback(any(handler)).layer(layer);
    assert!(begin(&app).await.await.unwrap_err().is_panic());
    advance(30 * SECOND).await;
    for status in [429, 200] {
        let answer = ask(&app, post("/", "a", "")).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (status, &b"true"[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_shuts_down_can_wait_for_what_clients_left() {
    let layer = IdempotencyLayer::single_tenant(memory());
    let app = app(&layer, First::Takes(MINUTE));
    layer.drained().await;
    let asking = begin(&app).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    let before = Instant::now();
    layer.clone().drained().await;
    assert_eq!(before.elapsed(), MINUTE);
    assert!(ask(&app, post("/", "a", "")).await.is_replayed());
}

#[tokio::test(start_paused = true)]
async fn a_completion_is_tried_four_times_and_then_for_a_lease() {
    for how in [Settles::Fail, Settles::Lose, Settles::WorkAndLose] {
        for (times, is_kept) in
            [(1, true), (3, true), (4, true), (19, true), (20, how == Settles::WorkAndLose)]
        {
            let store = Arc::new(Faulty::new(memory()));
            let app = app(&IdempotencyLayer::single_tenant(Arc::clone(&store)), First::Answers);
            store.let_settles(how, times);
            // The client gets what was done, in any case.
            let asked = Instant::now();
            let first = ask(&app, post("/", "a", "")).await;
            let pauses = [0, 50, 200, 800].map(Duration::from_millis);
            assert_eq!(asked.elapsed(), pauses.iter().take(1 + times).sum::<Duration>());
            assert_eq!((&first.body[..], first.is_replayed()), (&b"1"[..], false));
            tokio::time::sleep(MINUTE).await;
            let again = ask(&app, post("/", "a", "")).await;
            if is_kept {
                assert_eq!((&again.body[..], again.is_replayed()), (&b"1"[..], true));
            } else {
                assert_eq!(
                    again.problem(),
                    (409, "idempotency-outcome-unknown"),
                    "{how:?} {times}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_of_another_format_is_not_executed_again() {
    let store = memory();
    let completing = Arc::clone(&store);
    let handler = service_fn(move |request: Request<Body>| {
        let store = Arc::clone(&completing);
        async move {
            let ticket = request.extensions().get::<Execution>().unwrap().ticket().clone();
            let _ = store.complete(&ticket, b"something else").await.unwrap();
            Ok::<_, Infallible>(Response::new(Body::from("done")))
        }
    });
    let service = IdempotencyLayer::single_tenant(store).layer(handler);
    for problem in [None, Some((500, "idempotency-record-unreadable"))] {
        let response = service.clone().oneshot(post("/", "a", "")).await.unwrap();
        let answer = Answer::read(response).await;
        match problem {
            None => assert_eq!(answer.body, "done"),
            Some(problem) => assert_eq!(answer.problem(), problem),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_can_complete_its_ticket_beside_the_effect() {
    let store = memory();
    let completing = Arc::clone(&store);
    let handler = service_fn(move |request: Request<Body>| {
        let store = Arc::clone(&completing);
        async move {
            let execution = request.extensions().get::<Execution>().unwrap().clone();
            let response = Response::builder().status(201).header("location", "/1");
            let response = response.body(bytes::Bytes::from_static(b"paid")).unwrap();
            let result = execution.result(&response);
            let _ = store.complete(execution.ticket(), &result).await.unwrap();
            Err::<Response<Body>, _>("it dies before it answers")
        }
    });
    let service = IdempotencyLayer::single_tenant(store).layer(handler);
    service.clone().oneshot(post("/", "a", "")).await.unwrap_err();
    let answer = Answer::read(service.oneshot(post("/", "a", "")).await.unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (201, &b"paid"[..]));
    assert!(answer.is_replayed() && answer.headers["location"] == "/1");
}
