use alloc::sync::Arc;
use core::task::{Context, Poll, ready};

use surmise_timeout::sync::AtomicRetryBudget;
use tokio::time::Instant;
use tower_service::Service;

use super::{HedgeLayer, legs::Legs};
use crate::{Policy, timer::is_too_late};

/// What it takes to send a backup.
pub(super) struct Spare<S, Request> {
    service: S,
    request: Request,
    budget: Arc<AtomicRetryBudget>,
    deadline: Option<Instant>,
}

impl<S, Request> Spare<S, Request> {
    /// Returns what it takes to send a backup of a request that is about to be sent, if that may be.
    pub(super) fn prepare<P, Response>(
        service: &S,
        request: &Request,
        layer: &HedgeLayer<P>,
    ) -> Option<Self>
    where
        S: Clone,
        P: Policy<Request, Response>,
    {
        let request = layer.policy.clone_request(request)?;
        let deadline = layer.policy.deadline(&request);
        Some(Self {
            service: service.clone(),
            request,
            budget: Arc::clone(&layer.budget),
            deadline,
        })
    }

    /// Returns whether a backup may be sent, once the service is ready for one, and pays for it if so.
    pub(super) fn poll_issue(&mut self, context: &mut Context<'_>, legs: &mut Legs) -> Poll<bool>
    where
        S: Service<Request>,
    {
        // The primary is under way, and does not fail because there is no other.
        let is_ready = ready!(self.service.poll_ready(context)).is_ok();
        Poll::Ready(is_ready && !is_too_late(self.deadline) && legs.issue(&self.budget))
    }

    pub(super) fn send(mut self) -> S::Future
    where
        S: Service<Request>,
    {
        self.service.call(self.request)
    }
}
