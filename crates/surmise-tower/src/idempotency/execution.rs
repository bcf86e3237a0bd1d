use alloc::sync::Arc;
use core::future::pending;

use bytes::Bytes;
use http::{HeaderName, Response};
use surmise_store::Ticket;
use tokio::sync::watch;

use super::record::Record;

/// What a handler can know of its execution: an extension of each request that has a key.
///
/// With the ticket a handler notes how far it is ([`IdempotencyStore::save`](surmise_store::IdempotencyStore::save)),
/// and shows its [token](Ticket::token) to a fence where the effect is, one for each key. It must not release the ticket.
#[derive(Clone, Debug)]
pub struct Execution {
    ticket: Ticket,
    is_recovery: bool,
    headers: Arc<[HeaderName]>,
    is_fenced: watch::Receiver<bool>,
}

impl Execution {
    pub(super) const fn new(
        ticket: Ticket,
        is_recovery: bool,
        headers: Arc<[HeaderName]>,
        is_fenced: watch::Receiver<bool>,
    ) -> Self {
        Self { ticket, is_recovery, headers, is_fenced }
    }

    /// Returns the ticket, with the key, the token and the last checkpoint.
    #[must_use]
    pub const fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Returns whether an earlier execution may have come any distance, its end included.
    ///
    /// It can only be true if the layer [recovers](super::IdempotencyLayer::recover_by_executing).
    #[must_use]
    pub const fn is_recovery(&self) -> bool {
        self.is_recovery
    }

    /// Returns whether the store said that the ticket is void: another execution took over, unless the handler settled it
    /// itself. A handler that sees it should do no more.
    ///
    /// It is noticed when the lease is renewed, at each third of it. That it is not true yet says nothing; only a fence does.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        *self.is_fenced.borrow()
    }

    /// Waits until the ticket [is void](Self::is_fenced), for as long as that takes.
    pub async fn fenced(&self) {
        if self.is_fenced.clone().wait_for(|is_fenced| *is_fenced).await.is_err() {
            // The execution is over, and nobody looks any more.
            pending::<()>().await;
        }
    }

    /// Returns the result to complete the ticket with in a transaction of the handler's own, beside the effect.
    ///
    /// The handler then returns this response. That the layer completes the ticket once more changes nothing. Where
    /// something between handler and layer changes the response, retries get the handler's, and it is counted as not kept.
    #[must_use]
    pub fn result(&self, response: &Response<Bytes>) -> Vec<u8> {
        let body = response.body().clone();
        Record::of(response.status(), response.headers(), &self.headers, body).to_bytes()
    }
}
