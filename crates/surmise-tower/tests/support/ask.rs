use axum::{Router, body::Body, http::Request};
use tower::ServiceExt as _;

use crate::once::Answer;

pub(crate) fn post(path: &str, key: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("idempotency-key", key).body(body.into()).unwrap()
}

pub(crate) async fn ask(app: &Router, request: Request<Body>) -> Answer {
    Answer::read(app.clone().oneshot(request).await.unwrap()).await
}
