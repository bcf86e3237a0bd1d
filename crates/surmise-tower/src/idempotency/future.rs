use alloc::boxed::Box;
use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::IdempotentBody;

type Answer<B, E> = dyn Future<Output = Result<Response<IdempotentBody<B>>, E>> + Send;

pin_project! {
    /// The response of an [`IdempotencyService`](super::IdempotencyService).
    ///
    /// If it is dropped before the whole request was read, nothing was executed. Afterwards the
    /// work goes on in a task of its own, to its end or that of the runtime.
    pub struct IdempotencyFuture<F, B: Body, E> {
        #[pin]
        way: Way<F, B, E>,
    }
}

pin_project! {
    #[project = WayProjection]
    enum Way<F, B: Body, E> {
        Past { #[pin] response: F },
        Through { answer: Pin<Box<Answer<B, E>>> },
    }
}

impl<F, B: Body, E> IdempotencyFuture<F, B, E> {
    /// Passes on what the inner service answers.
    pub(super) const fn past(response: F) -> Self {
        Self { way: Way::Past { response } }
    }

    pub(super) fn through(
        answer: impl Future<Output = Result<Response<IdempotentBody<B>>, E>> + Send + 'static,
    ) -> Self {
        Self { way: Way::Through { answer: Box::pin(answer) } }
    }
}

impl<F, B, E> Future for IdempotencyFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<IdempotentBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().way.project() {
            WayProjection::Past { response } => {
                response.poll(context).map_ok(|response| response.map(IdempotentBody::passed))
            }
            WayProjection::Through { answer } => answer.as_mut().poll(context),
        }
    }
}

impl<F, B: Body, E> fmt::Debug for IdempotencyFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_past = matches!(self.way, Way::Past { .. });
        f.debug_struct("IdempotencyFuture").field("is_past", &is_past).finish_non_exhaustive()
    }
}
