use alloc::sync::Arc;
use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use surmise_timeout::{backoff::Retries, sync::AtomicRetryBudget};
use tokio::time::{Instant, Sleep};
use tower_service::Service;

use super::{RetryLayer, payment::Payment};
use crate::{BoxError, Judgement, Policy, telemetry, timer::is_too_late};

/// What it takes to try a request again.
pub(super) struct Again<S, P, Request> {
    service: S,
    request: Request,
    policy: P,
    budget: Arc<AtomicRetryBudget>,
    /// Of the retry that waits.
    payment: Option<Payment>,
    retries: Retries,
    max_retries: u32,
    max_retry_after: Duration,
    began: Instant,
    deadline: Option<Instant>,
}

impl<S, P, Request> Again<S, P, Request> {
    /// Returns what it takes to try a request again that is about to be sent, if that may be.
    pub(super) fn prepare<Response>(
        service: &S,
        request: &Request,
        layer: &RetryLayer<P>,
    ) -> Option<Self>
    where
        S: Clone,
        P: Policy<Request, Response> + Clone,
    {
        if layer.max_retries == 0 {
            return None;
        }
        let request = layer.policy.clone_request(request)?;
        let RetryLayer { backoff, max_retries, max_retry_after, budget, policy } = layer.clone();
        let (began, deadline) = (Instant::now(), policy.deadline(&request));
        let retries = backoff.retries(max_retries);
        let retries = match deadline {
            Some(deadline) => retries.until(since(began, deadline)),
            None => retries,
        };
        let service = service.clone();
        Some(Self {
            service,
            request,
            policy,
            budget,
            payment: None,
            retries,
            max_retries,
            max_retry_after,
            began,
            deadline,
        })
    }

    /// Returns how long to wait until the next try, if there is to be one.
    pub(super) fn delay<Response>(
        &mut self,
        result: &Result<Response, BoxError>,
    ) -> Option<Duration>
    where
        P: Policy<Request, Response>,
    {
        let retry_after = match self.policy.judge(result) {
            Judgement::Keep => return None,
            Judgement::Retry => None,
            Judgement::RetryAfter(least) if least > self.max_retry_after => {
                telemetry::asked_to_wait_too_long(least);
                return None;
            }
            Judgement::RetryAfter(least) => Some(least),
        };
        let now = since(self.began, Instant::now());
        let delay = self.retries.next_delay(now, fastrand::u64(..), retry_after)?;
        let Ok(payment) = Payment::take(&self.budget) else {
            telemetry::retry_denied(self.retries.made());
            return None;
        };
        self.payment = Some(payment);
        telemetry::retry_delayed(self.retries.made(), delay);
        Some(delay)
    }

    /// Returns whether the request may be sent again now: the delay is over, the service is ready, and it is not too late.
    /// A result that is not pending is the last.
    pub(super) fn poll_turn(
        &mut self,
        context: &mut Context<'_>,
        mut sleep: Pin<&mut Sleep>,
        is_delayed: &mut bool,
    ) -> Poll<Result<bool, S::Error>>
    where
        S: Service<Request>,
    {
        if *is_delayed {
            ready!(sleep.as_mut().poll(context));
            *is_delayed = false;
            if let Some(deadline) = self.deadline {
                sleep.as_mut().reset(deadline);
            }
        }
        if self.deadline.is_some() && sleep.poll(context).is_ready() {
            return Poll::Ready(Ok(false));
        }
        ready!(self.service.poll_ready(context))?;
        // By the clock: a timer can be late.
        if is_too_late(self.deadline) {
            return Poll::Ready(Ok(false));
        }
        telemetry::retry_sent(self.retries.made());
        Poll::Ready(Ok(true))
    }

    /// Sends the request again, and returns what it takes to do so once more, if that may be.
    pub(super) fn send(mut self) -> (S::Future, Option<Self>)
    where
        S: Service<Request>,
        P: Policy<Request, S::Response>,
    {
        if let Some(payment) = self.payment.take() {
            payment.spend();
        }
        let copy = (self.retries.made() < self.max_retries)
            .then(|| self.policy.clone_request(&self.request))
            .flatten();
        let response = self.service.call(self.request);
        (response, copy.map(|request| Self { request, ..self }))
    }

    /// Returns how many retries there were, the one about to be sent included.
    pub(super) const fn retries(&self) -> u32 {
        self.retries.made()
    }
}

impl<S, P, Request> fmt::Debug for Again<S, P, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again")
            .field("retries", &self.retries)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// Returns a point on tokio's clock as the time since another, which is all that retries need.
fn since(began: Instant, instant: Instant) -> surmise_time::Instant {
    surmise_time::Instant::ORIGIN + instant.saturating_duration_since(began)
}
