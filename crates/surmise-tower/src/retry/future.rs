use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

use super::again::Again;
use crate::{BoxError, Policy, telemetry::Span};

pin_project! {
    /// The response of a [`RetryService`](crate::RetryService).
    ///
    /// If it is dropped before it is ready, no more tries are made, and the one under way is dropped with it.
    pub struct RetryFuture<S, P, Request>
    where
        S: Service<Request>,
    {
        // What it takes to send the request again, unless that may not be.
        again: Option<Again<S, P, Request>>,
        #[pin]
        state: State<S::Future, S::Response>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, Response> {
        Trying {
            #[pin]
            response: F,
            span: Span,
        },
        // The delay is over first, and then the service ready.
        Waiting {
            #[pin]
            sleep: Sleep,
            is_delayed: bool,
            result: Option<Result<Response, BoxError>>,
        },
    }
}

impl<S, P, Request> RetryFuture<S, P, Request>
where
    S: Service<Request>,
{
    /// Sends the request for the first time.
    pub(super) fn begin(
        again: Option<Again<S, P, Request>>,
        send: impl FnOnce() -> S::Future,
    ) -> Self {
        let span = Span::attempt(0);
        Self { again, state: State::Trying { response: span.enter(send), span } }
    }
}

impl<S, P, Request> Future for RetryFuture<S, P, Request>
where
    S: Service<Request>,
    S::Error: Into<BoxError>,
    P: Policy<Request, S::Response>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Trying { response, span } => {
                    let result = ready!(span.enter(|| response.poll(context)));
                    let result = result.map_err(Into::into);
                    let delay = this.again.as_mut().and_then(|again| again.delay(&result));
                    let Some(delay) = delay else {
                        *this.again = None;
                        return Poll::Ready(result);
                    };
                    let sleep = tokio::time::sleep(delay);
                    let result = Some(result);
                    this.state.set(State::Waiting { sleep, is_delayed: true, result });
                }
                StateProjection::Waiting { sleep, is_delayed, result } => {
                    let again = this.again.as_mut().expect(POLLED_AGAIN);
                    let is_in_time = ready!(again.poll_turn(context, sleep, is_delayed));
                    // Whatever comes of it: neither a place at the service nor the token is kept for longer than that.
                    let again = this.again.take().expect(POLLED_AGAIN);
                    if !is_in_time.map_err(Into::into)? {
                        return Poll::Ready(result.take().expect(POLLED_AGAIN));
                    }
                    let span = Span::attempt(again.retries());
                    let (response, copy) = span.enter(|| again.send());
                    *this.again = copy;
                    this.state.set(State::Trying { response, span });
                }
            }
        }
    }
}

const POLLED_AGAIN: &str = "it was not polled after it was ready";

impl<S, P, Request> fmt::Debug for RetryFuture<S, P, Request>
where
    S: Service<Request>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryFuture").field("again", &self.again).finish_non_exhaustive()
    }
}
