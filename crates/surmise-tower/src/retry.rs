mod again;
mod future;
mod payment;

use alloc::sync::Arc;
use core::{
    task::{Context, Poll},
    time::Duration,
};

use surmise_timeout::{backoff::Backoff, sync::AtomicRetryBudget};
use tower_layer::Layer;
use tower_service::Service;

use self::again::Again;
pub use self::future::RetryFuture;
use crate::{BoxError, Policy, timer::is_too_late};

/// Tries requests again that failed, as long as a budget allows it.
///
/// A result is what the caller gets, unless [`Policy::judge`] wants another try, [`Policy::clone_request`] gave a copy
/// of the request, there were fewer retries than allowed, the delay would end before the request's
/// deadline and the budget holds a token. The delay is the backoff's, or what the service asked for if that is longer.
/// A service that asks for more than a minute, or [another limit](Self::max_retry_after), is not asked again.
///
/// The budget is what keeps retries from overloading a service that fails for everybody: share one among all callers
/// of a service, and with the hedges. Each request makes one deposit, and each retry takes a token.
///
/// The inner service is cloned for each request that may be sent again, and each clone is ready before it is
/// called. If it is not ready again by the deadline, the caller gets the result that there was.
///
/// A retry takes its token before its delay, so that nobody waits for one that is denied, and gives it back if it is
/// never sent: because its caller left, or the service was not ready in time.
///
/// # Panics
///
/// To wait for a retry outside of a tokio runtime whose time is enabled panics.
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
/// use surmise_timeout::{Ratio, RetryBudgetConfig, backoff::Backoff, sync::AtomicRetryBudget};
/// use surmise_tower::{Policy, RetryLayer};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// /// All requests may be sent again.
/// #[derive(Clone)]
/// struct Idempotent;
///
/// impl Policy<&'static str, u32> for Idempotent {
///     fn clone_request(&self, request: &&'static str) -> Option<&'static str> {
///         Some(*request)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), surmise_tower::BoxError> {
/// let config = RetryBudgetConfig { ratio: Ratio::from_percent(10), burst: 100, initial: 10 };
/// let budget = Arc::new(AtomicRetryBudget::new(config)?);
/// let layer = RetryLayer::new(Backoff::aws(), 2, budget, Idempotent);
///
/// let tries = AtomicU32::new(0);
/// let service = layer.layer(service_fn(|_| async {
///     match tries.fetch_add(1, Ordering::Relaxed) {
///         2 => Ok(3),
///         _ => Err("not yet"),
///     }
/// }));
/// assert_eq!(service.oneshot("hello").await?, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RetryLayer<P> {
    backoff: Backoff,
    max_retries: u32,
    max_retry_after: Duration,
    budget: Arc<AtomicRetryBudget>,
    policy: P,
}

/// Whoever waits for the answer has mostly gone by then: many proxies and load balancers give up after a minute.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

impl<P> RetryLayer<P> {
    /// Creates a layer that tries a request again so many times at most, after delays of this backoff. Those requests are
    /// tried again that the policy [clones](Policy::clone_request), which by default are none.
    #[must_use]
    pub const fn new(
        backoff: Backoff,
        max_retries: u32,
        budget: Arc<AtomicRetryBudget>,
        policy: P,
    ) -> Self {
        Self { backoff, max_retries, max_retry_after: MAX_RETRY_AFTER, budget, policy }
    }

    /// Returns the same layer with another longest time that a service may ask to be left alone for, instead of 60 s.
    ///
    /// If it asks for longer by [`Judgement::RetryAfter`](crate::Judgement::RetryAfter), the caller gets the result at
    /// once: to try again sooner would go against what the service asked for, and to wait would leave it to the
    /// service how long a request and its caller are held up. With zero, only those are tried again that
    /// may be at any time, and with [`Duration::MAX`] the deadline is the only limit, if there is one.
    #[must_use]
    pub fn max_retry_after(self, limit: Duration) -> Self {
        Self { max_retry_after: limit, ..self }
    }
}

impl<S, P: Clone> Layer<S> for RetryLayer<P> {
    type Service = RetryService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService { inner, layer: self.clone() }
    }
}

/// A service that tries requests again: what [`RetryLayer`] makes.
#[derive(Clone, Debug)]
pub struct RetryService<S, P> {
    inner: S,
    layer: RetryLayer<P>,
}

impl<S, P, Request> Service<Request> for RetryService<S, P>
where
    S: Service<Request> + Clone,
    S::Error: Into<BoxError>,
    P: Policy<Request, S::Response> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = RetryFuture<S, P, Request>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // What is too late to be sent is no call that others could be paid for from.
        if !is_too_late(self.layer.policy.deadline(&request)) {
            self.layer.budget.deposit();
        }
        // This service was found ready and is called. Its clone was not, and will be asked first.
        let again = Again::prepare(&self.inner, &request, &self.layer);
        RetryFuture::begin(again, || self.inner.call(request))
    }
}
