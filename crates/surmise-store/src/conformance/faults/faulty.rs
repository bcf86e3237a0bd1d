use core::{future::poll_fn, task::Poll};

use parking_lot::Mutex;
use surmise_fence::{FencingToken, Pass};

use crate::{
    Change, Entry, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore, LostReply,
    Outcome, Resource, Revoked, StoreError, Ttl, conformance::draws::Draws,
};

/// A store behind a network that loses, doubles and delays requests and replies.
///
/// Who is not answered hears that it is indeterminate. What is delayed is done at some later time, after requests
/// that were sent later. Reads are always answered, though not at once.
#[derive(Debug)]
pub struct Faulty<'a, S> {
    store: &'a S,
    odds: Odds,
    state: Mutex<State>,
}

/// How often something goes wrong on the way, in 256ths of the requests that change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct Odds {
    /// A request is lost.
    pub lost_request: u8,
    /// A request is done, and its reply is lost.
    pub lost_reply: u8,
    /// A request is not answered, and done later.
    pub late: u8,
    /// A request is done and answered, and done once more later.
    pub twice: u8,
}

impl Odds {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { lost_request: 0, lost_reply: 0, late: 0, twice: 0 };
}

/// One in 16 of each.
impl Default for Odds {
    fn default() -> Self {
        Self { lost_request: 16, lost_reply: 16, late: 16, twice: 16 }
    }
}

#[derive(Debug)]
struct State {
    draws: Draws,
    late: Vec<Request>,
}

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::conformance) enum Fate {
    Arrives,
    LostRequest,
    LostReply,
    Late,
    Twice,
}

impl<'a, S> Faulty<'a, S> {
    /// Puts a store behind a network.
    pub const fn new(store: &'a S, odds: Odds, seed: u64) -> Self {
        Self { store, odds, state: Mutex::new(State { draws: Draws::new(seed), late: Vec::new() }) }
    }
}

impl<S: LeaseStore + FencedStore> Faulty<'_, S> {
    /// Has everything done that is late.
    pub async fn deliver_all(&self) {
        while let Some(request) = self.any_late() {
            request.send(self.store).await;
        }
    }

    /// Returns what happens to a request, after some time in which others overtake it.
    async fn travel(&self) -> Fate {
        self.wait().await;
        let overdue = if self.state.lock().draws.one_in(4) { self.any_late() } else { None };
        if let Some(overdue) = overdue {
            overdue.send(self.store).await;
        }
        self.odds.draw(&mut self.state.lock().draws)
    }

    /// Lets others go first, at random.
    async fn wait(&self) {
        let times = self.state.lock().draws.below(4);
        for _ in 0..times {
            yield_now().await;
        }
    }

    fn any_late(&self) -> Option<Request> {
        let mut state = self.state.lock();
        let State { draws, late } = &mut *state;
        let count = u8::try_from(late.len()).unwrap_or(u8::MAX);
        (count > 0).then(|| late.swap_remove(draws.below(count).into()))
    }

    /// Sends a request, unless it is lost, and returns the answer, unless that is lost.
    async fn exchange<V>(
        &self,
        request: impl FnOnce() -> Request,
        send: impl Future<Output = Result<V, StoreError>>,
        lost: impl FnOnce(LostReply) -> V,
    ) -> Result<V, StoreError> {
        let fate = self.travel().await;
        let answer = match fate {
            Fate::LostRequest | Fate::Late => None,
            Fate::Arrives | Fate::Twice | Fate::LostReply => Some(send.await),
        };
        // After an error nothing was done, and nothing is done later.
        let failed = matches!(answer, Some(Err(_)));
        if fate == Fate::Late || fate == Fate::Twice && !failed {
            self.state.lock().late.push(request());
        }
        self.wait().await;
        match answer {
            Some(answer) if fate != Fate::LostReply => answer,
            _ => Ok(lost(LostReply::new("a faulty network", "the reply was lost"))),
        }
    }
}

impl Odds {
    pub(in crate::conformance) fn draw(self, draws: &mut Draws) -> Fate {
        let [mut drawn, ..] = draws.next().to_be_bytes().map(u16::from);
        let fates = [
            (self.lost_request, Fate::LostRequest),
            (self.lost_reply, Fate::LostReply),
            (self.late, Fate::Late),
            (self.twice, Fate::Twice),
        ];
        for (odds, fate) in fates {
            if drawn < odds.into() {
                return fate;
            }
            drawn -= u16::from(odds);
        }
        Fate::Arrives
    }
}

impl<S: LeaseStore + FencedStore> LeaseStore for Faulty<'_, S> {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let copy = || Request::Grant {
            resource: request.resource().as_str().into(),
            holder: request.holder().into(),
            nonce: request.nonce(),
            ttl: request.ttl(),
        };
        self.exchange(copy, self.store.grant(request), Granted::Indeterminate).await
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        let copy = || Request::Extend { resource: resource.as_str().into(), token, ttl };
        self.exchange(copy, self.store.extend(resource, token, ttl), Extended::Indeterminate).await
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        let copy = || Request::Revoke { resource: resource.as_str().into(), token };
        self.exchange(copy, self.store.revoke(resource, token), Revoked::Indeterminate).await
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        self.wait().await;
        let holding = self.store.holding(resource).await;
        self.wait().await;
        holding
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        self.store.advance_epoch().await
    }
}

impl<S: LeaseStore + FencedStore> FencedStore for Faulty<'_, S> {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let copy = || Request::Change {
            resource: change.resource().as_str().into(),
            key: change.key().to_vec(),
            value: change.value().map(<[u8]>::to_vec),
            pass: change.pass(),
        };
        self.exchange(copy, self.store.apply(change), Outcome::Indeterminate).await
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        let copy = || Request::Raise { resource: resource.as_str().into(), pass };
        self.exchange(copy, self.store.raise_floor(resource, pass), Outcome::Indeterminate).await
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        self.wait().await;
        let floor = self.store.floor(resource).await;
        self.wait().await;
        floor
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        self.wait().await;
        let entry = self.store.read(resource, key).await;
        self.wait().await;
        entry
    }
}

/// A request that is under way for longer than its sender waits.
#[derive(Debug)]
enum Request {
    Grant { resource: String, holder: String, nonce: u64, ttl: Ttl },
    Extend { resource: String, token: FencingToken, ttl: Ttl },
    Revoke { resource: String, token: FencingToken },
    Change { resource: String, key: Vec<u8>, value: Option<Vec<u8>>, pass: Pass },
    Raise { resource: String, pass: Pass },
}

impl Request {
    /// Has it done. Nobody waits for the answer.
    async fn send<S: LeaseStore + FencedStore>(&self, store: &S) {
        match self {
            Self::Grant { resource, holder, nonce, ttl } => {
                if let Ok(request) = LeaseRequest::new(resource, holder, *nonce, ttl.get()) {
                    _ = store.grant(request).await;
                }
            }
            Self::Extend { resource, token, ttl } => {
                if let Ok(resource) = Resource::new(resource) {
                    _ = store.extend(resource, *token, *ttl).await;
                }
            }
            Self::Revoke { resource, token } => {
                if let Ok(resource) = Resource::new(resource) {
                    _ = store.revoke(resource, *token).await;
                }
            }
            Self::Change { resource, key, value, pass } => {
                if let Ok(change) = Change::new(resource, key, value.as_deref(), *pass) {
                    _ = store.apply(change).await;
                }
            }
            Self::Raise { resource, pass } => _ = store.raise(resource, *pass).await,
        }
    }
}

/// Lets the other futures of this task go on.
pub(in crate::conformance) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
