//! A store with a fault of choice: it does what it has to in all but one respect.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::{future::poll_fn, num::NonZeroU64, task::Poll, time::Duration};
use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};
use surmise_fence::{FencingToken, Grant, Pass, Refusal};
use surmise_store::{
    Change, Entry, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore,
    LimitExceeded, Outcome, Resource, Revoked, StoreError, Ttl, conformance::Timer,
};
use surmise_time::{Instant, MonotonicClock as _};

use crate::simulation::Simulation;

/// What a store does otherwise than it has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,

    // The six that stores are known for.
    /// It accepts greater tokens only, and not equal ones.
    GreaterOnly,
    /// It forgets a lease that was released, with the count of its tokens.
    ForgetsOnRelease,
    /// It checks a write, and then does it.
    ChecksThenWrites,
    /// It acknowledges what is not on the disk yet, and then crashes at times.
    AcknowledgesBeforeSync,
    /// It compares tokens as floating-point numbers.
    ComparesDoubles,
    /// It has the time of a lease count from the reply.
    CountsFromReply,

    /// It grants what another asked for in the meantime.
    ChecksThenGrants,
    /// It grants what another holds.
    GrantsHeld,
    /// It says that somebody holds a lease, and not who.
    HidesHolder,
    /// It grants a retry under another token.
    RetryIsAnother,
    /// It grants a retry, but for no longer than at first.
    RetryIsNoLonger,
    /// It renews a lease, but for no longer than before.
    RenewalIsNoLonger,
    /// It renews a lease that is over.
    RenewsWhatIsOver,
    /// It renews and releases by any token.
    AnyTokenHolds,
    /// It renews and releases by tokens that were not issued yet.
    LaterTokenHolds,
    /// It ends a lease before its time.
    EndsEarly,
    /// It releases all leases at once.
    ReleasesAll,
    /// It begins an epoch and issues tokens of the old one.
    EpochStays,
    /// It begins an epoch and forgets the leases.
    EpochForgets,

    /// It has no floor.
    NoFloor,
    /// It has the floor under writes and not under removals.
    NoFloorUnderRemovals,
    /// It has one floor under all resources.
    OneFloor,
    /// It raises the floor by a write.
    WriteRaises,
    /// It lowers the floor.
    Lowers,
    /// It forgets who removed a value.
    ForgetsRemoval,
    /// It takes an empty value for none.
    EmptyIsNone,
    /// It accepts any nonce.
    NoNonce,
    /// It accepts any sequence.
    NoSequence,
    /// It has one sequence for the floor too.
    SequenceOfFloor,
    /// It refuses a write and yet does it.
    RefusedIsDone,
    /// It says of a refused write that it was refused by itself.
    BlamesItself,
    /// It reads what was there once.
    ReadsLate,
    /// It cuts values off.
    CutsValues,
    /// It cuts names off.
    CutsNames,
    /// It knows no limits of its own.
    NoLimits,
    /// It puts the names of resources and keys together.
    JoinsNames,
    /// It takes upper case for lower case.
    FoldsCase,
}

#[derive(Debug)]
pub(crate) struct Broken<'a> {
    fault: Fault,
    simulation: &'a Simulation,
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    epoch: u64,
    /// Of each resource, so that it can be forgotten with it.
    issued: HashMap<String, FencingToken>,
    leases: HashMap<String, Lease>,
    floors: HashMap<String, Pass>,
    entries: HashMap<(String, Vec<u8>), Vec<Entry>>,
    /// How many requests there were.
    requests: u64,
    /// What is on the disk.
    synced: Option<Box<Self>>,
}

#[derive(Clone, Debug)]
struct Lease {
    token: FencingToken,
    nonce: u64,
    holder: String,
    until: Instant,
}

impl<'a> Broken<'a> {
    pub(crate) fn new(fault: Fault, simulation: &'a Simulation) -> Self {
        let state = Mutex::new(State { epoch: 1, ..State::default() });
        Self { fault, simulation, state }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        state.requests += 1;
        if self.has(Fault::AcknowledgesBeforeSync) {
            if state.requests.is_multiple_of(7) {
                state.synced = None;
                state.synced = Some(Box::new(state.clone()));
            }
            if state.requests.is_multiple_of(31)
                && let Some(synced) = state.synced.clone()
            {
                let requests = state.requests;
                *state = State { requests, ..*synced };
            }
        }
        state
    }

