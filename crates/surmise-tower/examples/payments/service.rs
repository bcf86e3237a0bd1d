//! A service that takes payments, each once, however often its client asks.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
    routing::post,
};
use surmise_store::IdempotencyStore;
use surmise_tower::idempotency::{Execution, IdempotencyLayer};

/// Where the money goes.
#[derive(Debug, Default)]
pub(crate) struct Bank {
    pub(crate) charges: AtomicU64,
}

/// Returns the service. Whose payment it is says a header that the proxy puts there, which knows the client.
pub(crate) fn app<S: IdempotencyStore + 'static>(store: S, bank: Arc<Bank>) -> Router {
    let once = IdempotencyLayer::new(store, |request| request.headers.get("x-account").cloned());
    Router::new().route("/payments", post(pay)).layer(once.required()).with_state(bank)
}

async fn pay(
    State(bank): State<Arc<Bank>>,
    Extension(execution): Extension<Execution>,
    order: String,
) -> impl IntoResponse {
    let nth = bank.charges.fetch_add(1, Ordering::Relaxed) + 1;
    // A bank that knows fences would be shown the token.
    let token = execution.ticket().token();
    let location = [(LOCATION, format!("/payments/{nth}"))];
    (StatusCode::CREATED, location, format!("payment {nth} of {order}, as {token:?}"))
}
