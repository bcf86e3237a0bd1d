//! What the layer answers, and what it keeps.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/ask.rs"]
mod ask;
#[path = "support/body.rs"]
mod body;
#[path = "support/once.rs"]
mod once;

use alloc::sync::Arc;
use core::{
    convert::Infallible,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use ask::{ask, post};
use axum::{
    Extension, Router,
    body::Body,
    extract::Request,
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
    routing::any,
};
use body::{Endless, Pieces};
use bytes::Bytes;
use http_body::{Body as _, Frame};
use http_body_util::BodyExt as _;
use once::{Answer, Memory, memory};
use surmise_idempotency::FingerprintKey;
use surmise_store::Terms;
use surmise_tower::idempotency::{IdempotencyLayer, KeyForm, Retain};
use tower::{Layer as _, ServiceExt as _, service_fn};

fn layer() -> IdempotencyLayer<Arc<Memory>> {
    IdempotencyLayer::single_tenant(memory())
}

/// Counts requests, and answers the nth with what a function makes of it.
fn app<R: IntoResponse>(
    layer: &IdempotencyLayer<Arc<Memory>>,
    answer: impl Fn(usize, Request) -> R + Clone + Send + Sync + 'static,
) -> Router {
    let count = Arc::new(AtomicUsize::new(0));
    let handler = async move |request: Request| {
        answer(count.fetch_add(1, Ordering::Relaxed) + 1, request).into_response()
    };
    Router::new().fallback(any(handler)).layer(layer.clone())
}

fn counting(layer: &IdempotencyLayer<Arc<Memory>>) -> Router {
    app(layer, |nth, _| nth.to_string())
}

#[tokio::test]
async fn only_requests_with_a_method_and_a_key_are_remembered() {
    let with = |method: Method, key: Option<&str>| {
        let request = Request::builder().method(method).uri("/");
        let request =
            key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
        request.body(Body::empty()).unwrap()
    };
    let app = counting(&layer());
    for (request, body, replayed) in [
        (with(Method::POST, None), "1", false),
        (with(Method::POST, None), "2", false),
        (with(Method::GET, Some("a")), "3", false),
        (with(Method::GET, Some("a\"malformed")), "4", false),
        (with(Method::POST, Some("a")), "5", false),
        (with(Method::POST, Some("\"a\"")), "5", true),
        (with(Method::PATCH, Some("b")), "6", false),
        (with(Method::PATCH, Some("b")), "6", true),
        (with(Method::DELETE, Some("b")), "7", false),
    ] {
        let answer = ask(&app, request).await;
        assert_eq!((&answer.body[..], answer.is_replayed()), (body.as_bytes(), replayed));
    }
    let strict = layer().required().methods([Method::DELETE]).key_form(KeyForm::Quoted);
    let app = counting(&strict);
    for (request, answered) in [
        (with(Method::DELETE, None), Err((400, "idempotency-key-missing"))),
        (with(Method::DELETE, Some("a")), Err((400, "idempotency-key-invalid"))),
        (with(Method::POST, None), Ok("1")),
        (with(Method::DELETE, Some("\"a\"")), Ok("2")),
        (with(Method::DELETE, Some("\"a\"")), Ok("2")),
    ] {
        let answer = ask(&app, request).await;
        match answered {
            Ok(body) => assert_eq!(answer.body, body),
            Err(problem) => assert_eq!(answer.problem(), problem),
        }
    }
}

#[tokio::test]
async fn malformed_long_and_repeated_keys_are_refused_and_nothing_is_executed() {
    let app = counting(&layer());
    let long = "k".repeat(256);
    for key in ["\"", "\"\"", "a b", "a,b", "a;b", "\"a\" \"b\"", &long] {
        let answer = ask(&app, post("/", key, "")).await;
        assert_eq!(answer.problem(), (400, "idempotency-key-invalid"), "{key}");
    }
    let mut twice = post("/", "a", "");
    twice.headers_mut().append("idempotency-key", HeaderValue::from_static("a"));
    assert_eq!(ask(&app, twice).await.problem(), (400, "idempotency-key-invalid"));
    assert_eq!(ask(&app, post("/", "a", "")).await.body, "1");
}

#[tokio::test]
async fn another_method_path_query_or_body_is_another_request() {
    let secret = layer().fingerprint_key(FingerprintKey::new([7; 16]));
    for layer in [layer(), secret] {
        let app = counting(&layer);
        assert_eq!(ask(&app, post("/a?b=c", "key", "body")).await.body, "1");
        let mut patch = post("/a?b=c", "key", "body");
        *patch.method_mut() = Method::PATCH;
        let others = [
            patch,
            post("/b?b=c", "key", "body"),
            post("/a?b=d", "key", "body"),
            post("/a", "key", "body"),
            post("/a?b=c", "key", "bodY"),
            post("/a?b=c", "key", ""),
        ];
        for other in others {
            assert_eq!(ask(&app, other).await.problem(), (422, "idempotency-key-reused"));
        }
        // Headers do not count.
        let mut same = post("/a?b=c", "key", "body");
        same.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/plain"));
        assert!(ask(&app, same).await.is_replayed());
    }
}

#[tokio::test]
async fn tenants_and_operations_have_their_keys_to_themselves() {
    let store = memory();
    let of = |store| IdempotencyLayer::new(store, |head| head.headers.get("x-account").cloned());
    let with = |account: &str| {
        let mut request = post("/", "key", "");
        request.headers_mut().insert("x-account", account.parse().unwrap());
        request
    };
    let app = counting(&of(Arc::clone(&store)));
    assert_eq!(ask(&app, with("acme")).await.body, "1");
    assert_eq!(ask(&app, with("zenith")).await.body, "2");
    assert_eq!(ask(&app, with("acme")).await.body, "1");
    assert_eq!(ask(&app, with(&"a".repeat(255))).await.body, "3");
    for nobody in [with(&"a".repeat(256)), with(""), post("/", "key", "")] {
        assert_eq!(ask(&app, nobody).await.problem(), (403, "idempotency-tenant-unknown"));
    }
    let refunds = counting(&of(store).operation("refunds").unwrap());
    assert!(!ask(&refunds, with("acme")).await.is_replayed());
    assert!(layer().operation("o".repeat(255)).is_ok());
    assert!(layer().operation("o".repeat(256)).is_err());
    assert!(layer().terms(Terms { lease: Duration::ZERO, ..Terms::default() }).is_err());
}

/// Creates a body of several pieces, whose length nobody knows before.
fn pieces(pieces: &[&'static str], end: Option<Result<Frame<Bytes>, &'static str>>) -> Body {
    let data = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
    Body::new(Pieces(data.chain(end).collect()))
}

#[tokio::test]
async fn requests_are_read_up_to_a_bound_before_anything_is_executed() {
    let app = app(&layer().max_request_body(10), |nth, _| nth.to_string());
    let long = [post("/", "a", "01234567890"), post("/", "a", pieces(&["012345", "67890"], None))];
    for request in long {
        assert_eq!(ask(&app, request).await.problem(), (413, "idempotency-request-too-large"));
    }
    // What says that it is too long is not even read.
    let endless = post("/", "a", Body::new(Endless { least: 11 }));
    assert_eq!(ask(&app, endless).await.problem().0, 413);
    let broken = post("/", "a", pieces(&["01"], Some(Err("reset"))));
    assert_eq!(ask(&app, broken).await.problem(), (400, "idempotency-request-unreadable"));
    assert_eq!(ask(&app, post("/", "a", pieces(&["01234", "56789"], None))).await.body, "1");
    assert!(ask(&app, post("/", "a", "0123456789")).await.is_replayed());
}

#[tokio::test]
async fn the_handler_gets_the_request_as_it_was() {
    let echo = async |request: Request| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        format!("{} {} {:?} {body:?}", head.method, head.uri, head.headers["x-a"])
    };
    let app = Router::new().fallback(any(echo)).layer(layer());
    let mut request = post("/a?b=c", "key", pieces(&["bo", "dy"], None));
    request.headers_mut().insert("x-a", HeaderValue::from_static("1"));
    assert_eq!(ask(&app, request).await.body, r#"POST /a?b=c "1" b"body""#);
}

#[tokio::test]
async fn status_chosen_headers_and_body_are_replayed() {
    let answer = |nth: usize, _| {
        let headers = [
            (CONTENT_TYPE, "text/plain"),
            (LOCATION, "/payments/1"),
            (SET_COOKIE, "a=b"),
            (HeaderName::from_static("x-request"), "17"),
        ];
        (StatusCode::ACCEPTED, headers, nth.to_string())
    };
    for (layer, replayed) in [
        (layer(), vec![CONTENT_TYPE, LOCATION]),
        (layer().replayed_headers([SET_COOKIE]), vec![SET_COOKIE]),
    ] {
        let app = app(&layer, answer);
        let first = ask(&app, post("/", "a", "")).await;
        assert!(!first.is_replayed() && first.headers.contains_key(SET_COOKIE));
        let again = ask(&app, post("/", "a", "")).await;
        assert!(again.is_replayed());
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        for name in [CONTENT_TYPE, LOCATION, SET_COOKIE, HeaderName::from_static("x-request")] {
            let expected = replayed.contains(&name).then(|| &first.headers[&name]);
            assert_eq!(again.headers.get(&name), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn errors_are_kept_but_for_those_that_say_that_nothing_was_done() {
    for code in 200..600 {
        let status = StatusCode::from_u16(code).unwrap();
        let app = app(&layer(), move |nth, _| (status, nth.to_string()));
        let first = ask(&app, post("/", "a", "")).await;
        let again = ask(&app, post("/", "a", "")).await;
        assert_eq!((first.status, again.status), (status, status));
        assert_eq!(again.is_replayed(), ![401, 425, 429].contains(&code), "{code}");
        assert_eq!(again.is_replayed(), first.body == again.body);
    }
}

#[tokio::test(start_paused = true)]
async fn rules_and_handlers_say_what_is_kept() {
    let rule = layer().retain(|head| match head.status.as_u16() {
        503 => Retain::Nothing,
        500 => Retain::Briefly,
        _ => Retain::Long,
    });
    let brief = Duration::from_secs(10);
    let long = Duration::from_secs(24 * 60 * 60);
    for (status, said, kept) in [
        (200, None, long),
        (500, None, brief),
        (503, None, Duration::ZERO),
        (503, Some(Retain::Long), long),
        (200, Some(Retain::Nothing), Duration::ZERO),
        (200, Some(Retain::Briefly), brief),
    ] {
        let app = app(&rule, move |nth, _| {
            let mut response =
                (StatusCode::from_u16(status).unwrap(), nth.to_string()).into_response();
            said.map(|retain| response.extensions_mut().insert(retain));
            response
        });
        let request = || post("/", &format!("{status}{said:?}"), "");
        let first = ask(&app, request()).await;
        if !kept.is_zero() {
            tokio::time::advance(kept - Duration::from_millis(1)).await;
            assert_eq!(ask(&app, request()).await.body, first.body);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let later = ask(&app, request()).await;
        assert!(later.body != first.body && !later.is_replayed(), "{status} {said:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_passed_on_unchanged_and_not_executed_again() {
    let trailers = || {
        let trailers = [("grpc-status", "0")]
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Some(Ok(Frame::trailers(trailers.into_iter().collect())))
    };
    let layer = layer().max_response_body(10);
    for (body, end, is_kept) in [
        (&["0123456789"][..], None, true),
        (&["01234", "56789"], None, true),
        (&[], None, true),
        (&["01234567890"], None, false),
        (&["01234", "567890", "1234"], None, false),
        (&["0"], trailers(), false),
        (&["0", "1"], Some(Err("reset")), false),
    ] {
        let key = format!("{body:?}{}", end.is_some()).replace(['"', ',', ' '], "");
        let ends = Arc::new(std::sync::Mutex::new(end));
        let app = app(&layer, move |nth, _| {
            assert_eq!(nth, 1, "it is executed again");
            (StatusCode::CREATED, pieces(body, ends.lock().unwrap().take()))
        });
        let response = app.clone().oneshot(post("/", &key, "")).await.unwrap();
        let hint = response.body().size_hint();
        assert_eq!(hint.exact().is_some(), is_kept);
        assert!(is_kept || hint.lower() > 0);
        let ended = response.into_body().collect().await;
        assert_eq!(ended.is_err(), key.contains("[01]true"));
        match ended {
            Ok(collected) => {
                assert_eq!(collected.trailers().is_some(), key.contains("[0]true"));
                assert_eq!(collected.to_bytes(), body.concat());
            }
            Err(error) => assert!(error.to_string().contains("reset"), "{error}"),
        }
        let again = ask(&app, post("/", &key, "")).await;
        assert_eq!(again.is_replayed(), is_kept);
        if is_kept {
            assert_eq!(
                (again.status, &again.body[..]),
                (StatusCode::CREATED, body.concat().as_bytes())
            );
        } else {
            assert_eq!(again.problem(), (409, "idempotency-response-not-kept"));
            assert!(again.body.escape_ascii().to_string().contains("status 201"));
        }
    }
}

#[tokio::test]
async fn what_is_only_marked_is_passed_on_as_it_comes_and_not_executed_again() {
    let streaming = service_fn(async |_: axum::http::Request<Body>| {
        let mut response = Response::new(Body::new(Endless { least: 0 }));
        response.extensions_mut().insert(Retain::Marker);
        Ok::<_, Infallible>(response)
    });
    let service = layer().layer(streaming);
    // It is not waited for, though it never comes.
    let response = service.clone().oneshot(post("/", "a", "")).await.unwrap();
    assert!(!response.body().is_end_stream());
    let again = Answer::read(service.oneshot(post("/", "a", "")).await.unwrap()).await;
    assert_eq!(again.problem(), (409, "idempotency-response-not-kept"));
    assert!(!again.is_replayed());
}

#[tokio::test]
async fn a_body_of_many_small_frames_is_kept_as_any_other() {
    let text = "0123456789".repeat(500);
    let frames = text.clone();
    let app = app(&layer(), move |_, _| {
        let frames = frames.bytes().flat_map(|byte| [Bytes::new(), Bytes::from(vec![byte])]);
        Body::new(Pieces(frames.map(|data| Ok(Frame::data(data))).collect()))
    });
    for is_replayed in [false, true] {
        let answer = ask(&app, post("/", "a", "")).await;
        assert_eq!((answer.is_replayed(), &answer.body[..]), (is_replayed, text.as_bytes()));
    }
}

#[tokio::test]
async fn a_bound_outside_of_the_layer_is_one_too() {
    let app = counting(&layer());
    let long = Body::new(http_body_util::Limited::new(pieces(&["012345", "67890"], None), 10));
    let answer = ask(&app, post("/", "a", long)).await;
    assert_eq!(answer.problem(), (413, "idempotency-request-too-large"));
}

#[tokio::test]
async fn a_response_of_known_length_may_be_as_long_as_the_bound() {
    for (length, is_kept) in [(10, true), (11, false)] {
        let app = app(&layer().max_response_body(10), move |_, _| "a".repeat(length));
        assert_eq!(ask(&app, post("/", "a", "")).await.body.len(), length);
        assert_eq!(ask(&app, post("/", "a", "")).await.status.is_success(), is_kept);
    }
}

#[tokio::test]
async fn what_no_store_can_keep_is_passed_on_and_not_executed_again() {
    let app = app(&layer().max_response_body(usize::MAX), |_, _| vec![b'a'; (1 << 20) - 20]);
    assert_eq!(ask(&app, post("/", "a", "")).await.body.len(), (1 << 20) - 20);
    let again = ask(&app, post("/", "a", "")).await;
    assert_eq!(again.problem(), (409, "idempotency-response-not-kept"));
}

#[tokio::test]
async fn a_client_that_leaves_before_its_request_was_read_leaves_nothing() {
    let app = counting(&layer());
    let endless = Body::new(Endless { least: 0 });
    let mut asking = tokio_test::task::spawn(app.clone().oneshot(post("/", "a", endless)));
    assert!(asking.poll().is_pending());
    drop(asking);
    assert_eq!(ask(&app, post("/", "a", "")).await.body, "1");
}

#[tokio::test]
async fn a_layer_within_another_does_nothing() {
    let layer = layer();
    let app = counting(&layer).layer(layer);
    assert_eq!(ask(&app, post("/", "a", "")).await.body, "1");
    assert!(ask(&app, post("/", "a", "")).await.is_replayed());
}

#[tokio::test]
async fn services_need_not_be_axums() {
    use http_body_util::Full;
    let inner = service_fn(async |request: axum::http::Request<Full<Bytes>>| {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, Infallible>(Response::new(Full::new(body)))
    });
    let service = layer().layer(inner);
    for is_replayed in [false, true] {
        let request = post("/", "a", "").map(|_| Full::new(Bytes::from_static(b"hello")));
        let answer = Answer::read(service.clone().oneshot(request).await.unwrap()).await;
        assert_eq!((&answer.body[..], answer.is_replayed()), (&b"hello"[..], is_replayed));
    }
}

#[tokio::test]
async fn a_handler_says_by_an_extension_that_nothing_was_done() {
    let busy = async || (Extension(Retain::Nothing), StatusCode::SERVICE_UNAVAILABLE);
    let app = Router::new().fallback(any(busy)).layer(layer());
    for _ in 0..2 {
        assert!(!ask(&app, post("/", "a", "")).await.is_replayed());
    }
}
