//! The shop, which knows what is in stock by asking the warehouse.

use alloc::sync::Arc;
use core::time::Duration;

use axum::{
    Router,
    body::Body,
    error_handling::HandleErrorLayer,
    extract::{Path, Request, State},
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use surmise_timeout::{
    Outcome, Ratio, RetryBudgetConfig,
    backoff::Backoff,
    sync::{AtomicRetryBudget, SharedHedge},
};
use surmise_tower::{AdaptiveTimeoutLayer, BoxError, HedgeLayer, Judgement, Policy, RetryLayer};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

type Warehouse = BoxCloneSyncService<Request, Response, BoxError>;

/// Returns the shop. Customers are not kept waiting for long either.
pub(crate) fn app(warehouse: &str) -> Result<Router, BoxError> {
    let too_slow = HandleErrorLayer::new(async |_| StatusCode::GATEWAY_TIMEOUT);
    let in_time = AdaptiveTimeoutLayer::p99().ceiling(Duration::from_secs(10));
    Ok(Router::new()
        .route("/stock/{item}", get(stock))
        .layer(ServiceBuilder::new().layer(too_slow).layer(in_time))
        .with_state((client()?, warehouse.to_owned())))
}

/// Returns a client that gives up in time, sends a backup of what is slow, and tries again what failed.
fn client() -> Result<Warehouse, BoxError> {
    let budget = RetryBudgetConfig { ratio: Ratio::from_percent(10), burst: 100, initial: 10 };
    let budget = Arc::new(AtomicRetryBudget::new(budget)?);
    let [soonest, latest] = [1, 50].map(Duration::from_millis);
    let hedge = Arc::new(SharedHedge::p95(soonest, latest)?);
    // Within twice the time that nearly all take, a backup has answered.
    let twice = Ratio::from_percent(200);
    let timeout = AdaptiveTimeoutLayer::p99().factor(twice).ceiling(Duration::from_secs(5));
    let http = Client::builder(TokioExecutor::new()).build_http();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(Backoff::aws(), 2, Arc::clone(&budget), Calls))
        .layer(timeout.policy(Calls))
        .layer(HedgeLayer::new(hedge, budget, Calls).without_deposits())
        .service(http.map_response(|response| response.map(Body::new)));
    Ok(BoxCloneSyncService::new(service))
}

/// What is known of calls to the warehouse.
#[derive(Clone, Copy, Debug)]
struct Calls;

impl Policy<Request, Response> for Calls {
    /// To look twice changes nothing.
    fn clone_request(&self, request: &Request) -> Option<Request> {
        let mut copy = Request::new(Body::empty());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.headers_mut() = request.headers().clone();
        *copy.extensions_mut() = request.extensions().clone();
        request.method().is_safe().then_some(copy)
    }

    fn deadline(&self, request: &Request) -> Option<Instant> {
        request.extensions().get().copied()
    }

    fn judge(&self, result: &Result<Response, BoxError>) -> Judgement {
        let Ok(response) = result else { return Judgement::Retry };
        match response.status() {
            StatusCode::SERVICE_UNAVAILABLE => match seconds(response) {
                Some(seconds) => Judgement::RetryAfter(Duration::from_secs(seconds)),
                None => Judgement::Retry,
            },
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Judgement::Retry,
            _ => Judgement::Keep,
        }
    }

    /// Who is sent away did not see how long an answer takes.
    fn outcome(&self, result: &Result<Response, BoxError>, took: Duration) -> Outcome {
        match result {
            Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => {
                Outcome::FailedFast
            }
            Ok(_) => Outcome::Completed(took),
            Err(_) => Outcome::Cancelled(took),
        }
    }
}

fn seconds(response: &Response) -> Option<u64> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

/// Tells a customer within ten seconds what is in stock, or that nobody knows.
async fn stock(
    State((warehouse, address)): State<(Warehouse, String)>,
    Path(item): Path<String>,
) -> Response {
    let mut request = Request::new(Body::empty());
    let Ok(uri) = format!("{address}/stock/{item}").parse() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    *request.uri_mut() = uri;
    request.extensions_mut().insert(Instant::now() + Duration::from_secs(10));
    match warehouse.oneshot(request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
