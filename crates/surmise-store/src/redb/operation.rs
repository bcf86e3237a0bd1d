//! What callers ask for, and how each is answered.

mod executions;

use alloc::sync::Arc;

use surmise_fence::{FencingToken, Pass};
use surmise_time::{Instant, WallTime};

pub(super) use self::executions::{Execute, Settle};
use super::{
    executions::Executions,
    failure::Failure,
    leases::Leases,
    ledger::{Abort, Ledger},
    reply::{Receiver, Sender, reply},
};
use crate::{
    Change, Extended, Granted, Holding, LeaseRequest, LostReply, Outcome, Resource, Revoked,
    StoreError, Ttl,
};

/// What a caller asks for.
pub(super) trait Operation: Send + 'static {
    type Reply: Send + 'static;

    /// Does it, as a part of a batch.
    fn perform(&self, batch: &mut Batch<'_>) -> Result<Self::Reply, Abort>;

    /// Says that it may have been done.
    fn lost(reply: LostReply, store: &str) -> Result<Self::Reply, StoreError>;

    /// Returns about how many bytes it takes while it waits, apart from a few for itself.
    fn bytes(&self) -> usize;
}

/// What operations are performed on.
pub(super) struct Batch<'a> {
    pub(super) ledger: Ledger<'a>,
    pub(super) leases: &'a mut Leases,
    pub(super) executions: &'a mut Executions,
    pub(super) now: Instant,
}

/// How a batch ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// What was done is durable.
    Durable,
    /// Nothing was done.
    Undone(Failure),
    /// All was done, or nothing.
    Unknown(Failure),
}

/// An operation whose caller waits.
pub(super) trait Waiting: Send {
    fn perform(&mut self, batch: &mut Batch<'_>) -> Result<(), Failure>;
    fn answer(self: Box<Self>, ended: &Ended, store: &str);
    fn is_abandoned(&self) -> bool;
    fn bytes(&self) -> usize;
}

#[derive(Debug)]
struct Asked<O: Operation> {
    operation: O,
    sender: Sender<Result<O::Reply, StoreError>>,
    performed: Option<Performed<O::Reply>>,
}

#[derive(Debug)]
struct Performed<T> {
    reply: Result<T, StoreError>,
    /// Whether anything changed.
    is_change: bool,
}

/// What a caller waits for.
pub(super) type Answer<O> = Receiver<Result<<O as Operation>::Reply, StoreError>>;

/// Pairs an operation with its caller.
pub(super) fn ask<O: Operation>(operation: O) -> (Box<dyn Waiting>, Answer<O>) {
    let (sender, receiver) = reply();
    (Box::new(Asked { operation, sender, performed: None }), receiver)
}

impl<O: Operation> Waiting for Asked<O> {
    fn perform(&mut self, batch: &mut Batch<'_>) -> Result<(), Failure> {
        let before = batch.ledger.changes();
        let reply = match self.operation.perform(batch) {
            Ok(reply) => Ok(reply),
            Err(Abort::Operation(error)) => Err(error),
            Err(Abort::Batch(failure)) => return Err(failure),
        };
        let is_change = batch.ledger.changes() > before;
        self.performed = Some(Performed { reply, is_change });
        Ok(())
    }

    fn answer(self: Box<Self>, ended: &Ended, store: &str) {
        let reply = match (ended, self.performed) {
            (Ended::Durable, Some(performed)) => performed.reply,
            (Ended::Undone(failure), _)
            | (Ended::Unknown(failure), Some(Performed { is_change: false, .. })) => {
                Err(failure.refusal(store))
            }
            (Ended::Unknown(failure), _) => O::lost(failure.lost(store), store),
            (Ended::Durable, None) => O::lost(LostReply::new(store, "it was not performed"), store),
        };
        self.sender.send(reply);
    }

    fn is_abandoned(&self) -> bool {
        self.sender.is_abandoned()
    }

    fn bytes(&self) -> usize {
        self.operation.bytes() + size_of::<Self>()
    }
}

#[derive(Debug)]
pub(super) struct Write {
    resource: Box<str>,
    key: Box<[u8]>,
    value: Option<Box<[u8]>>,
    pass: Pass,
}

impl From<Change<'_>> for Write {
    fn from(change: Change<'_>) -> Self {
        Self {
            resource: change.resource().as_str().into(),
            key: change.key().into(),
            value: change.value().map(Into::into),
            pass: change.pass(),
        }
    }
}

