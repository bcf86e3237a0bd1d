use alloc::sync::Arc;
use core::fmt;

use http::{HeaderName, Method, request, response};
use surmise_idempotency::{FingerprintKey, Key, KeyError};
use surmise_store::{LimitExceeded, Terms};
use tower_layer::Layer;

use super::{IdempotencyService, KeyForm, Retain, config::Config, tasks::Tasks};

/// Executes requests with the same `Idempotency-Key` once, and answers all of them alike.
///
/// All services of a layer and its clones share its store. The [module](super) says what is answered when.
///
/// # Panics
///
/// A call with a key, outside of a tokio runtime whose time is enabled, panics. So does one whose handler panics: its
/// outcome is unknown.
///
/// # Examples
///
/// A service of axum's, and who is asking is known from a header that a proxy has put there. It is `route_layer`, since
/// `layer` would also answer, and remember, requests for paths that there are not:
///
/// ```
/// use axum::{Router, http::StatusCode, routing::post};
/// use surmise_store::{
///     LeaseClock,
///     memory::{MemoryConfig, MemoryStore},
/// };
/// use surmise_tower::idempotency::IdempotencyLayer;
///
/// let store = MemoryStore::new(MemoryConfig::default(), LeaseClock)?;
/// let once = IdempotencyLayer::new(store, |request| request.headers.get("x-account").cloned());
/// let app: Router = Router::new()
///     .route("/payments", post(async || (StatusCode::CREATED, "paid")))
///     .route_layer(once.required());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct IdempotencyLayer<S> {
    store: Arc<S>,
    config: Arc<Config>,
    tasks: Tasks,
}

impl<S> IdempotencyLayer<S> {
    /// Creates a layer for many tenants, given how to know from a request whose it is.
    ///
    /// Two tenants can choose the same key, and neither must get the other's response. What tells them apart must
    /// be what was authenticated before this layer, and the same for each retry: an account, not a token that
    /// expires. Requests with a key of which it is not known whose they are are answered with 403, and so are those
    /// whose tenant is empty, as a header may be that a proxy has cleared, or has more than [`Key::MAX_PART`] bytes.
    #[must_use]
    pub fn new<T: AsRef<[u8]>>(
        store: S,
        tenant: impl Fn(&request::Parts) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        Self::of(store, move |request| {
            tenant(request)
                .map(|tenant| tenant.as_ref().to_vec())
                .filter(|tenant| !tenant.is_empty())
        })
    }

    /// Creates a layer for clients that trust each other: whoever knows a key and the request gets the response.
    #[must_use]
    pub fn single_tenant(store: S) -> Self {
        Self::of(store, |_| Some(Vec::new()))
    }

    fn of(
        store: S,
        tenant: impl Fn(&request::Parts) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(Config::new(Arc::new(tenant)));
        Self { store: Arc::new(store), config, tasks: Tasks::new() }
    }

    /// Returns the layer with another name for what is done; without a name unless said otherwise.
    ///
    /// Each operation has its keys to itself. Those that share a store and a name also share keys: a key that is used for
    /// two of them is answered with 422. That goes by the path that this layer sees. If a router cuts off a prefix before
    /// it, as axum's `nest` does, routes that look alike behind it need names that differ.
    ///
    /// # Errors
    ///
    /// If the name has more than [`Key::MAX_PART`] bytes.
    pub fn operation(self, name: impl Into<String>) -> Result<Self, KeyError> {
        let operation = name.into();
        Key::new("", &operation, "any")?;
        Ok(self.with(|config| config.operation = operation))
    }

    /// Returns the layer with other terms: how long leases last, and responses are kept.
    ///
    /// While a handler runs, its lease is renewed at each third of it. So it need not be longer than the handler takes,
    /// but should be much longer than the store, or a handler that blocks its thread, ever hesitates.
    ///
    /// # Errors
    ///
    /// If they are beyond their limits.
    pub fn terms(self, terms: Terms) -> Result<Self, LimitExceeded> {
        let terms = terms.checked()?;
        Ok(self.with(|config| config.terms = terms))
    }

    /// Returns the layer with a secret for fingerprints, which has to last as long as the store.
    ///
    /// Without one, the key of fingerprints is the same everywhere, and known. Fingerprints tell a client that it used a
    /// key twice; a client that makes two requests of its own with the same fingerprint is answered to the
    /// second with the response to the first. A secret is worth its care where that does harm, as it may if the layer is for a
    /// [single tenant](Self::single_tenant). With another secret than before, each retry is answered with 422.
    #[must_use]
    pub fn fingerprint_key(self, key: FingerprintKey) -> Self {
        self.with(|config| config.fingerprint_key = key)
    }

