//! What the types of the idempotency layer promise: the traits that users rely on.

use core::{convert::Infallible, future::Ready};

use axum::{body::Body, http::Response};
use surmise_tower::idempotency::{
    Execution, IdempotencyFuture, IdempotencyKey, IdempotencyKeyError, IdempotencyLayer,
    IdempotencyService, IdempotentBody, KeyForm, Retain,
};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Values {
    key: IdempotencyKey,
    error: IdempotencyKeyError,
    form: KeyForm,
    retain: Retain,
}

/// Neither has to be cloned for the layer's sake: the store is shared.
#[derive(Debug)]
struct Store;

#[derive(Clone, Debug)]
struct Layers {
    _layer: IdempotencyLayer<Store>,
    _service: IdempotencyService<u8, Store>,
    _execution: Execution,
}

type Answer = Ready<Result<Response<Body>, Infallible>>;

#[derive(Debug)]
struct Outputs {
    _body: IdempotentBody<Body>,
    _future: IdempotencyFuture<Answer, Body, Infallible>,
}

#[test]
fn types_are_shareable() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Values>();
    shareable::<Layers>();
    // Neither bodies of axum nor what is boxed is `Sync`.
    fn sendable<T: Send + Unpin + 'static>() {}
    sendable::<Outputs>();
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error>() {}
    error::<IdempotencyKeyError>();
}
