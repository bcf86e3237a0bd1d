//! The tables of executions.

use core::time::Duration;

use ::redb::{ReadableTable as _, ReadableTableMetadata as _, Table, WriteTransaction};
use surmise_fence::FencingToken;
use surmise_time::{Instant, WallTime};

use super::{
    super::{
        failure::Failure,
        format::{self, EXECUTION_ENDS, EXECUTION_STATE, EXECUTIONS, EndKey},
    },
    Abort, Ledger,
};
use crate::{
    StoreError,
    idempotency_store::{Record, State},
};

/// The records, and when each is forgotten.
pub(in crate::redb) struct ExecutionTables<'a> {
    records: Table<'a, &'static [u8], format::ExecutionRow>,
    ends: Table<'a, EndKey, ()>,
}

/// A row of the table of executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::redb) struct ExecutionRow {
    /// For how long its executor was promised to be alone.
    pub(in crate::redb) lease: Duration,
    pub(in crate::redb) record: Record,
}

/// What goes on after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redb) struct ExecutionState {
    /// The file's time.
    pub(in crate::redb) time: Instant,
    /// What the wall clock said then.
    pub(in crate::redb) wall: WallTime,
    /// The last one that was issued.
    pub(in crate::redb) token: Option<FencingToken>,
}

impl ExecutionRow {
    pub(in crate::redb) fn read(
        (lease, record): (u64, &[u8]),
        store: &str,
    ) -> Result<Self, StoreError> {
        let record = Record::from_bytes(record).map_err(|error| format::corrupt(store, &error))?;
        Ok(Self { lease: Duration::from_nanos(lease), record })
    }

    /// Returns the record as it is if the file was opened at a time: what was in flight then has its whole lease once more, and
    /// its retention after that.
    ///
    /// What began since then is not touched, for its lease ends later.
    pub(in crate::redb) fn record_since(self, opened_at: Instant) -> Record {
        let mut record = self.record;
        if let State::InFlight { lease_ends, .. } = &mut record.state {
            let ends = (opened_at + self.lease).max(*lease_ends);
            record.forgotten_at += ends - *lease_ends;
            *lease_ends = ends;
        }
        record
    }
}

impl<'a> Ledger<'a> {
    pub(in crate::redb) fn execution(&mut self, key: &[u8]) -> Result<Option<ExecutionRow>, Abort> {
        let store = self.store;
        let row = self.executions()?.records.get(key)?;
        let row = row.map(|row| ExecutionRow::read(row.value(), store));
        row.transpose().map_err(Abort::Operation)
    }

    /// Writes a row in the place of another that would have ended, if there is one of its key.
    pub(in crate::redb) fn put_execution(
        &mut self,
        key: &[u8],
        ended: Option<Instant>,
        row: &ExecutionRow,
    ) -> Result<(), Failure> {
        self.changes += 1;
        let tables = self.executions()?;
        let lease = u64::try_from(row.lease.as_nanos()).unwrap_or(u64::MAX);
        tables.records.insert(key, (lease, &*row.record.to_bytes()))?;
        let end = row.record.forgotten_at;
        if ended != Some(end) {
            if let Some(ended) = ended {
                tables.ends.remove((ended.as_nanos(), key))?;
            }
            tables.ends.insert((end.as_nanos(), key), ())?;
        }
        Ok(())
    }

    pub(in crate::redb) fn remove_execution(
        &mut self,
        key: &[u8],
        end: Instant,
    ) -> Result<(), Failure> {
        self.changes += 1;
        let tables = self.executions()?;
        tables.records.remove(key)?;
        tables.ends.remove((end.as_nanos(), key))?;
        Ok(())
    }

    /// Removes an end without the record that it is to be that of.
    pub(in crate::redb) fn remove_execution_end(
        &mut self,
        end: Instant,
        key: &[u8],
    ) -> Result<(), Failure> {
        self.changes += 1;
        self.executions()?.ends.remove((end.as_nanos(), key))?;
        Ok(())
    }

    /// Returns when the first execution is forgotten, and its key, if that is no later than a time.
    pub(in crate::redb) fn first_execution(
        &mut self,
        until: Instant,
    ) -> Result<Option<(Instant, Vec<u8>)>, Failure> {
        let first = self.executions()?.ends.first()?;
        Ok(first.and_then(|(key, _)| {
            let (end, key) = key.value();
            (end <= until.as_nanos()).then(|| (Instant::from_nanos(end), key.to_vec()))
        }))
    }

    /// Returns how many executions are remembered.
    pub(in crate::redb) fn count_executions(&mut self) -> Result<u64, Failure> {
        Ok(self.executions()?.records.len()?)
    }

    pub(in crate::redb) fn put_execution_state(
        &mut self,
        state: ExecutionState,
    ) -> Result<(), Failure> {
        let ExecutionState { time, wall, token } = state;
        let token = token.map(FencingToken::to_bytes);
        self.changes += 1;
        let mut table = self.transaction.open_table(EXECUTION_STATE)?;
        table.insert((), (time.as_nanos(), wall.as_nanos(), token.as_ref()))?;
        Ok(())
    }

    fn executions(&mut self) -> Result<&mut ExecutionTables<'a>, Failure> {
        match &mut self.executions {
            Some(tables) => Ok(tables),
            none => Ok(none.insert(ExecutionTables::open(self.transaction)?)),
        }
    }
}

impl<'a> ExecutionTables<'a> {
    fn open(transaction: &'a WriteTransaction) -> Result<Self, Failure> {
        Ok(Self {
            records: transaction.open_table(EXECUTIONS)?,
            ends: transaction.open_table(EXECUTION_ENDS)?,
        })
    }
}