    fn name(&self, name: &str) -> String {
        match self.fault {
            Fault::FoldsCase => name.to_lowercase(),
            Fault::CutsNames => name.chars().take(200).collect(),
            _ => name.to_owned(),
        }
    }

    fn place(&self, resource: &str, key: &[u8]) -> (String, Vec<u8>) {
        if self.has(Fault::JoinsNames) {
            return (String::new(), [resource.as_bytes(), key].concat());
        }
        (self.name(resource), key.to_vec())
    }

    /// Compares as the store does.
    fn check(&self, pass: Pass, last: Option<Pass>) -> Result<(), Refusal> {
        let Some(mut last) = last else { return Ok(()) };
        let equal = pass.token == last.token;
        match self.fault {
            Fault::GreaterOnly if equal => {
                return Err(Refusal::Stale { offered: pass.token, highest: last.token });
            }
            #[expect(clippy::cast_precision_loss, reason = "that is the fault")]
            Fault::ComparesDoubles
                if !equal
                    && pass.token.epoch() == last.token.epoch()
                    && pass.token.counter().get() as f64 >= last.token.counter().get() as f64 =>
            {
                return Ok(());
            }
            Fault::NoNonce if equal => last.nonce = pass.nonce,
            Fault::NoSequence if equal && pass.nonce == last.nonce => return Ok(()),
            _ => {}
        }
        let refused = pass.check(Some(last));
        match refused {
            Err(Refusal::Stale { offered, .. }) if self.has(Fault::BlamesItself) => {
                Err(Refusal::Stale { offered, highest: offered })
            }
            _ => refused,
        }
    }

    fn check_floor(&self, pass: Pass, floor: Option<Pass>) -> Result<(), Refusal> {
        if self.has(Fault::SequenceOfFloor) {
            return self.check(pass, floor);
        }
        self.check(pass.with_sequence(0), floor.map(|floor| floor.with_sequence(0)))
    }

    fn floor_name(&self, resource: &str) -> String {
        if self.has(Fault::OneFloor) { String::new() } else { self.name(resource) }
    }

    /// Lets a reply travel for some time, at times.
    async fn travel(&self) -> Duration {
        let slow = self.has(Fault::CountsFromReply) && self.state.lock().requests.is_multiple_of(2);
        let time = if slow { Duration::from_millis(150) } else { Duration::ZERO };
        self.simulation.sleep(time).await;
        time
    }

    fn held(&self, state: &State, name: &str, token: FencingToken) -> bool {
        let now = self.simulation.now();
        state.leases.get(name).is_some_and(|lease| {
            let holds = match self.fault {
                Fault::AnyTokenHolds => true,
                Fault::LaterTokenHolds => token >= lease.token,
                _ => token == lease.token,
            };
            holds && (now < lease.until || self.has(Fault::RenewsWhatIsOver))
        })
    }
}

impl LeaseStore for Broken<'_> {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let name = self.name(request.resource().as_str());
        let now = self.simulation.now();
        let holding = |lease: &Lease| {
            let holder = lease.holder.clone();
            let nonce = if self.has(Fault::HidesHolder) { request.nonce() } else { lease.nonce };
            Holding::new(lease.token, nonce, holder, lease.until - now)
        };
        let ttl = request.ttl().get();
        let mut until = now + ttl;
        let found = self.state().leases.get(&name).filter(|lease| now < lease.until).cloned();
        let mut retried = None;
        if let Some(lease) = found {
            if lease.nonce == request.nonce() && !self.has(Fault::RetryIsAnother) {
                retried = Some(lease.token);
                if self.has(Fault::RetryIsNoLonger) {
                    until = lease.until;
                }
            } else if !self.has(Fault::GrantsHeld) && lease.nonce != request.nonce() {
                return Ok(Granted::Held(holding(&lease)));
            }
        }
        if self.has(Fault::ChecksThenGrants) {
            yield_now().await;
        }
        let grant = {
            let mut state = self.state();
            let counter = state.issued.get(&name).copied();
            let token = retried.unwrap_or_else(|| match counter {
                Some(last) if last.epoch() == state.epoch => {
                    FencingToken::new(last.epoch(), last.counter().saturating_add(1))
                }
                _ => FencingToken::new(state.epoch, NonZeroU64::MIN),
            });
            state.issued.insert(name.clone(), token);
            let early = if self.has(Fault::EndsEarly) { ttl / 4 } else { Duration::ZERO };
            let holder = self.name(request.holder());
            let lease = Lease { token, nonce: request.nonce(), holder, until: until - early };
            state.leases.insert(name, lease);
            Grant { token, valid_for: ttl }
        };
        let travelled = self.travel().await;
        Ok(Granted::Granted(Grant { valid_for: grant.valid_for + travelled, ..grant }))
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        let name = self.name(resource.as_str());
        let mut state = self.state();
        if !self.held(&state, &name, token) {
            return Ok(Extended::Lost);
        }
        let until = self.simulation.now() + ttl.get();
        if let Some(lease) = state.leases.get_mut(&name)
            && !self.has(Fault::RenewalIsNoLonger)
        {
            lease.until = lease.until.max(until);
        }
        Ok(Extended::Extended(Grant { token, valid_for: ttl.get() }))
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        let name = self.name(resource.as_str());
        let mut state = self.state();
        if !self.held(&state, &name, token) {
            return Ok(Revoked::Lost);
        }
        state.leases.remove(&name);
        match self.fault {
            Fault::ForgetsOnRelease => _ = state.issued.remove(&name),
            Fault::ReleasesAll => state.leases.clear(),
            _ => {}
        }
        Ok(Revoked::Revoked)
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        let name = self.name(resource.as_str());
        let now = self.simulation.now();
        let state = self.state();
        let lease = state.leases.get(&name).filter(|lease| now < lease.until);
        Ok(lease.map(|lease| {
            Holding::new(lease.token, lease.nonce, lease.holder.clone(), lease.until - now)
        }))
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        let mut state = self.state();
        let next = state.epoch + 1;
        if !self.has(Fault::EpochStays) {
            state.epoch = next;
        }
        if self.has(Fault::EpochForgets) {
            state.leases.clear();
        }
        Ok(next)
    }
}

