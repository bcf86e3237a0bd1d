//! A service that takes payments, each once, however often its client asks.

use alloc::sync::Arc;
use core::fmt;
use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use axum::{
    Extension, Router,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
    routing::post,
};
use surmise_store::IdempotencyStore;
use surmise_tower::idempotency::{Execution, IdempotencyLayer};

/// Where the money goes: a charge is a line of the ledger.
pub(crate) struct Bank(Mutex<Box<dyn Write + Send>>);

impl Bank {
    pub(crate) fn new(ledger: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(ledger)))
    }

    fn charge(&self, charge: fmt::Arguments<'_>) -> io::Result<()> {
        let mut ledger = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.write_all(format!("{charge}\n").as_bytes())
    }
}

/// Returns the service, which charges whenever it is asked.
pub(crate) fn payments(bank: Bank) -> Router {
    Router::new().route("/payments", post(pay)).with_state(Arc::new(bank))
}

/// Returns the layer that asks it once for each payment, and remembers in the store what it said.
///
/// Whose payment it is says a header that the proxy puts there, which knows the client.
pub(crate) fn once<S: IdempotencyStore + 'static>(store: S) -> IdempotencyLayer<S> {
    IdempotencyLayer::new(store, |request| request.headers.get("x-account").cloned()).required()
}

async fn pay(
    State(bank): State<Arc<Bank>>,
    Extension(execution): Extension<Execution>,
    order: String,
) -> Result<impl IntoResponse, StatusCode> {
    // No other execution has this token. A bank that knows fences would be shown it.
    let token = execution.ticket().token();
    // The response is kept, and so is that nobody knows whether there was a charge.
    bank.charge(format_args!("{order} {token}")).map_err(|_| StatusCode::BAD_GATEWAY)?;
    let location = [(LOCATION, format!("/payments/{token}"))];
    Ok((StatusCode::CREATED, location, format!("payment {token} of {order}")))
}
