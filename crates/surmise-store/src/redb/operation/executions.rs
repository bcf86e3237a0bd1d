//! Executions that are claimed and settled.

use core::time::Duration;

use surmise_idempotency::{Fingerprint, Key};

use super::{
    super::ledger::Abort,
    {Batch, Operation},
};
use crate::{
    Claim, Claimed, LostReply, Settled, Settlement, StoreError, Terms, Ticket,
    idempotency_store::Verb,
};

#[derive(Debug)]
pub(in crate::redb) struct Execute {
    key: Key,
    fingerprint: Fingerprint,
    nonce: u64,
    terms: Terms,
}

impl From<Claim<'_>> for Execute {
    fn from(claim: Claim<'_>) -> Self {
        Self {
            key: claim.key().clone(),
            fingerprint: claim.fingerprint(),
            nonce: claim.nonce(),
            terms: claim.terms(),
        }
    }
}

impl Operation for Execute {
    type Reply = Claimed;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Claimed, Abort> {
        let claim = Claim::new(&self.key, self.fingerprint, self.nonce, self.terms);
        let claim = claim.map_err(Abort::Operation)?;
        let epoch = batch.leases.epoch();
        batch.executions.claim(claim, epoch, (batch.now, &mut batch.ledger))
    }

    fn lost(reply: LostReply, _: &str) -> Result<Claimed, StoreError> {
        Ok(Claimed::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        self.key.as_bytes().len()
    }
}

#[derive(Debug)]
pub(in crate::redb) struct Settle {
    ticket: Ticket,
    settlement: OwnedSettlement,
}

#[derive(Debug)]
enum OwnedSettlement {
    Complete { result: Box<[u8]>, retention: Duration },
    Release,
    Renew,
    Save { checkpoint: Box<[u8]> },
}

impl Settle {
    pub(in crate::redb) fn new(ticket: &Ticket, settlement: Settlement<'_>) -> Self {
        let settlement = match settlement.0 {
            Verb::Complete { result, retention } => {
                OwnedSettlement::Complete { result: result.into(), retention }
            }
            Verb::Release => OwnedSettlement::Release,
            Verb::Renew => OwnedSettlement::Renew,
            Verb::Save { checkpoint } => OwnedSettlement::Save { checkpoint: checkpoint.into() },
        };
        // What was saved before is of no use here, and may be long.
        let ticket = Ticket::new(ticket.key().clone(), ticket.token(), ticket.terms(), None);
        Self { ticket, settlement }
    }
}

impl Operation for Settle {
    type Reply = Settled;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Settled, Abort> {
        let settlement = Settlement(match &self.settlement {
            OwnedSettlement::Complete { result, retention } => {
                Verb::Complete { result, retention: *retention }
            }
            OwnedSettlement::Release => Verb::Release,
            OwnedSettlement::Renew => Verb::Renew,
            OwnedSettlement::Save { checkpoint } => Verb::Save { checkpoint },
        });
        batch.executions.settle(&self.ticket, settlement, (batch.now, &mut batch.ledger))
    }

    fn lost(reply: LostReply, _: &str) -> Result<Settled, StoreError> {
        Ok(Settled::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        let value = match &self.settlement {
            OwnedSettlement::Complete { result: value, .. }
            | OwnedSettlement::Save { checkpoint: value } => value.len(),
            OwnedSettlement::Release | OwnedSettlement::Renew => 0,
        };
        self.ticket.key().as_bytes().len() + value
    }
}
