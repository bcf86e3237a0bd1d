//! A warehouse that does badly by the first to ask for some items.

use alloc::sync::Arc;
use core::future::pending;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::get,
};

/// How often each item was asked for.
pub(crate) type Asked = Arc<Mutex<HashMap<String, u32>>>;

pub(crate) fn app(asked: Asked) -> Router {
    Router::new().route("/stock/{item}", get(stock)).with_state(asked)
}

async fn stock(State(asked): State<Asked>, Path(item): Path<String>) -> Response {
    let is_first = {
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = asked.entry(item.clone()).or_default();
        *times += 1;
        *times == 1
    };
    match item.split('-').next() {
        Some("slow") if is_first => pending().await,
        Some("busy") if is_first => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "0")]).into_response()
        }
        Some("broken") => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => format!("7 {item}").into_response(),
    }
}
