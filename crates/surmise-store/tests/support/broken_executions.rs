//! Stores that remember executions with a fault of choice.

use std::collections::HashMap;

use parking_lot::Mutex;
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claim, Claimed, IdempotencyStore, Settled, Settlement, StoreError, Terms, Ticket,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::{Instant, ManualClock, MonotonicClock as _};

/// What a store does otherwise than it has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It executes what another is at.
    ExecutesInFlight,
    /// It executes what another was at, and may have done.
    ExecutesAbandoned,
    /// It forgets how far another came.
    ForgetsCheckpoints,
    /// It lets void tickets settle.
    ZombieSettles,
    /// It says that what it did not do is done.
    RefusedIsDone,
    /// It takes any request for the same.
    IgnoresFingerprints,
    /// It tells another request only once the first is done.
    IgnoresFingerprintsInFlight,
    /// It forgets that it granted a recovery.
    RetryExecutes,
    /// It does not know a claim that is made again.
    RetryIsAnother,
    /// It takes claims without a nonce for one.
    ZeroIsANonce,
    /// It renews nothing, and says it did.
    RenewsNothing,
    /// It keeps what was released in flight.
    KeepsReleased,
    /// It forgets a recovery with its release.
    ForgetsReleasedRecoveries,
    /// It cuts off long results.
    CutsResults,
    /// Its keys have no tenants.
    JoinsTenants,
    /// It replays nothing.
    ForgetsResults,
    /// It settles once, and does not know it any more.
    RetriedSettlementIsVoid,
    /// It refuses who is late, though nobody took over.
    LateIsVoid,
    /// It remembers everything for a year.
    ForgetsNothing,
}

#[derive(Debug)]
pub(crate) struct Broken<'a> {
    fault: Fault,
    store: MemoryStore<&'a ManualClock>,
    clock: &'a ManualClock,
    known: Mutex<HashMap<Key, Known>>,
    /// How often each key was released.
    releases: Mutex<HashMap<Vec<u8>, u32>>,
}

/// What the faults need to know.
#[derive(Clone, Debug)]
struct Known {
    ticket: Ticket,
    settled: bool,
    lease_ends: Instant,
}

impl<'a> Broken<'a> {
    pub(crate) fn new(fault: Fault, clock: &'a ManualClock) -> Self {
        let store = MemoryStore::new(MemoryConfig::default(), clock).unwrap();
        Self { fault, store, clock, known: Mutex::default(), releases: Mutex::default() }
    }
}

impl IdempotencyStore for Broken<'_> {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let fault = self.fault;
        let key = match fault {
            Fault::JoinsTenants => {
                let joined = [claim.key().tenant(), claim.key().operation()].concat();
                Key::new("", joined, claim.key().key()).unwrap()
            }
            Fault::ForgetsReleasedRecoveries => {
                let releases = self.releases.lock().get(claim.key().key()).copied();
                let operation = releases.unwrap_or_default().to_string();
                Key::new(claim.key().tenant(), operation, claim.key().key()).unwrap()
            }
            _ => claim.key().clone(),
        };
        let known = self.known.lock().get(&key).cloned();
        let is_settled = known.as_ref().is_some_and(|known| known.settled);
        let fingerprint = match fault {
            Fault::IgnoresFingerprints => Fingerprint::NONE,
            Fault::IgnoresFingerprintsInFlight if !is_settled => Fingerprint::from_bytes([1; 16]),
            _ => claim.fingerprint(),
        };
        let nonce = match (fault, claim.nonce()) {
            (Fault::ZeroIsANonce, 0) => 77,
            (Fault::RetryIsAnother, _) => 0,
            (_, nonce) => nonce,
        };
        let terms = match fault {
            Fault::ForgetsNothing => Terms {
                retention: Terms::MAX_RETENTION,
                brief_retention: Terms::MAX_RETENTION,
                ..claim.terms()
            },
            _ => claim.terms(),
        };
        let claim = Claim::new(&key, fingerprint, nonce, terms)?;
        let claimed = self.store.claim(claim).await?;
        let claimed = match (fault, claimed, known) {
            (Fault::ExecutesInFlight, Claimed::InFlight { .. }, Some(known)) => {
                Claimed::Execute(known.ticket)
            }
            (Fault::ExecutesAbandoned, Claimed::Recover(ticket), _) => Claimed::Execute(ticket),
            (Fault::RetryExecutes, Claimed::Recover(ticket), Some(known))
                if known.ticket.token() == ticket.token() =>
            {
                Claimed::Execute(ticket)
            }
            (Fault::ForgetsCheckpoints, Claimed::Recover(ticket), _) => {
                Claimed::Recover(Ticket::new(key.clone(), ticket.token(), ticket.terms(), None))
            }
            (Fault::CutsResults, Claimed::Replay(mut result), _) => {
                result.truncate(100_000);
                Claimed::Replay(result)
            }
            (Fault::ForgetsResults, Claimed::Replay(_), Some(known)) => {
                Claimed::Execute(known.ticket)
            }
            (_, claimed, _) => claimed,
        };
        if let Claimed::Execute(ticket) | Claimed::Recover(ticket) = &claimed {
            let lease_ends = self.clock.now() + ticket.terms().lease;
            let known = Known { ticket: ticket.clone(), settled: false, lease_ends };
            self.known.lock().insert(key, known);
        }
        Ok(claimed)
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        let is_release = settlement == Settlement::release();
        let is_renewal = settlement == Settlement::renew();
        let known = self.known.lock().get(ticket.key()).cloned();
        let settlement = match self.fault {
            Fault::RenewsNothing if is_renewal => return Ok(Settled::Done),
            Fault::KeepsReleased if is_release => return Ok(Settled::Done),
            Fault::RetriedSettlementIsVoid if known.as_ref().is_some_and(|it| it.settled) => {
                return Ok(Settled::Fenced);
            }
            Fault::LateIsVoid
                if known.as_ref().is_some_and(|known| known.lease_ends <= self.clock.now()) =>
            {
                return Ok(Settled::Fenced);
            }
            _ => settlement,
        };
        if is_release && self.fault == Fault::ForgetsReleasedRecoveries {
            *self.releases.lock().entry(ticket.key().key().to_vec()).or_default() += 1;
        }
        let mut ticket = ticket.clone();
        if let (Fault::ZombieSettles, Some(known)) = (self.fault, &known) {
            ticket = known.ticket.clone();
        }
        let settled = self.store.settle(&ticket, settlement).await?;
        if let (Settled::Done, false, Some(known)) =
            (&settled, is_renewal, self.known.lock().get_mut(ticket.key()))
        {
            known.settled = true;
        }
        match (self.fault, settled) {
            (Fault::RefusedIsDone, Settled::Fenced | Settled::AlreadyCompleted) => {
                Ok(Settled::Done)
            }
            (_, settled) => Ok(settled),
        }
    }
}
