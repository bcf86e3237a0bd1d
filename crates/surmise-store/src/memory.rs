//! A store in this process's memory: for tests, and for what one process alone decides.
//!
//! # What it guarantees
//!
//! All that the traits promise, to every thread of this process, for as long as the store lives: each operation is
//! done under one lock. No outcome is ever [`Outcome::Indeterminate`], or its like.
//!
//! # What it does not
//!
//! It forgets everything when it is dropped, its tokens too, and issues the same ones again, unless
//! [`advance_epoch`](LeaseStore::advance_epoch) is called first. So what outlives the process must not be fenced by its
//! tokens.
//!
//! # Costs
//!
//! Some hundred nanoseconds for each operation, and a copy of each value that is read or written. Keys whose
//! values were removed keep their passes, and count as entries, for as long as the store lives.

mod executions;

use core::{num::NonZeroU64, time::Duration};
use std::collections::HashMap;

use parking_lot::Mutex;
use surmise_fence::{
    AcquireError, FencingToken, LeaseTable, LeaseTableConfig, LeaseTableError, Pass, TokenBlock,
    TokensExhausted,
};
use surmise_time::{MonotonicClock, OsWallClock, WallClock as _};

use self::executions::Executions;
use crate::{
    Change, Claim, Claimed, Entry, Extended, FencedStore, Granted, Holding, IdempotencyStore,
    LeaseRequest, LeaseStore, Outcome, Resource, Revoked, Settled, Settlement, StoreError, Ticket,
    Ttl, epoch, fenced_store::check_key,
};

/// Keeps leases, fenced values and what was executed in memory.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_store::{
///     FencedStore, Granted, LeaseRequest, LeaseStore, Outcome,
///     memory::{MemoryConfig, MemoryStore},
/// };
/// use surmise_time::ManualClock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::default();
/// let store = MemoryStore::new(MemoryConfig::default(), &clock)?;
/// let request = |nonce| LeaseRequest::new("ledger", "somebody", nonce, Duration::from_secs(10));
///
/// let Granted::Granted(first) = store.grant(request(1)?).await? else { panic!() };
/// assert!(matches!(store.grant(request(2)?).await?, Granted::Held(_)));
///
/// clock.advance(Duration::from_secs(10));
/// let Granted::Granted(second) = store.grant(request(2)?).await? else { panic!() };
/// store.raise("ledger", second.token).await?.applied()?;
///
/// let late = store.write("ledger", b"balance", b"7", first.token).await?;
/// assert!(matches!(late, Outcome::Stale { .. }));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryStore<C> {
    clock: C,
    max_entries: usize,
    state: Mutex<State>,
}

/// How a [`MemoryStore`] is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct MemoryConfig {
    /// For how long nobody is granted a lease that ended without being released, as
    /// [`LeaseTableConfig::lock_delay`] has it; nothing by default, since every write is fenced.
    pub lock_delay: Duration,
    /// How many leases there can be, from 1; a million by default. When there are so many, no other is granted.
    pub max_leases: usize,
    /// How many keys there can be of all resources, removed ones included, how many floors, and how many requests that
    /// are remembered; a million each by default. When there are so many, what is new is not written.
    pub max_entries: usize,
}

#[derive(Debug)]
struct State {
    leases: LeaseTable<String>,
    /// The names of those who were granted a lease last.
    holders: HashMap<String, String>,
    floors: HashMap<String, Pass>,
    entries: HashMap<(String, Vec<u8>), Entry>,
    executions: Executions,
    /// The counter of the latest execution's token. Those of leases are counted on their own.
    execution: u64,
}

impl<C: MonotonicClock> MemoryStore<C> {
    /// Creates a store without leases and values, whose leases go by a clock.
    ///
    /// `BootClock` of `surmise-time` goes on while the machine sleeps.
    ///
    /// # Errors
    ///
    /// If there could never be a lease.
    pub fn new(config: MemoryConfig, clock: C) -> Result<Self, LeaseTableError> {
        let leases = LeaseTable::new(LeaseTableConfig {
            epoch: 1,
            max_ttl: Ttl::MAX,
            lock_delay: config.lock_delay,
            max_leases: config.max_leases,
        })?;
        let state = State {
            leases,
            holders: HashMap::new(),
            floors: HashMap::new(),
            entries: HashMap::new(),
            executions: Executions::default(),
            execution: 0,
        };
        Ok(Self { clock, max_entries: config.max_entries, state: Mutex::new(state) })
    }
}

impl Default for MemoryConfig {
    fn default() -> Self {
        const MANY: usize = 1_000_000;
        Self { lock_delay: Duration::ZERO, max_leases: MANY, max_entries: MANY }
    }
}

