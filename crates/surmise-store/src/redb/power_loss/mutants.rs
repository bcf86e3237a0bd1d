//! Operations with the mistakes that the tests are to notice.

use surmise_fence::Refusal;
use surmise_idempotency::Key;

use super::{
    super::{
        ledger::Abort,
        operation::{Batch, Execute, Operation, Revoke, Settle},
    },
    model::Step,
};
use crate::{Claimed, LostReply, Outcome, Revoked, Settled, StoreError, idempotency_store::State};

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

/// Removes what was completed.
pub(super) struct ForgetCompletion(pub(super) Settle, pub(super) Key);

impl Operation for ForgetCompletion {
    type Reply = Settled;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Settled, Abort> {
        let settled = self.0.perform(batch)?;
        forget(batch, &self.1, |state| matches!(state, State::Completed { .. }))?;
        Ok(settled)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Settled, StoreError> {
        Ok(Settled::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// Takes it that nothing was done where a recovery is released.
pub(super) struct ForgetRecovery(pub(super) Settle, pub(super) Key);

impl Operation for ForgetRecovery {
    type Reply = Settled;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Settled, Abort> {
        let settled = self.0.perform(batch)?;
        if matches!(settled, Settled::Done) {
            let is_recovery = |state: &State| matches!(state, State::InFlight { .. });
            forget(batch, &self.1, is_recovery)?;
        }
        Ok(settled)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Settled, StoreError> {
        Ok(Settled::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// Executes what another is at.
pub(super) struct ExecuteInFlight(pub(super) Execute, pub(super) Key);

impl Operation for ExecuteInFlight {
    type Reply = Claimed;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Claimed, Abort> {
        forget(batch, &self.1, |state| matches!(state, State::InFlight { .. }))?;
        self.0.perform(batch)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Claimed, StoreError> {
        Ok(Claimed::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        0
    }
}

fn forget(
    batch: &mut Batch<'_>,
    key: &Key,
    is_forgotten: impl Fn(&State) -> bool,
) -> Result<(), Abort> {
    match batch.ledger.execution(key.as_bytes())? {
        Some(row) if is_forgotten(&row.record.state) => {
            Ok(batch.ledger.remove_execution(key.as_bytes(), row.record.forgotten_at)?)
        }
        _ => Ok(()),
    }
}
