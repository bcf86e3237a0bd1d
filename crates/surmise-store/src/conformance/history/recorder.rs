use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use surmise_fence::{FencingToken, Pass, Refusal};
use surmise_time::MonotonicClock;

use super::{Action, Answer, Event};
use crate::{
    Change, Entry, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore, Outcome,
    Resource, Revoked, StoreError, Ttl,
};

/// Notes what clients ask and hear.
///
/// Each request is handed to the sink twice: before it is sent, as one without an answer, and with its answer. So
/// that of a client which was killed is known too, if the sink keeps it elsewhere.
/// [`History::note`](super::History::note) takes both.
pub struct Recorder<C, F> {
    clock: C,
    sink: F,
}

impl<C: MonotonicClock, F: Fn(Event)> Recorder<C, F> {
    /// Creates a recorder with the clock of all clients.
    pub const fn new(clock: C, sink: F) -> Self {
        Self { clock, sink }
    }

    /// Returns a store that does what another does, and notes it. Each client has its own.
    pub const fn client<'a, S>(&'a self, client: u64, store: &'a S) -> Client<'a, S, C, F> {
        Client { recorder: self, client, store, next: AtomicU64::new(0) }
    }
}

impl<C: fmt::Debug, F> fmt::Debug for Recorder<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// What one client asks of a store, which is noted by a [`Recorder`].
pub struct Client<'a, S, C, F> {
    recorder: &'a Recorder<C, F>,
    client: u64,
    store: &'a S,
    next: AtomicU64,
}

impl<S: fmt::Debug, C, F> fmt::Debug for Client<'_, S, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("client", &self.client)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl<S, C: MonotonicClock, F: Fn(Event)> Client<'_, S, C, F> {
    fn send(&self, resource: &str, action: Action) -> Event {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let event = Event {
            client: self.client,
            number,
            resource: resource.to_owned(),
            invoked: self.recorder.clock.now(),
            returned: None,
            action,
            answer: Answer::Unknown,
        };
        (self.recorder.sink)(event.clone());
        event
    }

    fn answered<V>(
        &self,
        mut event: Event,
        outcome: Result<V, StoreError>,
        answer: impl FnOnce(&V) -> Answer,
    ) -> Result<V, StoreError> {
        event.returned = Some(self.recorder.clock.now());
        event.answer = outcome.as_ref().map_or(Answer::Failed, answer);
        (self.recorder.sink)(event);
        outcome
    }
}

impl<S, C, F> LeaseStore for Client<'_, S, C, F>
where
    S: LeaseStore,
    C: MonotonicClock + Send + Sync,
    F: Fn(Event) + Send + Sync,
{
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let action = Action::Grant { nonce: request.nonce() };
        let event = self.send(request.resource().as_str(), action);
        let outcome = self.store.grant(request).await;
        self.answered(event, outcome, |granted| match granted {
            Granted::Granted(grant) => Answer::Granted(*grant),
            Granted::Held(holding) => held(holding),
            Granted::Delayed { .. } => Answer::Free,
            Granted::Indeterminate(_) => Answer::Unknown,
        })
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        let event = self.send(resource.as_str(), Action::Extend { token });
        let outcome = self.store.extend(resource, token, ttl).await;
        self.answered(event, outcome, |extended| match extended {
            Extended::Extended(grant) => Answer::Granted(*grant),
            Extended::Lost => Answer::Free,
            Extended::Indeterminate(_) => Answer::Unknown,
        })
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        let event = self.send(resource.as_str(), Action::Revoke { token });
        let outcome = self.store.revoke(resource, token).await;
        self.answered(event, outcome, |revoked| match revoked {
            Revoked::Revoked => Answer::Done,
            Revoked::Lost => Answer::Free,
            Revoked::Indeterminate(_) => Answer::Unknown,
        })
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        let event = self.send(resource.as_str(), Action::Holding);
        let outcome = self.store.holding(resource).await;
        self.answered(event, outcome, |holding| holding.as_ref().map_or(Answer::Free, held))
    }

    /// It is not noted.
    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        self.store.advance_epoch().await
    }
}

impl<S, C, F> FencedStore for Client<'_, S, C, F>
where
    S: FencedStore,
    C: MonotonicClock + Send + Sync,
    F: Fn(Event) + Send + Sync,
{
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let (key, value) = (change.key().to_vec(), change.value().map(<[u8]>::to_vec));
        let action = Action::Write { key, value, pass: change.pass() };
        let event = self.send(change.resource().as_str(), action);
        let outcome = self.store.apply(change).await;
        self.answered(event, outcome, verdict)
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        let event = self.send(resource.as_str(), Action::Raise { pass });
        let outcome = self.store.raise_floor(resource, pass).await;
        self.answered(event, outcome, verdict)
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        let event = self.send(resource.as_str(), Action::Floor);
        let outcome = self.store.floor(resource).await;
        self.answered(event, outcome, |floor| Answer::Floor(*floor))
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let event = self.send(resource, Action::Read { key: key.to_vec() });
        let outcome = self.store.read(resource, key).await;
        self.answered(event, outcome, |entry| Answer::Read(entry.clone()))
    }
}

fn held(holding: &Holding) -> Answer {
    Answer::Held { token: holding.token, nonce: holding.nonce }
}

fn verdict(outcome: &Outcome) -> Answer {
    Answer::Refused(match *outcome {
        Outcome::Applied => return Answer::Done,
        Outcome::Indeterminate(_) => return Answer::Unknown,
        Outcome::Stale { offered, highest } => Refusal::Stale { offered, highest },
        Outcome::Collision { token, offered, seen } => Refusal::Collision { token, offered, seen },
        Outcome::Duplicate { sequence } => Refusal::Duplicate { sequence },
        Outcome::OutOfOrder { offered, highest } => Refusal::OutOfOrder { offered, highest },
    })
}
