use alloc::sync::Arc;
use core::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{Claimed, IdempotencyStore, Settled, Settlement, StoreError, Ticket};
use tower_service::Service;

use super::{
    Config, Execution, IdempotentBody, Retain, body::Collected, problem::Problem, record::Record,
    telemetry,
};

/// Says that a response was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// For how long to wait before a completion that was not done, or may not have been, is tried again.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];

/// What it takes to execute a request, or to find out that it was executed.
#[derive(Debug)]
pub(super) struct Work<S> {
    pub(super) store: Arc<S>,
    pub(super) config: Arc<Config>,
    pub(super) key: Key,
    pub(super) fingerprint: Fingerprint,
}

impl<S: IdempotencyStore> Work<S> {
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
        let claimed = self.store.begin(&self.key, self.fingerprint, self.config.terms).await;
        let problem = match claimed {
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
        request.extensions_mut().insert(Execution::new(ticket.clone(), is_recovery, headers));
        let read = async {
            let response = inner.call(request).await?;
            Ok(self.read(&ticket, response).await)
        };
        let (response, retain, record) = beside(read, self.renew(&ticket)).await?;
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
        if retain == Retain::Nothing {
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

    /// Settles a ticket. If that cannot be done, it is left, and others learn that the outcome is unknown.
    async fn settle(&self, ticket: &Ticket, retain: Retain, record: &Record) {
        let mut bytes = record.to_bytes();
        if let (Record::Response { status, .. }, true) =
            (record, bytes.len() > Settlement::MAX_BYTES)
        {
            telemetry::unkept(ticket, &"it is longer than a store can keep");
            bytes = Record::NotKept { status: *status }.to_bytes();
        }
        let mut pauses = PAUSES.into_iter();
        loop {
            let settled = match retain {
                Retain::Long => self.store.complete(ticket, &bytes).await,
                Retain::Briefly => self.store.complete_briefly(ticket, &bytes).await,
                Retain::Nothing => self.store.release(ticket).await,
            };
            let why: &dyn fmt::Display = match &settled {
                Ok(Settled::Done) => return,
                Ok(Settled::Fenced) => {
                    return telemetry::unkept(ticket, &"another execution took over");
                }
                Ok(Settled::AlreadyCompleted) => {
                    return telemetry::unkept(ticket, &"the handler completed it with another");
                }
                Err(StoreError::Limit(limit)) => return telemetry::unkept(ticket, limit),
                Ok(Settled::Indeterminate(lost)) => lost,
                Ok(_) => &"the store says what this version does not know",
                Err(error) => error,
            };
            let Some(pause) = pauses.next() else { return telemetry::unkept(ticket, why) };
            tokio::time::sleep(pause).await;
        }
    }

    /// Renews the lease at each third of it, until another execution took over.
    async fn renew(&self, ticket: &Ticket) {
        loop {
            tokio::time::sleep(ticket.terms().lease / 3).await;
            // Whatever else went wrong, the next third is another chance.
            if let Ok(Settled::Fenced) = self.store.renew(ticket).await {
                return;
            }
        }
    }
}

fn replay<R: Body>(bytes: Vec<u8>) -> Response<IdempotentBody<R>> {
    telemetry::replayed();
    let Some(record) = Record::from_bytes(bytes) else {
        return Problem::UnreadableRecord.into_response();
    };
    let mut response = record.replay();
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
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
