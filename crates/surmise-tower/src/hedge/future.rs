use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

use super::{legs::Legs, spare::Spare};
use crate::{BoxError, Judgement, Policy, telemetry::Span, timer::poll_elapsed};

pin_project! {
    /// The response of a [`HedgeService`](crate::HedgeService).
    ///
    /// If it is dropped before it is ready, both requests are dropped with it; what was still under way is
    /// recorded as cancelled.
    pub struct HedgeFuture<S, P, Request>
    where
        S: Service<Request>,
    {
        // None once it failed.
        #[pin]
        primary: Option<S::Future>,
        #[pin]
        backup: Backup<S, S::Future, Request>,
        legs: Legs,
        policy: P,
    }
}

pin_project! {
    #[project = BackupProjection]
    enum Backup<S, F, Request> {
        // The delay is over first, and then the service ready.
        Waiting {
            #[pin]
            delay: Sleep,
            spare: Option<Spare<S, Request>>,
        },
        Sent {
            #[pin]
            response: F,
            span: Span,
        },
        // It failed, or there is none.
        Over,
    }
}

impl<S, P, Request> HedgeFuture<S, P, Request>
where
    S: Service<Request>,
{
    /// Sends the primary.
    pub(super) fn begin(
        spare: Option<Spare<S, Request>>,
        legs: Legs,
        policy: P,
        delay: Duration,
        send: impl FnOnce() -> S::Future,
    ) -> Self {
        let backup = match spare {
            Some(spare) => Backup::Waiting { delay: tokio::time::sleep(delay), spare: Some(spare) },
            None => Backup::Over,
        };
        Self { primary: Some(send()), backup, legs, policy }
    }
}

impl<S, P, Request> Future for HedgeFuture<S, P, Request>
where
    S: Service<Request>,
    S::Error: Into<BoxError>,
    P: Policy<Request, S::Response>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(primary) = this.primary.as_mut().as_pin_mut() {
            if let Poll::Ready(result) = primary.poll(context) {
                let result = result.map_err(Into::into);
                this.legs.primary_ended(|took| this.policy.outcome(&result, took));
                let is_kept = this.policy.judge(&result) == Judgement::Keep;
                if is_kept || !this.backup.is_sent() {
                    this.backup.set(Backup::Over);
                    this.legs.end(false);
                    return Poll::Ready(result);
                }
                this.primary.set(None);
            }
        }
        let result = ready!(this.backup.as_mut().poll(context, this.legs)).map_err(Into::into);
        this.legs.backup_ended(|took| this.policy.outcome(&result, took));
        let is_kept = this.policy.judge(&result) == Judgement::Keep;
        if is_kept || this.primary.is_none() {
            this.primary.set(None);
            this.legs.end(is_kept);
            return Poll::Ready(result);
        }
        this.backup.set(Backup::Over);
        Poll::Pending
    }
}

impl<S, Request> Backup<S, S::Future, Request>
where
    S: Service<Request>,
{
    const fn is_sent(&self) -> bool {
        matches!(self, Self::Sent { .. })
    }

    /// Sends the backup when it is time to, and polls its response. Is pending for ever if there is none.
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        legs: &mut Legs,
    ) -> Poll<Result<S::Response, S::Error>> {
        loop {
            match self.as_mut().project() {
                BackupProjection::Waiting { delay, spare } => {
                    ready!(poll_elapsed(delay, context));
                    let is_issued = match spare {
                        Some(spare) => ready!(spare.poll_issue(context, legs)),
                        None => false,
                    };
                    let Some(spare) = spare.take().filter(|_| is_issued) else {
                        self.set(Self::Over);
                        return Poll::Pending;
                    };
                    let span = Span::backup();
                    let response = span.enter(|| spare.send());
                    self.set(Self::Sent { response, span });
                }
                BackupProjection::Sent { response, span } => {
                    return span.enter(|| response.poll(context));
                }
                BackupProjection::Over => return Poll::Pending,
            }
        }
    }
}

impl<S, P, Request> fmt::Debug for HedgeFuture<S, P, Request>
where
    S: Service<Request>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HedgeFuture").field("legs", &self.legs).finish_non_exhaustive()
    }
}
