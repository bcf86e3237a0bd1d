use parking_lot::Mutex;
use surmise_idempotency::{Fingerprint, Key};

use crate::{
    Claim, Claimed, IdempotencyStore, LostReply, Settled, Settlement, StoreError, Terms, Ticket,
    conformance::{
        draws::Draws,
        faults::{Fate, Odds, yield_now},
    },
    idempotency_store::Verb,
};

/// A store behind a network that loses, doubles and delays requests and replies, as
/// [`Faulty`](crate::conformance::faults::Faulty) does for leases.
pub(super) struct Network<'a, S> {
    store: &'a S,
    odds: Odds,
    state: Mutex<State>,
}

struct State {
    draws: Draws,
    late: Vec<Request>,
}

/// A request that is under way for longer than its sender waits.
enum Request {
    Claim { key: Key, fingerprint: Fingerprint, nonce: u64, terms: Terms },
    Complete { ticket: Ticket, result: Vec<u8>, retention: core::time::Duration },
    Release { ticket: Ticket },
    Renew { ticket: Ticket },
    Save { ticket: Ticket, checkpoint: Vec<u8> },
}

impl<'a, S: IdempotencyStore> Network<'a, S> {
    pub(super) const fn new(store: &'a S, odds: Odds, seed: u64) -> Self {
        Self { store, odds, state: Mutex::new(State { draws: Draws::new(seed), late: Vec::new() }) }
    }

    /// Has everything done that is late.
    pub(super) async fn deliver_all(&self) {
        while let Some(request) = self.any_late() {
            request.send(self.store).await;
        }
    }

    pub(super) async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let copy = || Request::Claim {
            key: claim.key().clone(),
            fingerprint: claim.fingerprint(),
            nonce: claim.nonce(),
            terms: claim.terms(),
        };
        self.exchange(copy, self.store.claim(claim), Claimed::Indeterminate).await
    }

    pub(super) async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        let copy = || {
            let ticket = ticket.clone();
            match settlement.0 {
                Verb::Complete { result, retention } => {
                    Request::Complete { ticket, result: result.to_vec(), retention }
                }
                Verb::Release => Request::Release { ticket },
                Verb::Renew => Request::Renew { ticket },
                Verb::Save { checkpoint } => {
                    Request::Save { ticket, checkpoint: checkpoint.to_vec() }
                }
            }
        };
        self.exchange(copy, self.store.settle(ticket, settlement), Settled::Indeterminate).await
    }

    /// Sends a request, unless it is lost, and returns the answer, unless that is lost.
    async fn exchange<V>(
        &self,
        copy: impl FnOnce() -> Request,
        send: impl Future<Output = Result<V, StoreError>>,
        lost: impl FnOnce(LostReply) -> V,
    ) -> Result<V, StoreError> {
        self.wait().await;
        let overdue = if self.state.lock().draws.one_in(4) { self.any_late() } else { None };
        if let Some(overdue) = overdue {
            overdue.send(self.store).await;
        }
        let fate = self.odds.draw(&mut self.state.lock().draws);
        let answer = match fate {
            Fate::LostRequest | Fate::Late => None,
            Fate::Arrives | Fate::Twice | Fate::LostReply => Some(send.await),
        };
        // After an error nothing was done, and nothing is done later.
        let failed = matches!(answer, Some(Err(_)));
        if fate == Fate::Late || fate == Fate::Twice && !failed {
            self.state.lock().late.push(copy());
        }
        self.wait().await;
        match answer {
            Some(answer) if fate != Fate::LostReply => answer,
            _ => Ok(lost(LostReply::new("a faulty network", "the reply was lost"))),
        }
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
}

impl Request {
    /// Has it done. Nobody waits for the answer.
    async fn send<S: IdempotencyStore>(&self, store: &S) {
        let (ticket, verb) = match self {
            Self::Claim { key, fingerprint, nonce, terms } => {
                if let Ok(claim) = Claim::new(key, *fingerprint, *nonce, *terms) {
                    _ = store.claim(claim).await;
                }
                return;
            }
            Self::Complete { ticket, result, retention } => {
                (ticket, Verb::Complete { result, retention: *retention })
            }
            Self::Release { ticket } => (ticket, Verb::Release),
            Self::Renew { ticket } => (ticket, Verb::Renew),
            Self::Save { ticket, checkpoint } => (ticket, Verb::Save { checkpoint }),
        };
        _ = store.settle(ticket, Settlement(verb)).await;
    }
}