impl Operation for Write {
    type Reply = Outcome;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Outcome, Abort> {
        batch.ledger.write(&self.resource, &self.key, self.value.as_deref(), self.pass)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Outcome, StoreError> {
        Ok(Outcome::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        self.resource.len() + self.key.len() + self.value.as_ref().map_or(0, |value| value.len())
    }
}

#[derive(Debug)]
pub(super) struct Raise {
    resource: Box<str>,
    pass: Pass,
}

impl Raise {
    pub(super) fn new(resource: Resource<'_>, pass: Pass) -> Self {
        Self { resource: resource.as_str().into(), pass }
    }
}

impl Operation for Raise {
    type Reply = Outcome;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Outcome, Abort> {
        batch.ledger.raise(&self.resource, self.pass)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Outcome, StoreError> {
        Ok(Outcome::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        self.resource.len()
    }
}

#[derive(Debug)]
pub(super) struct Acquire {
    resource: Arc<str>,
    nonce: u64,
    holder: Box<str>,
    ttl: Ttl,
}

impl From<LeaseRequest<'_>> for Acquire {
    fn from(request: LeaseRequest<'_>) -> Self {
        Self {
            resource: request.resource().as_str().into(),
            nonce: request.nonce(),
            holder: request.holder().into(),
            ttl: request.ttl(),
        }
    }
}

impl Operation for Acquire {
    type Reply = Granted;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Granted, Abort> {
        let Self { resource, nonce, holder, ttl } = self;
        let at = (batch.now, &mut batch.ledger);
        batch.leases.grant(resource, *nonce, holder, ttl.get(), at)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Granted, StoreError> {
        Ok(Granted::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        self.resource.len() + self.holder.len()
    }
}

#[derive(Debug)]
pub(super) struct Extend {
    resource: Arc<str>,
    token: FencingToken,
    ttl: Ttl,
}

impl Extend {
    pub(super) fn new(resource: Resource<'_>, token: FencingToken, ttl: Ttl) -> Self {
        Self { resource: resource.as_str().into(), token, ttl }
    }
}

impl Operation for Extend {
    type Reply = Extended;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Extended, Abort> {
        let at = (batch.now, &mut batch.ledger);
        batch.leases.extend(&self.resource, self.token, self.ttl.get(), at)
    }

    fn lost(reply: LostReply, _: &str) -> Result<Extended, StoreError> {
        Ok(Extended::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        self.resource.len()
    }
}

#[derive(Debug)]
pub(super) struct Revoke {
    resource: Arc<str>,
    token: FencingToken,
}

impl Revoke {
    pub(super) fn new(resource: Resource<'_>, token: FencingToken) -> Self {
        Self { resource: resource.as_str().into(), token }
    }
}

impl Operation for Revoke {
    type Reply = Revoked;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Revoked, Abort> {
        batch.leases.revoke(&self.resource, self.token, (batch.now, &mut batch.ledger))
    }

    fn lost(reply: LostReply, _: &str) -> Result<Revoked, StoreError> {
        Ok(Revoked::Indeterminate(reply))
    }

    fn bytes(&self) -> usize {
        self.resource.len()
    }
}

/// The question who holds a lease.
#[derive(Debug)]
pub(super) struct Ask(Arc<str>);

impl Ask {
    pub(super) fn new(resource: Resource<'_>) -> Self {
        Self(resource.as_str().into())
    }
}

impl Operation for Ask {
    type Reply = Option<Holding>;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<Option<Holding>, Abort> {
        Ok(batch.leases.holding(&self.0, batch.now))
    }

    fn lost(reply: LostReply, store: &str) -> Result<Option<Holding>, StoreError> {
        Err(unanswered(reply, store))
    }

    fn bytes(&self) -> usize {
        self.0.len()
    }
}

#[derive(Debug)]
pub(super) struct AdvanceEpoch {
    pub(super) now: WallTime,
}

impl Operation for AdvanceEpoch {
    type Reply = u64;

    fn perform(&self, batch: &mut Batch<'_>) -> Result<u64, Abort> {
        batch.leases.advance_epoch(self.now, &mut batch.ledger)
    }

    /// It may be the next epoch, or not: asked again, the store begins one in either case.
    fn lost(reply: LostReply, store: &str) -> Result<u64, StoreError> {
        Err(unanswered(reply, store))
    }

    fn bytes(&self) -> usize {
        0
    }
}

fn unanswered(reply: LostReply, store: &str) -> StoreError {
    StoreError::Unavailable { store: store.to_owned(), source: Box::new(reply) }
}
