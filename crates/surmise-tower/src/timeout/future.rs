use alloc::sync::Arc;
use core::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use surmise_timeout::{Outcome, sync::SharedAdaptiveTimeout};
use tokio::time::{Instant, Sleep};

use super::{Elapsed, Limit};
use crate::{BoxError, Policy, telemetry, timer::poll_elapsed};

pin_project! {
    /// The response of an [`AdaptiveTimeoutService`](crate::AdaptiveTimeoutService).
    ///
    /// If it is dropped before it is ready, the call is recorded as cancelled. Nothing of it stays behind.
    pub struct AdaptiveTimeoutFuture<F, P, Request> {
        // None if the call was given up: it is cancelled with that, and not only when this is dropped.
        #[pin]
        response: Option<F>,
        #[pin]
        sleep: Sleep,
        call: Call,
        policy: P,
        request: PhantomData<fn(Request)>,
    }
}

impl<F, P, Request> AdaptiveTimeoutFuture<F, P, Request> {
    /// Makes a call, unless it is too late for that.
    pub(super) fn begin(call: Call, policy: P, make: impl FnOnce() -> F) -> Self {
        let sleep = tokio::time::sleep(call.wait);
        let response = if call.is_too_late() { None } else { Some(make()) };
        Self { response, sleep, call, policy, request: PhantomData }
    }
}

impl<F, P, Request, Response, E> Future for AdaptiveTimeoutFuture<F, P, Request>
where
    F: Future<Output = Result<Response, E>>,
    E: Into<BoxError>,
    P: Policy<Request, Response>,
{
    type Output = Result<Response, BoxError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(response) = this.response.as_mut().as_pin_mut() {
            // First the response: one that is there is taken, however late it is.
            if let Poll::Ready(result) = response.poll(context) {
                let result = result.map_err(Into::into);
                this.call.end(this.policy.outcome(&result, this.call.took()));
                return Poll::Ready(result);
            }
            ready!(poll_elapsed(this.sleep, context));
            this.response.set(None);
        }
        Poll::Ready(Err(this.call.give_up().into()))
    }
}

impl<F, P, Request> fmt::Debug for AdaptiveTimeoutFuture<F, P, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveTimeoutFuture").field("call", &self.call).finish_non_exhaustive()
    }
}

/// A call under way, which is recorded once, however it ends.
#[derive(Debug)]
pub(super) struct Call {
    timeout: Arc<SharedAdaptiveTimeout>,
    began: Instant,
    wait: Duration,
    limit: Limit,
    is_over: bool,
}

impl Call {
    pub(super) fn new(timeout: Arc<SharedAdaptiveTimeout>, deadline: Option<Instant>) -> Self {
        let began = Instant::now();
        let drawn = timeout.draw(fastrand::u64(..));
        let remaining = deadline.map(|deadline| deadline.saturating_duration_since(began));
        let (wait, limit) = match remaining {
            Some(remaining) if remaining < drawn => (remaining, Limit::Deadline),
            _ => (drawn, Limit::Timeout),
        };
        Self { timeout, began, wait, limit, is_over: false }
    }

    /// Returns whether nobody waits for the answer any more. No timeout is zero.
    const fn is_too_late(&self) -> bool {
        self.wait.is_zero()
    }

    fn took(&self) -> Duration {
        self.began.elapsed()
    }

    fn end(&mut self, outcome: Outcome) {
        self.is_over = true;
        self.timeout.record(outcome);
    }

    fn give_up(&mut self) -> Elapsed {
        let elapsed = Elapsed { after: self.wait, limit: self.limit };
        if !self.is_over {
            telemetry::call_given_up(elapsed);
            self.end(match self.limit {
                Limit::Timeout => Outcome::TimedOut(self.wait),
                Limit::Deadline if self.is_too_late() => Outcome::FailedFast,
                // That a caller was in a hurry does not make the timeout too short.
                Limit::Deadline => Outcome::Cancelled(self.wait),
            });
        }
        elapsed
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.is_over && !self.is_too_late() {
            self.end(Outcome::Cancelled(self.took()));
        }
    }
}
