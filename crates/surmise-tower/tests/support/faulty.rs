use alloc::{collections::VecDeque, sync::Arc};
use std::sync::Mutex;

use surmise_store::{
    Claim, Claimed, IdempotencyStore, LostReply, Settled, Settlement, StoreError, Ticket,
};

use crate::once::Memory;

/// What becomes of a claim.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Claims {
    Fail,
    BeFull,
    Lose,
    WorkAndLose,
}

/// What becomes of settlements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settles {
    Work,
    Fail,
    Lose,
    WorkAndLose,
}

/// A store that fails as it is told.
#[derive(Debug)]
pub(crate) struct Faulty {
    store: Arc<Memory>,
    claims: Mutex<VecDeque<Claims>>,
    settles: Mutex<(Settles, usize)>,
}

impl Faulty {
    pub(crate) const fn new(store: Arc<Memory>) -> Self {
        let settles = Mutex::new((Settles::Work, 0));
        Self { store, claims: Mutex::new(VecDeque::new()), settles }
    }

    /// Says what becomes of the next claims.
    pub(crate) fn let_claims(&self, claims: &[Claims]) {
        self.claims.lock().unwrap().extend(claims);
    }

    /// Says what becomes of so many settlements from now on.
    pub(crate) fn let_settles(&self, how: Settles, times: usize) {
        *self.settles.lock().unwrap() = (how, times);
    }
}

pub(crate) fn failure() -> StoreError {
    StoreError::Unavailable { store: "the store".to_owned(), source: "as told".into() }
}

pub(crate) fn lost() -> LostReply {
    LostReply::new("the store", "as told")
}

impl IdempotencyStore for Faulty {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let fault = self.claims.lock().unwrap().pop_front();
        match fault {
            None => self.store.claim(claim).await,
            Some(Claims::Fail) => Err(failure()),
            Some(Claims::BeFull) => Ok(Claimed::Full),
            Some(Claims::Lose) => Ok(Claimed::Indeterminate(lost())),
            Some(Claims::WorkAndLose) => {
                let _ = self.store.claim(claim).await?;
                Ok(Claimed::Indeterminate(lost()))
            }
        }
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        let how = {
            let mut settles = self.settles.lock().unwrap();
            let (how, left) = *settles;
            settles.1 = left.saturating_sub(1);
            if left == 0 { Settles::Work } else { how }
        };
        match how {
            Settles::Work => self.store.settle(ticket, settlement).await,
            Settles::Fail => Err(failure()),
            Settles::Lose => Ok(Settled::Indeterminate(lost())),
            Settles::WorkAndLose => {
                let _ = self.store.settle(ticket, settlement).await?;
                Ok(Settled::Indeterminate(lost()))
            }
        }
    }
}
