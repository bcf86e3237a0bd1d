//! Who holds what: counted in memory, written down before anybody hears of it.

use alloc::{collections::BTreeMap, sync::Arc};
use core::{num::NonZeroU64, time::Duration};

use ::redb::{ReadTransaction, ReadableTable as _};
use surmise_fence::{
    AcquireError, FencingToken, Grant, LeaseTable, LeaseTableConfig, RestoreError,
};
use surmise_time::{Instant, WallTime};

use super::{
    RedbConfig,
    failure::Failure,
    format::{self, LEASES, TOKENS},
    ledger::{Abort, LeaseRow, Ledger},
};
use crate::{Extended, Granted, Holding, Revoked, StoreError, Ttl, epoch};

/// The leases, and of each what is in the file.
#[derive(Debug)]
pub(super) struct Leases {
    table: LeaseTable<Arc<str>>,
    /// The last token that is reserved in the file.
    reserved: Option<FencingToken>,
    written: BTreeMap<Arc<str>, Written>,
}

/// What is in the file of a lease, apart from what is in the table.
#[derive(Debug)]
struct Written {
    token: FencingToken,
    nonce: u64,
    /// The longest time that its holder was promised at once.
    ttl: Duration,
    holder: String,
}

/// How many tokens are reserved at a time: a restart skips as many at most.
const BLOCK: NonZeroU64 = NonZeroU64::new(1000).expect("1000 is not 0");

/// How many leases that ended are forgotten by each that is granted: more than one, so that they become fewer.
const FORGOTTEN: usize = 16;

impl Leases {
    /// Puts back the leases of a file: each is held for its whole time once more.
    pub(super) fn restore(
        transaction: &ReadTransaction,
        config: &RedbConfig,
        store: &str,
        now: Instant,
    ) -> Result<Self, Abort> {
        let mut leases = Self::empty(transaction, config, store)?;
        for row in transaction.open_table(LEASES)?.iter()? {
            let (resource, row) = row?;
            let (token, nonce, nanos, holder) = row.value();
            let token = format::token(token, store).map_err(Abort::Operation)?;
            let (resource, ttl) = (Arc::from(resource.value()), Duration::from_nanos(nanos));
            leases
                .table
                .restore(Arc::clone(&resource), token, nonce, ttl, now)
                .map_err(|error| Abort::Operation(not_restored(&error, store)))?;
            let holder = holder.to_owned();
            leases.written.insert(resource, Written { token, nonce, ttl, holder });
        }
        Ok(leases)
    }

    fn empty(
        transaction: &ReadTransaction,
        config: &RedbConfig,
        store: &str,
    ) -> Result<Self, Abort> {
        let corrupt = |problem: String| {
            Abort::Operation(StoreError::Corrupt { store: store.to_owned(), problem })
        };
        let row = transaction.open_table(TOKENS)?.get(())?;
        let row = row.ok_or_else(|| corrupt("the row of the tokens is missing".to_owned()))?;
        let (epoch, reserved) = row.value();
        let reserved = reserved.map(|bytes| format::token(bytes, store)).transpose();
        let reserved = reserved.map_err(Abort::Operation)?;
        let table = LeaseTableConfig {
            epoch,
            max_ttl: Ttl::MAX,
            lock_delay: config.lock_delay,
            max_leases: config.max_leases.get(),
        };
        let table = match reserved {
            Some(reserved) => LeaseTable::resume(table, reserved),
            None => LeaseTable::new(table),
        };
        let table = table.map_err(|error| corrupt(error.to_string()))?;
        Ok(Self { table, reserved, written: BTreeMap::new() })
    }

