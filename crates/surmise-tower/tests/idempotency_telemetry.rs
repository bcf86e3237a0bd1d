//! What the idempotency layer counts, and tells of.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/ask.rs"]
mod ask;
#[path = "support/faulty.rs"]
mod faulty;
#[path = "support/once.rs"]
mod once;

use alloc::{collections::BTreeMap, sync::Arc};
use core::time::Duration;

use ask::{ask, post};
use axum::{Router, http::StatusCode, routing::any};
use faulty::{Claims, Faulty, Settles};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use once::memory;
use surmise_tower::idempotency::IdempotencyLayer;
use tracing::Instrument as _;

#[derive(Clone, Default)]
struct Text(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Has what happens to a request with a key happen.
async fn ask_for_all() {
    let store = Arc::new(Faulty::new(memory()));
    let handler = async |body: String| match body.as_str() {
        "panic" => panic!("as told"),
        "long" => (StatusCode::OK, "a".repeat(100)),
        _ => (StatusCode::OK, body),
    };
    let layer = IdempotencyLayer::single_tenant(Arc::clone(&store)).max_response_body(10);
    let app = Router::new().fallback(any(handler)).layer(layer);
    let answer = async |key, body| ask(&app, post("/", key, body)).await;

    assert!(!answer("a", "a").await.is_replayed());
    assert!(answer("a", "a").await.is_replayed());
    assert_eq!(answer("a", "b").await.problem().0, 422);
    assert_eq!(answer("b", "long").await.body.len(), 100);

    let panicking = app.clone();
    let asking = async move { ask(&panicking, post("/", "c", "panic")).await };
    tokio::spawn(asking.in_current_span()).await.unwrap_err();
    assert_eq!(answer("c", "panic").await.problem().1, "idempotency-key-in-flight");
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(answer("c", "panic").await.problem().1, "idempotency-outcome-unknown");

    for claims in [&[Claims::Fail][..], &[Claims::BeFull], &[Claims::Lose, Claims::Lose]] {
        store.let_claims(claims);
        assert_eq!(answer("d", "d").await.problem().0, 503);
    }
    store.let_claims(&[Claims::WorkAndLose]);
    for (key, how) in [("d", Settles::Fail), ("e", Settles::Lose), ("f", Settles::WorkAndLose)] {
        store.let_settles(how, 20);
        assert_eq!(answer(key, "d").await.body, "d");
        // Until that is given up.
        tokio::time::sleep(Duration::from_secs(31)).await;
    }
    store.let_settles(Settles::Work, 0);
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_requests_with_keys_is_counted_and_told_of_in_their_spans() {
    let recorder = DebuggingRecorder::new();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let text = Text::default();
    let writer = text.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _subscribed = tracing::subscriber::set_default(subscriber);
    ask_for_all().instrument(tracing::info_span!("request")).await;

    let counted = recorder.snapshotter().snapshot().into_vec().into_iter();
    let counted = counted.map(|(key, _, _, value)| {
        let DebugValue::Counter(count) = value else { panic!("{key:?} is no counter") };
        (key.key().name().to_owned(), count)
    });
    let expected = [
        ("surmise_idempotent_executions_total", 6),
        ("surmise_idempotent_in_flight_total", 1),
        ("surmise_idempotent_mismatches_total", 1),
        ("surmise_idempotent_outcomes_unknown_total", 1),
        ("surmise_idempotent_refusals_total", 3),
        ("surmise_idempotent_replays_total", 1),
        ("surmise_idempotent_unkept_total", 4),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), BTreeMap::from(expected));

    let told = String::from_utf8(text.0.lock().unwrap().clone()).unwrap();
    let told = told.lines().map(|line| {
        let line = line.trim();
        // Which tokens there are is the store's business.
        match (line.find("token="), line.find("is_recovery")) {
            (Some(from), Some(to)) => [&line[..from], &line[to..]].concat(),
            _ => line.to_owned(),
        }
    });
    // How errors are put is the store's business too.
    let (failure, lost) = (faulty::failure(), faulty::lost());
    let expected = [
        r#"DEBUG request: executing is_recovery=false"#.to_owned(),
        r#"DEBUG request: executed before"#.to_owned(),
        r#"DEBUG request: the key was used for another request"#.to_owned(),
        r#"DEBUG request: executing is_recovery=false"#.to_owned(),
        r#"WARN request: what became of an execution is not kept key=Key { tenant: "", operation: "", key: "b" } why=its body is too long, has trailers, or broke off"#.to_owned(),
        r#"DEBUG request: executing is_recovery=false"#.to_owned(),
        r#"DEBUG request: being executed"#.to_owned(),
        r#"WARN request: it is not known how far an execution came key=Key { tenant: "", operation: "", key: "c" }"#.to_owned(),
        format!(r#"WARN request: nothing is executed without the store why={failure}"#),
        r#"WARN request: nothing is executed without the store why=the store is full"#.to_owned(),
        format!(r#"WARN request: nothing is executed without the store why={lost}"#),
        r#"DEBUG request: executing is_recovery=false"#.to_owned(),
        format!(r#"WARN request: what became of an execution is not kept key=Key {{ tenant: "", operation: "", key: "d" }} why={failure}"#),
        r#"DEBUG request: executing is_recovery=false"#.to_owned(),
        format!(r#"WARN request: what became of an execution is not kept key=Key {{ tenant: "", operation: "", key: "e" }} why={lost}"#),
        r#"DEBUG request: executing is_recovery=false"#.to_owned(),
        format!(r#"WARN request: what became of an execution is not kept key=Key {{ tenant: "", operation: "", key: "f" }} why={lost}"#),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