impl<C: MonotonicClock + Send + Sync> LeaseStore for MemoryStore<C> {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let mut state = self.state.lock();
        // Under the lock, so that one request does not see a later time than the next.
        let now = self.clock.now();
        state.reserve()?;
        let State { leases, holders, .. } = &mut *state;
        for ended in leases.expire(now) {
            holders.remove(&ended.resource);
        }
        let resource = request.resource().as_str().to_owned();
        match leases.acquire(resource.clone(), request.nonce(), request.ttl().get(), now) {
            Ok(grant) => {
                // The retry of a request does not change who was granted it.
                holders.entry(resource).or_insert_with(|| request.holder().to_owned());
                Ok(Granted::Granted(grant))
            }
            Err(AcquireError::Held { .. }) => {
                let holding = state.holding(&resource, now);
                holding.map(Granted::Held).ok_or_else(|| unusable("a lease has no holder"))
            }
            Err(AcquireError::Delayed { remaining }) => Ok(Granted::Delayed { remaining }),
            Err(AcquireError::Exhausted(TokensExhausted { epoch, .. })) => {
                Err(StoreError::TokensExhausted { epoch })
            }
            Err(AcquireError::Full { max_leases }) => {
                Err(unusable(&format!("there are {max_leases} leases, and room for no more")))
            }
            Err(other) => Err(unusable(&other.to_string())),
        }
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        let mut state = self.state.lock();
        let now = self.clock.now();
        let renewed = state.leases.renew(&resource.as_str().to_owned(), token, ttl.get(), now);
        // No TTL is too long, so that only a lease which is over is not renewed.
        Ok(renewed.map_or(Extended::Lost, Extended::Extended))
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        let mut state = self.state.lock();
        let now = self.clock.now();
        match state.leases.release(&resource.as_str().to_owned(), token, now) {
            Ok(()) => {
                state.holders.remove(resource.as_str());
                Ok(Revoked::Revoked)
            }
            Err(_) => Ok(Revoked::Lost),
        }
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        let state = self.state.lock();
        Ok(state.holding(resource.as_str(), self.clock.now()))
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        let leases = &mut self.state.lock().leases;
        let epoch = leases.epoch();
        let next = epoch::after(epoch, OsWallClock.now());
        let next = next.ok_or(StoreError::TokensExhausted { epoch })?;
        leases.advance_epoch(next).map_err(|error| unusable(&error.to_string()))?;
        Ok(next)
    }
}

impl<C: MonotonicClock + Send + Sync> FencedStore for MemoryStore<C> {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let mut state = self.state.lock();
        let State { floors, entries, .. } = &mut *state;
        let resource = change.resource().as_str();
        let pass = change.pass();
        let key = (resource.to_owned(), change.key().to_vec());
        let last = entries.get(&key).map(|entry| entry.pass);
        let floor = floors.get(resource).copied();
        if let Err(refusal) = pass.check_floor(floor).and_then(|()| pass.check(last)) {
            return Ok(refusal.into());
        }
        if last.is_none() && entries.len() >= self.max_entries {
            return Err(unusable(&format!(
                "there are {} keys, and room for no more",
                entries.len()
            )));
        }
        entries.insert(key, Entry::new(change.value().map(<[u8]>::to_vec), pass));
        Ok(Outcome::Applied)
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        let floors = &mut self.state.lock().floors;
        let floor = floors.get(resource.as_str()).copied();
        if let Err(refusal) = pass.check_floor(floor) {
            return Ok(refusal.into());
        }
        if floor.is_none() && floors.len() >= self.max_entries {
            return Err(unusable(&format!(
                "there are {} floors, and room for no more",
                floors.len()
            )));
        }
        floors.insert(resource.as_str().to_owned(), pass.with_sequence(0));
        Ok(Outcome::Applied)
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        Ok(self.state.lock().floors.get(resource.as_str()).copied())
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let resource = Resource::new(resource)?;
        check_key(key)?;
        let key = (resource.as_str().to_owned(), key.to_vec());
        Ok(self.state.lock().entries.get(&key).cloned())
    }
}

impl<C: MonotonicClock + Send + Sync> IdempotencyStore for MemoryStore<C> {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let mut state = self.state.lock();
        let now = self.clock.now();
        let token = state.next_execution()?;
        Ok(state.executions.claim(claim, token, now, self.max_entries))
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        ticket.terms().checked()?;
        let mut state = self.state.lock();
        let now = self.clock.now();
        Ok(state.executions.settle(ticket, settlement, now))
    }
}

impl State {
    fn next_execution(&mut self) -> Result<FencingToken, StoreError> {
        let epoch = self.leases.epoch();
        let counter = NonZeroU64::MIN.checked_add(self.execution);
        let counter = counter.ok_or(StoreError::TokensExhausted { epoch })?;
        self.execution = counter.get();
        Ok(FencingToken::new(epoch, counter))
    }

    fn holding(&self, resource: &str, now: surmise_time::Instant) -> Option<Holding> {
        let held = self.leases.holding(&resource.to_owned(), now)?;
        let holder = self.holders.get(resource).cloned().unwrap_or_default();
        Some(Holding::new(held.token, held.nonce, holder, held.remaining))
    }

    /// Makes sure that there are tokens, which nothing keeps after this process.
    fn reserve(&mut self) -> Result<(), StoreError> {
        if !self.leases.needs_block() {
            return Ok(());
        }
        let exhausted = |TokensExhausted { epoch, .. }| StoreError::TokensExhausted { epoch };
        let block: TokenBlock = self.leases.next_block(NonZeroU64::MAX).map_err(exhausted)?;
        self.leases.reserve(block).map_err(|error| unusable(&error.to_string()))
    }
}

fn unusable(problem: &str) -> StoreError {
    StoreError::Unusable {
        store: "memory".into(),
        problem: problem.into(),
        remedy: "give it more room, or several stores a part each",
    }
}