    pub(super) fn grant(
        &mut self,
        resource: &Arc<str>,
        nonce: u64,
        holder: &str,
        ttl: Duration,
        (now, ledger): (Instant, &mut Ledger<'_>),
    ) -> Result<Granted, Abort> {
        self.forget_ended(now, ledger)?;
        let mut granted = self.table.acquire(Arc::clone(resource), nonce, ttl, now);
        if granted == Err(AcquireError::NoTokens) {
            self.reserve(ledger)?;
            granted = self.table.acquire(Arc::clone(resource), nonce, ttl, now);
        }
        match granted {
            Ok(grant) => {
                let written = self.written.get(resource).filter(|row| row.token == grant.token);
                if written.is_none() {
                    let (token, holder) = (grant.token, holder.to_owned());
                    let row = Written { token, nonce, ttl: Duration::ZERO, holder };
                    self.written.insert(Arc::clone(resource), row);
                }
                self.promise(resource, grant, ttl, ledger)?;
                Ok(Granted::Granted(grant))
            }
            Err(AcquireError::Delayed { remaining }) => Ok(Granted::Delayed { remaining }),
            Err(error) => match self.holding(resource, now) {
                Some(holding) => Ok(Granted::Held(holding)),
                None => Err(Abort::Operation(not_granted(&error, ledger.store()))),
            },
        }
    }

    pub(super) fn extend(
        &mut self,
        resource: &Arc<str>,
        token: FencingToken,
        ttl: Duration,
        (now, ledger): (Instant, &mut Ledger<'_>),
    ) -> Result<Extended, Abort> {
        match self.table.renew(resource, token, ttl, now) {
            Ok(grant) => {
                self.promise(resource, grant, ttl, ledger)?;
                Ok(Extended::Extended(grant))
            }
            Err(_) => Ok(Extended::Lost),
        }
    }

    pub(super) fn revoke(
        &mut self,
        resource: &Arc<str>,
        token: FencingToken,
        (now, ledger): (Instant, &mut Ledger<'_>),
    ) -> Result<Revoked, Abort> {
        match self.table.release(resource, token, now) {
            Ok(()) => {
                self.written.remove(resource);
                ledger.remove_lease(resource)?;
                Ok(Revoked::Revoked)
            }
            Err(_) => Ok(Revoked::Lost),
        }
    }

    /// Begins the next epoch, and returns it.
    pub(super) fn advance_epoch(
        &mut self,
        now: WallTime,
        ledger: &mut Ledger<'_>,
    ) -> Result<u64, Abort> {
        let current = self.table.epoch();
        let exhausted = || Abort::Operation(StoreError::TokensExhausted { epoch: current });
        let next = epoch::after(current, now).ok_or_else(exhausted)?;
        ledger.put_tokens(next, self.reserved)?;
        self.table.advance_epoch(next).map_err(|error| Failure::new(&error))?;
        Ok(next)
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.table.epoch()
    }

    pub(super) fn holding(&self, resource: &Arc<str>, now: Instant) -> Option<Holding> {
        let held = self.table.holding(resource, now)?;
        let holder = self.written.get(resource).map(|row| row.holder.clone());
        Some(Holding::new(held.token, held.nonce, holder.unwrap_or_default(), held.remaining))
    }

    /// Writes down what a holder is promised, unless it is no more than what is written already: a lease
    /// that is renewed as it was granted costs no sync.
    fn promise(
        &mut self,
        resource: &Arc<str>,
        grant: Grant,
        ttl: Duration,
        ledger: &mut Ledger<'_>,
    ) -> Result<(), Failure> {
        let Some(row) = self.written.get_mut(resource) else { return Ok(()) };
        let ttl = ttl.max(grant.valid_for);
        if ttl > row.ttl {
            row.ttl = ttl;
            let ttl_nanos = u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX);
            let Written { token, nonce, ref holder, .. } = *row;
            ledger.put_lease(resource, LeaseRow { token, nonce, ttl_nanos, holder })?;
        }
        Ok(())
    }

    /// Reserves the next tokens. Nobody hears of one of them before the transaction that says so is durable.
    fn reserve(&mut self, ledger: &mut Ledger<'_>) -> Result<(), Abort> {
        let block = self.table.next_block(BLOCK).map_err(|exhausted| {
            Abort::Operation(StoreError::TokensExhausted { epoch: exhausted.epoch })
        })?;
        ledger.put_tokens(block.last().epoch(), Some(block.last()))?;
        self.table.reserve(block).map_err(|error| Failure::new(&error))?;
        self.reserved = Some(block.last());
        Ok(())
    }

    fn forget_ended(&mut self, now: Instant, ledger: &mut Ledger<'_>) -> Result<(), Failure> {
        for ended in self.table.expire(now).take(FORGOTTEN) {
            self.written.remove(&ended.resource);
            ledger.remove_lease(&ended.resource)?;
        }
        Ok(())
    }
}

fn not_granted(error: &AcquireError, store: &str) -> StoreError {
    match error {
        AcquireError::Exhausted(exhausted) => {
            StoreError::TokensExhausted { epoch: exhausted.epoch }
        }
        other => StoreError::Unusable {
            store: store.to_owned(),
            problem: other.to_string(),
            remedy: "wait until leases end, or open it with a higher `max_leases`",
        },
    }
}

fn not_restored(error: &RestoreError, store: &str) -> StoreError {
    let (store, problem) = (store.to_owned(), error.to_string());
    match error {
        RestoreError::Full { .. } => {
            StoreError::Unusable { store, problem, remedy: "open it with a higher `max_leases`" }
        }
        _ => StoreError::Corrupt { store, problem },
    }
}
