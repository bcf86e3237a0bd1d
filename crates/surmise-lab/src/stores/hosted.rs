use std::io;

use surmise_fence::{FencingToken, Grant, Pass};
use surmise_store::{
    BoxError, Change, Entry, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore,
    LostReply, Outcome, Resource, Revoked, StoreError, Ttl,
};

use super::ask::{Ask, Reply};

/// A store that another process has, and is asked by `ask`, which returns nothing where the other has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hosted {
    ask: fn(Resource<'_>, Ask) -> io::Result<Option<Reply>>,
}

impl Hosted {
    pub(crate) const fn new(ask: fn(Resource<'_>, Ask) -> io::Result<Option<Reply>>) -> Self {
        Self { ask }
    }

    /// Asks; an error says that the answer did not come, and that it may have happened.
    fn ask(&self, resource: Resource<'_>, ask: Ask) -> Result<Reply, LostReply> {
        let lost = |error: BoxError| LostReply::new(NAME, error);
        match (self.ask)(resource, ask).map_err(|error| lost(error.into()))? {
            Some(reply) => Ok(reply),
            None => Err(lost(io::Error::from(io::ErrorKind::UnexpectedEof).into())),
        }
    }
}

impl LeaseStore for Hosted {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let holder = request.holder().to_owned();
        let ask = Ask::Grant { holder, nonce: request.nonce(), ttl: request.ttl().get() };
        match self.ask(request.resource(), ask) {
            Ok(Reply::Granted { token, valid_for }) => {
                Ok(Granted::Granted(Grant { token, valid_for }))
            }
            Ok(Reply::Held { token, nonce, holder, remaining }) => {
                Ok(Granted::Held(Holding::new(token, nonce, holder, remaining)))
            }
            Ok(Reply::Delayed { remaining }) => Ok(Granted::Delayed { remaining }),
            other => unsaid(other).map(Granted::Indeterminate),
        }
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        match self.ask(resource, Ask::Extend { token, ttl: ttl.get() }) {
            Ok(Reply::Granted { token, valid_for }) => {
                Ok(Extended::Extended(Grant { token, valid_for }))
            }
            Ok(Reply::Lost) => Ok(Extended::Lost),
            other => unsaid(other).map(Extended::Indeterminate),
        }
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        match self.ask(resource, Ask::Revoke { token }) {
            Ok(Reply::Done) => Ok(Revoked::Revoked),
            Ok(Reply::Lost) => Ok(Revoked::Lost),
            other => unsaid(other).map(Revoked::Indeterminate),
        }
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        match self.ask(resource, Ask::Holding) {
            Ok(Reply::Held { token, nonce, holder, remaining }) => {
                Ok(Some(Holding::new(token, nonce, holder, remaining)))
            }
            Ok(Reply::Lost) => Ok(None),
            other => Err(unread(other)),
        }
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        Err(StoreError::Unusable {
            store: NAME.to_owned(),
            problem: "a holder does not begin epochs".to_owned(),
            remedy: "ask the store itself",
        })
    }
}

impl FencedStore for Hosted {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let (key, value) = (change.key().to_vec(), change.value().map(<[u8]>::to_vec));
        let ask = Ask::Apply { key, value, pass: change.pass() };
        outcome(self.ask(change.resource(), ask))
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        outcome(self.ask(resource, Ask::RaiseFloor { pass }))
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        match self.ask(resource, Ask::Floor) {
            Ok(Reply::Floor(floor)) => Ok(floor),
            other => Err(unread(other)),
        }
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        match self.ask(Resource::new(resource)?, Ask::Read { key: key.to_vec() }) {
            Ok(Reply::Entry(entry)) => Ok(entry.map(|(value, pass)| Entry::new(value, pass))),
            other => Err(unread(other)),
        }
    }
}

fn outcome(reply: Result<Reply, LostReply>) -> Result<Outcome, StoreError> {
    match reply {
        Ok(Reply::Done) => Ok(Outcome::Applied),
        Ok(Reply::Stale { offered, highest }) => Ok(Outcome::Stale { offered, highest }),
        Ok(Reply::Collision { token, offered, seen }) => {
            Ok(Outcome::Collision { token, offered, seen })
        }
        Ok(Reply::Duplicate { sequence }) => Ok(Outcome::Duplicate { sequence }),
        Ok(Reply::OutOfOrder { offered, highest }) => Ok(Outcome::OutOfOrder { offered, highest }),
        other => unsaid(other).map(Outcome::Indeterminate),
    }
}

/// Returns what it means for a change that the store did not say what became of it.
fn unsaid(reply: Result<Reply, LostReply>) -> Result<LostReply, StoreError> {
    match reply {
        Err(lost) => Ok(lost),
        Ok(Reply::Failed(why)) => Err(unavailable(why)),
        Ok(Reply::Indeterminate(why)) => Ok(LostReply::new(NAME, why)),
        Ok(other) => Ok(LostReply::new(NAME, format!("it answered another question: {other:?}"))),
    }
}

/// Returns what it means for a question, which changes nothing.
fn unread(reply: Result<Reply, LostReply>) -> StoreError {
    match unsaid(reply) {
        Ok(lost) => unavailable(lost),
        Err(error) => error,
    }
}

fn unavailable(source: impl Into<BoxError>) -> StoreError {
    StoreError::Unavailable { store: NAME.to_owned(), source: source.into() }
}

/// What errors call the store.
const NAME: &str = "the store of the process that started this one";
