use core::time::Duration;

use surmise_fence::FencingToken;
use surmise_idempotency::Key;

use super::Terms;
use crate::LimitExceeded;

/// The right to execute, and to say what came of it.
///
/// A ticket that is dropped is as one whose caller died: the key is held up until the lease ends. What it
/// says may be said again, if the reply was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    key: Key,
    token: FencingToken,
    terms: Terms,
    checkpoint: Option<Vec<u8>>,
}

impl Ticket {
    /// Creates the ticket of an execution that a store granted, under terms that it took: it takes no others with a settlement.
    #[must_use]
    pub const fn new(
        key: Key,
        token: FencingToken,
        terms: Terms,
        checkpoint: Option<Vec<u8>>,
    ) -> Self {
        Self { key, token, terms, checkpoint }
    }

    #[cfg(any(feature = "etcd", feature = "redis"))]
    pub(super) fn with_token(self, token: FencingToken) -> Self {
        Self { token, ..self }
    }

    /// Returns what is executed.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the token of this execution: higher than that of all earlier ones of the same key.
    ///
    /// Shown with each effect to a fence that is where the effect is, it keeps those of an executor that was
    /// given up from landing after its successor's. That fence must be one of this key alone, as each entry of a
    /// resource has whose floor nobody raises:
    ///
    /// ```
    /// # use surmise_store::{FencedStore, Outcome, StoreError, Ticket};
    /// # async fn charge(store: &impl FencedStore, ticket: &Ticket) -> Result<Outcome, StoreError> {
    /// store.write("charged", ticket.key().as_bytes(), b"100", ticket.token()).await
    /// # }
    /// ```
    ///
    /// Tokens of other keys are higher and lower as it comes: on a fence that keys share, each would refuse others of
    /// which nobody took over. Neither are they to be compared with those of leases, which are counted on their own: a
    /// token of the one may be equal to one of the other.
    #[must_use]
    pub const fn token(&self) -> FencingToken {
        self.token
    }

    /// Returns the terms that were claimed.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        self.terms
    }

    /// Returns what the earlier executor saved last, if this ticket is to recover from it.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&[u8]> {
        self.checkpoint.as_deref()
    }
}

/// What became of an execution, or how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement<'a>(pub(crate) Verb<'a>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb<'a> {
    Complete { result: &'a [u8], retention: Duration },
    Release,
    Renew,
    Save { checkpoint: &'a [u8] },
}

impl<'a> Settlement<'a> {
    /// The length of the longest result or checkpoint, 1 MiB: etcd takes no more than 1.5 MiB in a request.
    pub const MAX_BYTES: usize = 1 << 20;

    /// Creates the completion with a result, which is kept for so long.
    ///
    /// # Errors
    ///
    /// If the result is too long, or is to be kept for less than [`Ttl::MIN`](crate::Ttl::MIN) or more than
    /// [`Terms::MAX_RETENTION`].
    pub fn complete(result: &'a [u8], retention: Duration) -> Result<Self, LimitExceeded> {
        let retention = Terms::checked_retention(retention)?;
        Ok(Self(Verb::Complete { result: checked(result)?, retention }))
    }

    /// Creates the end of an execution that did nothing. If it was to recover from another, only its lease ends.
    #[must_use]
    pub const fn release() -> Self {
        Self(Verb::Release)
    }

    /// Creates the wish for a new lease.
    #[must_use]
    pub const fn renew() -> Self {
        Self(Verb::Renew)
    }

    /// Creates the note of how far an execution came.
    ///
    /// # Errors
    ///
    /// If the checkpoint is too long.
    pub fn save(checkpoint: &'a [u8]) -> Result<Self, LimitExceeded> {
        Ok(Self(Verb::Save { checkpoint: checked(checkpoint)? }))
    }
}

fn checked(value: &[u8]) -> Result<&[u8], LimitExceeded> {
    if value.len() > Settlement::MAX_BYTES {
        return Err(LimitExceeded::Value { bytes: value.len() });
    }
    Ok(value)
}
