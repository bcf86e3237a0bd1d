mod builder;
mod elapsed;
mod future;

use alloc::sync::Arc;
use core::task::{Context, Poll};

use surmise_timeout::sync::SharedAdaptiveTimeout;
use tower_layer::Layer;
use tower_service::Service;

use self::future::Call;
pub use self::{
    builder::AdaptiveTimeoutBuilder,
    elapsed::{Elapsed, Limit},
    future::AdaptiveTimeoutFuture,
};
use crate::{BoxError, DefaultPolicy, Policy};

/// Gives calls up that take longer than nearly all before them, and learns from how each went.
///
/// All services of a layer and its clones share one timeout. Make one layer for each destination: a timeout for two
/// services is that of the slower one.
///
/// Of each call is recorded whether it was answered, was given up, or was dropped before either. A few calls, one in
/// a thousand by default, may take until the ceiling, so as to learn how long answers take beyond the timeout.
///
/// # Errors
///
/// [`Elapsed`] is the error of calls that were given up, at the timeout or before it at their caller's
/// [deadline](Policy::deadline). Errors of the inner service are passed on. All are boxed.
///
/// # Panics
///
/// To call the service outside of a tokio runtime whose time is enabled panics.
///
/// # Examples
///
/// ```
/// use core::{convert::Infallible, time::Duration};
/// use surmise_tower::{AdaptiveTimeoutLayer, Elapsed};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), surmise_tower::BoxError> {
/// let layer = AdaptiveTimeoutLayer::p99().ceiling(Duration::from_secs(5));
/// let mut service = layer.layer(service_fn(|millis| async move {
///     tokio::time::sleep(Duration::from_millis(millis)).await;
///     Ok::<_, Infallible>(millis)
/// }));
///
/// for _ in 0..1000 {
///     (&mut service).oneshot(20).await?;
/// }
/// // What always took 20 ms is not waited for much longer.
/// let error = service.oneshot(1000).await.expect_err("it takes a second");
/// assert!(error.downcast::<Elapsed>()?.after < Duration::from_millis(25));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AdaptiveTimeoutLayer<P = DefaultPolicy> {
    timeout: Arc<SharedAdaptiveTimeout>,
    policy: P,
}

impl AdaptiveTimeoutLayer {
    /// Creates a layer from a timeout that others may share, or read.
    ///
    /// If the timeout forgets calls by their age, its owner has to advance it.
    #[must_use]
    pub const fn new(timeout: Arc<SharedAdaptiveTimeout>) -> Self {
        Self { timeout, policy: DefaultPolicy }
    }

    /// Begins a layer with a timeout that one call in a hundred exceeds, between 1 ms and 30 s.
    ///
    /// Before anything is known it is the ceiling; a [prior](AdaptiveTimeoutBuilder::prior) that leaves callers time to
    /// try again is often better.
    #[must_use]
    pub fn p99() -> AdaptiveTimeoutBuilder {
        AdaptiveTimeoutBuilder::p99()
    }
}

impl<P> AdaptiveTimeoutLayer<P> {
    /// Returns the layer with another policy.
    ///
    /// Its [`deadline`](Policy::deadline) and [`outcome`](Policy::outcome) are asked.
    #[must_use]
    pub fn policy<Q>(self, policy: Q) -> AdaptiveTimeoutLayer<Q> {
        AdaptiveTimeoutLayer { timeout: self.timeout, policy }
    }

    /// Returns the timeout.
    #[must_use]
    pub const fn timeout(&self) -> &Arc<SharedAdaptiveTimeout> {
        &self.timeout
    }
}

impl<S, P: Clone> Layer<S> for AdaptiveTimeoutLayer<P> {
    type Service = AdaptiveTimeoutService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        AdaptiveTimeoutService { inner, layer: self.clone() }
    }
}

/// A service whose calls are given up in time: what [`AdaptiveTimeoutLayer`] makes.
#[derive(Clone, Debug)]
pub struct AdaptiveTimeoutService<S, P = DefaultPolicy> {
    inner: S,
    layer: AdaptiveTimeoutLayer<P>,
}

impl<S, P, Request> Service<Request> for AdaptiveTimeoutService<S, P>
where
    S: Service<Request>,
    S::Error: Into<BoxError>,
    P: Policy<Request, S::Response> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = AdaptiveTimeoutFuture<S::Future, P, Request>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let AdaptiveTimeoutLayer { timeout, policy } = &self.layer;
        let call = Call::new(Arc::clone(timeout), policy.deadline(&request));
        AdaptiveTimeoutFuture::begin(call, policy.clone(), || self.inner.call(request))
    }
}
