//! Operations with the mistakes that the tests are to notice.

use surmise_fence::Refusal;

use super::{
    super::{
        ledger::Abort,
        operation::{Batch, Operation, Revoke},
    },
    model::Step,
};
use crate::{LostReply, Outcome, Revoked, StoreError};

/// Checks before the transaction, and writes in it.
pub(super) struct CheckThenWrite {
    pub(super) step: Step,
    pub(super) refused: bool,
}

impl Operation for CheckThenWrite {
    type Reply = Outcome;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Outcome, Abort> {
        let Step { resource, key, value, pass } = &self.step;
        let key = key.as_deref().unwrap_or_default();
        if !self.refused {
            batch.ledger.put(resource, key, value.as_deref(), *pass)?;
            return Ok(Outcome::Applied);
        }
        batch.ledger.write(resource, key, value.as_deref(), *pass)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Outcome, StoreError> {
        Ok(Outcome::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// Says `>` where `>=` is right.
pub(super) struct Strict(pub(super) Step);

impl Operation for Strict {
    type Reply = Outcome;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Outcome, Abort> {
        let Step { resource, key, value, pass } = &self.0;
        let key = key.as_deref().unwrap_or_default();
        // Nobody has this nonce, so that an equal token is told from others.
        let twin = pass.with_nonce(2);
        if let Ok(Err(Refusal::Collision { .. })) = batch.ledger.check(resource, key, twin) {
            let (offered, highest) = (pass.token, pass.token);
            return Ok(Outcome::Stale { offered, highest });
        }
        batch.ledger.write(resource, key, value.as_deref(), *pass)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Outcome, StoreError> {
        Ok(Outcome::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// Deletes the counter with the lease.
pub(super) struct ForgetTokens(pub(super) Revoke);

impl Operation for ForgetTokens {
    type Reply = Revoked;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Revoked, Abort> {
        batch.ledger.put_tokens(1, None)?;
        self.0.perform(batch)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Revoked, StoreError> {
        Ok(Revoked::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        0
    }
}
