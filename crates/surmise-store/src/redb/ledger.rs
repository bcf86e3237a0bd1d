//! What a batch of operations reads and writes: one transaction.

mod executions;

use ::redb::{ReadableTable as _, Table, WriteTransaction};
use surmise_fence::{FencingToken, Pass, Refusal};

use self::executions::ExecutionTables;
pub(super) use self::executions::{ExecutionRow, ExecutionState};
use super::{
    failure::Failure,
    format::{self, ENTRIES, EntryKey, EntryRow, FLOORS, LEASES, TOKENS, TokensRow},
};
use crate::{Outcome, StoreError};

/// The tables, as the operations before in the same batch left them.
pub(super) struct Ledger<'a> {
    store: &'a str,
    transaction: &'a WriteTransaction,
    floors: Table<'a, &'static str, &'static [u8; 32]>,
    entries: Table<'a, EntryKey, EntryRow>,
    /// These two are opened when they are written to: most batches only write values, and each would take some time.
    leases: Option<Table<'a, &'static str, format::LeaseRow>>,
    tokens: Option<Table<'a, (), TokensRow>>,
    /// So are these.
    executions: Option<ExecutionTables<'a>>,
    changes: u64,
}

/// Why an operation was not done.
#[derive(Debug)]
pub(super) enum Abort {
    /// It cannot be. The others of its batch can.
    Operation(StoreError),
    /// Something below failed: nothing of the batch is done.
    Batch(Failure),
}

impl<E: Into<Failure>> From<E> for Abort {
    fn from(error: E) -> Self {
        Self::Batch(error.into())
    }
}

/// A row of the table of leases.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeaseRow<'a> {
    pub(super) token: FencingToken,
    pub(super) nonce: u64,
    pub(super) ttl_nanos: u64,
    pub(super) holder: &'a str,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(transaction: &'a WriteTransaction, store: &'a str) -> Result<Self, Failure> {
        Ok(Self {
            store,
            transaction,
            floors: transaction.open_table(FLOORS)?,
            entries: transaction.open_table(ENTRIES)?,
            leases: None,
            tokens: None,
            executions: None,
            changes: 0,
        })
    }

    /// Writes or removes a value, if the pass allows: the check and the write are one step, since nobody else is here.
    pub(super) fn write(
        &mut self,
        resource: &str,
        key: &[u8],
        value: Option<&[u8]>,
        pass: Pass,
    ) -> Result<Outcome, Abort> {
        if let Err(refusal) = self.check(resource, key, pass)? {
            return Ok(refusal.into());
        }
        self.put(resource, key, value, pass)?;
        Ok(Outcome::Applied)
    }

    /// Writes or removes a value without a check.
    pub(super) fn put(
        &mut self,
        resource: &str,
        key: &[u8],
        value: Option<&[u8]>,
        pass: Pass,
    ) -> Result<(), Failure> {
        self.changes += 1;
        self.entries.insert((resource, key), (&pass.to_bytes(), value))?;
        Ok(())
    }

    /// Raises a floor, if the pass allows.
    pub(super) fn raise(&mut self, resource: &str, pass: Pass) -> Result<Outcome, Abort> {
        let (pass, floor) = (pass.with_sequence(0), self.floor(resource)?);
        if let Err(refusal) = pass.check_floor(floor) {
            return Ok(refusal.into());
        }
        if floor != Some(pass) {
            self.changes += 1;
            self.floors.insert(resource, &pass.to_bytes())?;
        }
        Ok(Outcome::Applied)
    }

    pub(super) fn put_lease(&mut self, resource: &str, row: LeaseRow<'_>) -> Result<(), Failure> {
        let LeaseRow { token, nonce, ttl_nanos, holder } = row;
        self.changes += 1;
        self.leases()?.insert(resource, (&token.to_bytes(), nonce, ttl_nanos, holder))?;
        Ok(())
    }

    pub(super) fn remove_lease(&mut self, resource: &str) -> Result<(), Failure> {
        self.changes += 1;
        self.leases()?.remove(resource)?;
        Ok(())
    }

    pub(super) fn put_tokens(
        &mut self,
        epoch: u64,
        reserved: Option<FencingToken>,
    ) -> Result<(), Failure> {
        let reserved = reserved.map(FencingToken::to_bytes);
        self.changes += 1;
        let tokens = match &mut self.tokens {
            Some(tokens) => tokens,
            none => none.insert(self.transaction.open_table(TOKENS)?),
        };
        tokens.insert((), (epoch, reserved.as_ref()))?;
        Ok(())
    }

    /// Returns how many changes were made.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) const fn store(&self) -> &'a str {
        self.store
    }

    pub(super) fn check(
        &self,
        resource: &str,
        key: &[u8],
        pass: Pass,
    ) -> Result<Result<(), Refusal>, Abort> {
        if let Err(refusal) = pass.check_floor(self.floor(resource)?) {
            return Ok(Err(refusal));
        }
        Ok(pass.check(self.last_write(resource, key)?))
    }

    fn leases(&mut self) -> Result<&mut Table<'a, &'static str, format::LeaseRow>, Failure> {
        match &mut self.leases {
            Some(leases) => Ok(leases),
            none => Ok(none.insert(self.transaction.open_table(LEASES)?)),
        }
    }

    fn floor(&self, resource: &str) -> Result<Option<Pass>, Abort> {
        let row = self.floors.get(resource)?;
        row.map(|row| self.pass(row.value())).transpose()
    }

    fn last_write(&self, resource: &str, key: &[u8]) -> Result<Option<Pass>, Abort> {
        let row = self.entries.get((resource, key))?;
        row.map(|row| self.pass(row.value().0)).transpose()
    }

    fn pass(&self, bytes: &[u8; 32]) -> Result<Pass, Abort> {
        format::pass(bytes, self.store).map_err(Abort::Operation)
    }
}
