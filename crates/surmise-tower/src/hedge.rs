mod future;
mod legs;
mod spare;

use alloc::sync::Arc;
use core::task::{Context, Poll};

use surmise_timeout::sync::{AtomicRetryBudget, SharedHedge};
use tower_layer::Layer;
use tower_service::Service;

pub use self::future::HedgeFuture;
use self::{legs::Legs, spare::Spare};
use crate::{BoxError, Policy, timer::is_too_late};

/// Sends a backup of a request that takes longer than most, and takes the first answer.
///
/// The backup goes to a clone of the inner service, once the delay of a [`SharedHedge`] has passed without an answer,
/// the clone is ready, and the budget holds a token. Which of the two answers first is passed on, and the other is
/// cancelled: its future is dropped. A result that [`Policy::judge`] would try again is passed on only if the other
/// request cannot do better.
///
/// Only requests that [`Policy::clone_request`] gives a copy of are hedged and learned from; it must know what may
/// be done twice. What a result says of how long answers take, [`Policy::outcome`] says. No backup is sent at or after a
/// request's deadline. If both requests fail, the caller gets the later result; what the other asked for by
/// [`Judgement::RetryAfter`](crate::Judgement::RetryAfter) is lost.
///
/// Each request makes one deposit, unless [`without_deposits`](Self::without_deposits) says otherwise. An inner
/// service that sends clones to the same replica cannot help a request which is slow because of that; put the
/// layer around a load balancer.
///
/// # Panics
///
/// To call the service outside of a tokio runtime whose time is enabled panics.
///
/// # Examples
///
/// ```
/// use core::{convert::Infallible, time::Duration};
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
/// use surmise_timeout::{Ratio, RetryBudgetConfig, sync::{AtomicRetryBudget, SharedHedge}};
/// use surmise_tower::{HedgeLayer, Policy};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// /// All requests may be sent twice.
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
/// let [floor, ceiling] = [1, 100].map(Duration::from_millis);
/// let hedge = Arc::new(SharedHedge::p95(floor, ceiling)?);
/// let config = RetryBudgetConfig { ratio: Ratio::from_percent(5), burst: 10, initial: 1 };
/// let budget = Arc::new(AtomicRetryBudget::new(config)?);
/// let layer = HedgeLayer::new(Arc::clone(&hedge), budget, Idempotent);
///
/// // The first of two requests hangs.
/// let requests = AtomicU32::new(0);
/// let service = layer.layer(service_fn(|_| async {
///     let nth = requests.fetch_add(1, Ordering::Relaxed);
///     if nth == 0 {
///         core::future::pending().await
///     }
///     Ok::<_, Infallible>(nth)
/// }));
/// assert_eq!(service.oneshot("hello").await?, 1);
/// assert_eq!(hedge.counters().won, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HedgeLayer<P> {
    hedge: Arc<SharedHedge>,
    budget: Arc<AtomicRetryBudget>,
    deposits: bool,
    policy: P,
}

impl<P> HedgeLayer<P> {
    /// Creates a layer that sends backups when this hedge says, and pays for them from this budget. Those requests get
    /// one that the policy [clones](Policy::clone_request), which by default are none.
    ///
    /// If the hedge forgets requests by their age, its owner has to advance it.
    #[must_use]
    pub const fn new(hedge: Arc<SharedHedge>, budget: Arc<AtomicRetryBudget>, policy: P) -> Self {
        Self { hedge, budget, deposits: true, policy }
    }

    /// Returns the same layer, but one that pays nothing into the budget.
    ///
    /// A [`RetryLayer`](crate::RetryLayer) outside that shares the budget has made the deposit for a request, and
    /// there is to be one for it, not one for each try.
    #[must_use]
    pub fn without_deposits(self) -> Self {
        Self { deposits: false, ..self }
    }
}

impl<S, P: Clone> Layer<S> for HedgeLayer<P> {
    type Service = HedgeService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        HedgeService { inner, layer: self.clone() }
    }
}

/// A service that hedges requests: what [`HedgeLayer`] makes.
#[derive(Clone, Debug)]
pub struct HedgeService<S, P> {
    inner: S,
    layer: HedgeLayer<P>,
}

impl<S, P, Request> Service<Request> for HedgeService<S, P>
where
    S: Service<Request> + Clone,
    S::Error: Into<BoxError>,
    P: Policy<Request, S::Response> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = HedgeFuture<S, P, Request>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let HedgeLayer { hedge, budget, deposits, policy } = &self.layer;
        // What is too late to be sent is no call that others could be paid for from.
        if *deposits && !is_too_late(policy.deadline(&request)) {
            budget.deposit();
        }
        let spare = Spare::prepare(&self.inner, &request, &self.layer);
        let legs = Legs::begin(Arc::clone(hedge), spare.is_some());
        HedgeFuture::begin(spare, legs, policy.clone(), hedge.delay(), || self.inner.call(request))
    }
}