    /// Returns the layer for keys that are written so; with or without quotes unless said otherwise.
    #[must_use]
    pub fn key_form(self, form: KeyForm) -> Self {
        self.with(|config| config.form = form)
    }

    /// Returns the layer for requests with these methods; POST and PATCH unless said otherwise.
    ///
    /// All others pass, with a key or without.
    #[must_use]
    pub fn methods(self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.with(|config| config.methods = methods.into_iter().collect())
    }

    /// Returns the layer that answers requests without a key with 400. Otherwise they pass.
    #[must_use]
    pub fn required(self) -> Self {
        self.with(|config| config.is_required = true)
    }

    /// Returns the layer for longer or shorter requests with a key; up to 1 MiB unless said otherwise.
    ///
    /// So many bytes may be held in memory for each request under way.
    #[must_use]
    pub fn max_request_body(self, bytes: usize) -> Self {
        self.with(|config| config.max_request_body = bytes)
    }

    /// Returns the layer that keeps longer or only shorter responses; up to 256 KiB unless said otherwise.
    ///
    /// No store keeps more than [`Settlement::MAX_BYTES`](surmise_store::Settlement::MAX_BYTES), headers included.
    #[must_use]
    pub fn max_response_body(self, bytes: usize) -> Self {
        self.with(|config| config.max_response_body = bytes)
    }

    /// Returns the layer with another rule of which responses are kept, given their heads.
    ///
    /// Unless said otherwise, all but those with status 401, 425 and 429. What a handler says by an extension
    /// [`Retain`] of its response goes before the rule.
    #[must_use]
    pub fn retain(self, rule: impl Fn(&response::Parts) -> Retain + Send + Sync + 'static) -> Self {
        self.with(|config| config.retain = Arc::new(rule))
    }

    /// Returns the layer that keeps and replays these headers, and no other.
    ///
    /// Unless said otherwise: `Content-Disposition`, `Content-Encoding`, `Content-Language`, `Content-Location`,
    /// `Content-Type`, `ETag`, `Last-Modified`, `Link` and `Location`. Without `Content-Encoding` and
    /// `Content-Type` a body may not be understood. The length need not be kept.
    #[must_use]
    pub fn replayed_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.with(|config| config.headers = names.into_iter().collect())
    }

    /// Returns the layer that executes again where an earlier execution may have come any distance.
    ///
    /// That is for handlers that do no harm then: because their effect is idempotent, because they go on from a
    /// checkpoint, or because they look first. [`Execution::is_recovery`](super::Execution::is_recovery) tells them. The
    /// earlier execution may still be under way, wherever that is; the token of the ticket, shown to a fence, keeps
    /// its effects out.
    #[must_use]
    pub fn recover_by_executing(self) -> Self {
        self.with(|config| config.recovers = true)
    }

    /// Waits until nothing is executed any more by a service of this layer or its clones, whose client left included.
    ///
    /// Servers that shut down gracefully wait for the connections that there are, and so for nothing of which the client left.
    /// What is dropped with the runtime has an unknown outcome. So first let the server end, then wait for this, for as
    /// long as that may take, and only then close the store. It also waits for what a store does not confirm at once: for no
    /// more than as long as a lease.
    ///
    /// ```no_run
    /// # use axum::Router;
    /// # use surmise_store::{LeaseClock, memory::MemoryStore};
    /// # use surmise_tower::idempotency::IdempotencyLayer;
    /// # async fn example(
    /// #     payments: Router, once: IdempotencyLayer<MemoryStore<LeaseClock>>,
    /// #     listener: tokio::net::TcpListener, interrupted: tokio::sync::oneshot::Receiver<()>,
    /// # ) -> std::io::Result<()> {
    /// let app = payments.route_layer(once.clone());
    /// axum::serve(listener, app).with_graceful_shutdown(async { drop(interrupted.await) }).await?;
    /// once.drained().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn drained(&self) {
        self.tasks.drained().await;
    }

    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S, I> Layer<I> for IdempotencyLayer<S> {
    type Service = IdempotencyService<I, S>;

    fn layer(&self, inner: I) -> Self::Service {
        let (store, config) = (Arc::clone(&self.store), Arc::clone(&self.config));
        IdempotencyService::new(inner, store, config, self.tasks.clone())
    }
}

/// The store is shared.
impl<S> Clone for IdempotencyLayer<S> {
    fn clone(&self) -> Self {
        let (store, config) = (Arc::clone(&self.store), Arc::clone(&self.config));
        Self { store, config, tasks: self.tasks.clone() }
    }
}

impl<S> fmt::Debug for IdempotencyLayer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyLayer").field("config", &self.config).finish_non_exhaustive()
    }
}
