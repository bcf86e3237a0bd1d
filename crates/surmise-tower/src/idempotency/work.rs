use alloc::sync::Arc;
use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{Claim, Claimed, IdempotencyStore, Settled, Settlement, StoreError, Ticket};
use tokio::sync::watch;
use tower_service::Service;

use super::{
    Config, Execution, IdempotentBody, Retain,
    body::Collected,
    problem::Problem,
    record::Record,
    settling::{Settling, give_back},
    tasks::Tasks,
    telemetry,
};

/// Says that a response was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What it takes to execute a request, or to find out that it was executed.
#[derive(Debug)]
pub(super) struct Work<S> {
    pub(super) store: Arc<S>,
    pub(super) config: Arc<Config>,
    pub(super) key: Key,
    pub(super) fingerprint: Fingerprint,
    pub(super) tasks: Tasks,
}

impl<S: IdempotencyStore + 'static> Work<S> {
    /// Executes the request unless it was, or is being; from then on this must not be dropped.
    pub(super) async fn answer<I, B, R>(
        self,
        inner: I,
        request: Request<B>,
    ) -> Result<Response<IdempotentBody<R>>, I::Error>
    where
        I: Service<Request<B>, Response = Response<R>>,
        R: Body<Data = Bytes>,
    {
        let problem = match self.claim().await {
            Ok(Claimed::Execute(ticket)) => {
                return self.execute(ticket, false, inner, request).await;
            }
            Ok(Claimed::Recover(ticket)) if self.config.recovers => {
                return self.execute(ticket, true, inner, request).await;
            }
            Ok(Claimed::Recover(ticket)) => {
                telemetry::outcome_unknown(&ticket);
                self.settle(&ticket, Retain::Long, &Record::OutcomeUnknown).await;
                Problem::OutcomeUnknown
            }
            Ok(Claimed::Replay(bytes)) => return Ok(replay(bytes)),
            Ok(Claimed::InFlight { .. }) => {
                telemetry::in_flight();
                Problem::InFlight
            }
            Ok(Claimed::Mismatch) => {
                telemetry::mismatched();
                Problem::Mismatch
            }
            Ok(Claimed::Full) => {
                telemetry::refused(&"the store is full");
                Problem::Full
            }
            Ok(Claimed::Indeterminate(lost)) => {
                telemetry::refused(&lost);
                Problem::Unavailable
            }
            Ok(_) => Problem::Unavailable,
            Err(error) => {
                telemetry::refused(&error);
                Problem::Unavailable
            }
        };
        Ok(problem.into_response())
    }

    /// Executes the request, and completes the ticket with the response. If there is none, the ticket is left: nobody
    /// knows what was done.
    async fn execute<I, B, R>(
        &self,
        ticket: Ticket,
        is_recovery: bool,
        mut inner: I,
        mut request: Request<B>,
    ) -> Result<Response<IdempotentBody<R>>, I::Error>
    where
        I: Service<Request<B>, Response = Response<R>>,
        R: Body<Data = Bytes>,
    {
        telemetry::executing(&ticket, is_recovery);
        let headers = Arc::clone(&self.config.headers);
        let (fenced, is_fenced) = watch::channel(false);
        let execution = Execution::new(ticket.clone(), is_recovery, headers, is_fenced);
        request.extensions_mut().insert(execution);
        let read = async {
            let response = inner.call(request).await?;
            Ok(self.read(&ticket, response).await)
        };
        let (response, retain, record) = beside(read, self.renew(&ticket, &fenced)).await?;
        self.settle(&ticket, retain, &record).await;
        Ok(response)
    }

    /// Reads a response as far as need be, and returns what is to be remembered of it.
    async fn read<R: Body<Data = Bytes>>(
        &self,
        ticket: &Ticket,
        response: Response<R>,
    ) -> (Response<IdempotentBody<R>>, Retain, Record) {
        let (head, body) = response.into_parts();
        let not_kept = Record::NotKept { status: head.status };
        let said = head.extensions.get::<Retain>().copied();
        let retain = said.unwrap_or_else(|| (self.config.retain)(&head));
        if let Retain::Nothing | Retain::Marker = retain {
            let response = Response::from_parts(head, IdempotentBody::passed(body));
            return (response, retain, not_kept);
        }
        let (body, record) = match Collected::read(body, self.config.max_response_body).await {
            Collected::Whole(bytes) => {
                let body = bytes.clone();
                let record = Record::of(head.status, &head.headers, &self.config.headers, body);
                (IdempotentBody::whole(bytes), record)
            }
            Collected::Partial(body) => {
                telemetry::unkept(ticket, &"its body is too long, has trailers, or broke off");
                (body, not_kept)
            }
        };
        (Response::from_parts(head, body), retain, record)
    }

    /// Settles a ticket, and goes on with that after the client was answered if need be.
    async fn settle(&self, ticket: &Ticket, retain: Retain, record: &Record) {
        let mut bytes = record.to_bytes();
        if let (Record::Response { status, .. }, true) =
            (record, bytes.len() > Settlement::MAX_BYTES)
        {
            telemetry::unkept(ticket, &"it is longer than a store can keep");
            bytes = Record::NotKept { status: *status }.to_bytes();
        }
        let (store, ticket) = (Arc::clone(&self.store), ticket.clone());
        let settling = Settling { store, ticket, retain, bytes };
        if settling.try_now().await {
            let _detached = self.tasks.spawn(settling.go_on());
        }
    }

    /// Says what to do about the request. If nobody knows, what is granted nevertheless is given back later.
    async fn claim(&self) -> Result<Claimed, StoreError> {
        let (fingerprint, terms) = (self.fingerprint, self.config.terms);
        let claim = Claim::random(&self.key, fingerprint, terms)?;
        let lost = match self.store.claim(claim).await? {
            Claimed::Indeterminate(lost) => lost,
            claimed => return Ok(claimed),
        };
        match self.store.claim(claim).await {
            Ok(Claimed::Indeterminate(_)) | Err(_) => {
                let (store, key, nonce) =
                    (Arc::clone(&self.store), self.key.clone(), claim.nonce());
                let _detached = self.tasks.spawn(async move {
                    if let Ok(claim) = Claim::new(&key, fingerprint, nonce, terms) {
                        give_back(&*store, claim).await;
                    }
                });
                Ok(Claimed::Indeterminate(lost))
            }
            claimed => claimed,
        }
    }

    /// Renews the lease at each third of it, until another execution took over, which the handler can learn.
    async fn renew(&self, ticket: &Ticket, fenced: &watch::Sender<bool>) {
        loop {
            tokio::time::sleep(ticket.terms().lease / 3).await;
            // Whatever else went wrong, the next third is another chance.
            if let Ok(Settled::Fenced) = self.store.renew(ticket).await {
                fenced.send_replace(true);
                return;
            }
        }
    }
}

fn replay<R: Body>(bytes: Vec<u8>) -> Response<IdempotentBody<R>> {
    let Some(record) = Record::from_bytes(bytes) else {
        return Problem::UnreadableRecord.into_response();
    };
    // A problem of this layer is not what the handler answered.
    let is_replay = matches!(record, Record::Response { .. });
    let mut response = record.replay();
    if is_replay {
        telemetry::replayed();
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Does some work, and something else beside it for as long as that takes.
///
/// The other is not held to what tokio allows a task at a time: where the work uses that up, again and again, no timer would
/// fire for it, and no store answer.
async fn beside<T>(work: impl Future<Output = T>, other: impl Future<Output = ()>) -> T {
    let (mut work, mut other) = (pin!(work), pin!(tokio::task::unconstrained(other)));
    let mut is_over = false;
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        is_over = is_over || other.as_mut().poll(context).is_ready();
        Poll::Pending
    })
    .await
}
