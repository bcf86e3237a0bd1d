use alloc::sync::Arc;
use core::{
    error::Error,
    fmt,
    iter::successors,
    mem,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, request};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::IdempotencyStore;
use tower_service::Service;

use super::{
    Execution, IdempotencyFuture, IdempotencyKey, IdempotentBody, config::Config, problem::Problem,
    tasks::Tasks, work::Work,
};
use crate::BoxError;

/// A service whose requests are executed once: what [`IdempotencyLayer`](super::IdempotencyLayer) makes.
pub struct IdempotencyService<I, S> {
    inner: I,
    store: Arc<S>,
    config: Arc<Config>,
    tasks: Tasks,
}

impl<I, S> IdempotencyService<I, S> {
    pub(super) const fn new(inner: I, store: Arc<S>, config: Arc<Config>, tasks: Tasks) -> Self {
        Self { inner, store, config, tasks }
    }
}

impl<I, S, B, R> Service<Request<B>> for IdempotencyService<I, S>
where
    I: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    I::Error: Send + 'static,
    I::Future: Send,
    S: IdempotencyStore + 'static,
    B: Body + From<Bytes> + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Send,
{
    type Response = Response<IdempotentBody<R>>;
    type Error = I::Error;
    type Future = IdempotencyFuture<I::Future, R, I::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // It is the one that is ready.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let (head, body) = request.into_parts();
        match self.config.key(&head) {
            Ok(None) => IdempotencyFuture::past(inner.call(Request::from_parts(head, body))),
            Ok(Some(key)) => {
                let (store, config) = (Arc::clone(&self.store), Arc::clone(&self.config));
                let tasks = self.tasks.clone();
                let work = move |fingerprint| Work { store, config, key, fingerprint, tasks };
                let config = Arc::clone(&self.config);
                IdempotencyFuture::through(answer(inner, head, body, config, work))
            }
            Err(problem) => IdempotencyFuture::through(async move { Ok(problem.into_response()) }),
        }
    }
}

impl Config {
    /// Returns the key of a request that is to be executed once.
    fn key(&self, head: &request::Parts) -> Result<Option<Key>, Problem> {
        // If an outer layer has the key already, it would be in flight forever.
        let is_seen = head.extensions.get::<Execution>().is_some();
        if is_seen || !self.methods.contains(&head.method) {
            return Ok(None);
        }
        let Some(key) =
            IdempotencyKey::from_headers(&head.headers, self.form).map_err(Problem::Invalid)?
        else {
            return if self.is_required { Err(Problem::Missing) } else { Ok(None) };
        };
        let tenant = (self.tenant)(head).ok_or(Problem::UnknownTenant)?;
        // The other parts were checked.
        let key = Key::new(tenant, &self.operation, key.as_str());
        key.map(Some).map_err(|_| Problem::UnknownTenant)
    }
}

/// Reads the request, and has it answered by a task that goes on if nobody waits for the answer any more.
async fn answer<I, S, B, R>(
    inner: I,
    head: request::Parts,
    body: B,
    config: Arc<Config>,
    work: impl FnOnce(Fingerprint) -> Work<S>,
) -> Result<Response<IdempotentBody<R>>, I::Error>
where
    I: Service<Request<B>, Response = Response<R>> + Send + 'static,
    I::Error: Send + 'static,
    I::Future: Send,
    S: IdempotencyStore + 'static,
    B: Body + From<Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: Send,
{
    let body = match read(body, config.max_request_body).await {
        Ok(body) => body,
        Err(problem) => return Ok(problem.into_response()),
    };
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let fields = [head.method.as_str().as_bytes(), target.as_bytes(), &body];
    let fingerprint = config.fingerprint_key.of(fields);
    let work = work(fingerprint);
    let tasks = work.tasks.clone();
    let work = work.answer(inner, Request::from_parts(head, B::from(body)));
    match tasks.spawn(work).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            // The runtime shuts down.
            Err(_) => Ok(Problem::OutcomeUnknown.into_response()),
        },
    }
}

/// Reads the body of a request, if it is not too long.
async fn read<B>(body: B, max: usize) -> Result<Bytes, Problem>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    if body.size_hint().lower() > max as u64 {
        return Err(Problem::TooLarge { max });
    }
    match Limited::new(body, max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if is_too_long(&*error) => Err(Problem::TooLarge { max }),
        Err(_) => Err(Problem::Unreadable),
    }
}

/// Returns whether a body is longer than may be: this layer's bound, or one outside of it, whose error others wrap.
fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |&error| error.source()).any(|error| error.is::<LengthLimitError>())
}

/// The store is shared.
impl<I: Clone, S> Clone for IdempotencyService<I, S> {
    fn clone(&self) -> Self {
        let (store, config) = (Arc::clone(&self.store), Arc::clone(&self.config));
        Self::new(self.inner.clone(), store, config, self.tasks.clone())
    }
}

impl<I, S> fmt::Debug for IdempotencyService<I, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyService").field("config", &self.config).finish_non_exhaustive()
    }
}