impl FencedStore for Broken<'_> {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let place = self.place(change.resource().as_str(), change.key());
        let floor_name = self.floor_name(change.resource().as_str());
        let pass = change.pass();
        let verdict = {
            let state = self.state();
            let no_floor = self.has(Fault::NoFloor)
                || self.has(Fault::NoFloorUnderRemovals) && change.value().is_none();
            let floor = state.floors.get(&floor_name).copied().filter(|_| !no_floor);
            let last = state.entries.get(&place).and_then(|entries| entries.last());
            let last =
                last.filter(|last| !(self.has(Fault::ForgetsRemoval) && last.value.is_none()));
            self.check_floor(pass, floor)
                .and_then(|()| self.check(pass, last.map(|last| last.pass)))
        };
        if self.has(Fault::ChecksThenWrites) {
            self.simulation.sleep(Duration::from_millis(50)).await;
        }
        if verdict.is_ok() || self.has(Fault::RefusedIsDone) {
            let mut value = change.value().map(<[u8]>::to_vec);
            match self.fault {
                Fault::EmptyIsNone => value = value.filter(|value| !value.is_empty()),
                Fault::CutsValues => value.as_mut().unwrap_or(&mut Vec::new()).truncate(65_536),
                _ => {}
            }
            let mut state = self.state();
            state.entries.entry(place).or_default().push(Entry::new(value, pass));
            if self.has(Fault::WriteRaises) {
                state.floors.insert(floor_name, pass.with_sequence(0));
            }
        }
        Ok(verdict.map_or_else(Outcome::from, |()| Outcome::Applied))
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        let name = self.floor_name(resource.as_str());
        let mut state = self.state();
        let checked = self.check_floor(pass, state.floors.get(&name).copied());
        if checked.is_err() && !self.has(Fault::Lowers) {
            return Ok(checked.map_or_else(Outcome::from, |()| Outcome::Applied));
        }
        state.floors.insert(name, pass);
        Ok(Outcome::Applied)
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        Ok(self.state().floors.get(&self.floor_name(resource.as_str())).copied())
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        if !self.has(Fault::NoLimits) {
            Resource::new(resource)?;
            if key.is_empty() || key.len() > Change::MAX_KEY_BYTES {
                return Err(StoreError::Limit(LimitExceeded::Key { bytes: key.len() }));
            }
        }
        let state = self.state();
        let entries = state.entries.get(&self.place(resource, key));
        let Some(entries) = entries else { return Ok(None) };
        let late = self.has(Fault::ReadsLate) && entries.len() > 1;
        let entry = entries.iter().rev().nth(late.into()).cloned();
        let forgets = self.has(Fault::ForgetsRemoval);
        Ok(entry.filter(|entry| entry.value.is_some() || !forgets))
    }
}

/// Lets the other futures of this task go on.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if core::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
