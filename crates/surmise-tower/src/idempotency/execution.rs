use alloc::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Response};
use surmise_store::Ticket;

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
}

impl Execution {
    pub(super) const fn new(ticket: Ticket, is_recovery: bool, headers: Arc<[HeaderName]>) -> Self {
        Self { ticket, is_recovery, headers }
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

    /// Returns the result to complete the ticket with in a transaction of the handler's own, beside the effect.
    ///
    /// The handler then returns this response. That the layer completes the ticket once more changes nothing.
    #[must_use]
    pub fn result(&self, response: &Response<Bytes>) -> Vec<u8> {
        let body = response.body().clone();
        Record::of(response.status(), response.headers(), &self.headers, body).to_bytes()
    }
}
