//! Who executes what, and what came of it: all in the file, but for what goes on from one transaction to the next.

mod time;

use core::{num::NonZeroU64, time::Duration};

use ::redb::ReadTransaction;
use surmise_fence::FencingToken;
use surmise_idempotency::Key;
use surmise_time::{Instant, WallTime};

pub(super) use self::time::FileTime;
use super::{
    RedbConfig,
    clocks::Reading,
    failure::Failure,
    format::{self, EXECUTION_STATE, EXECUTIONS},
    ledger::{Abort, ExecutionRow, ExecutionState, Ledger},
};
use crate::{
    Claim, Claimed, Settled, Settlement, StoreError, Ticket,
    idempotency_store::{Next, Record, State, Verb},
};

/// The rules of executions, over the records in the file.
#[derive(Debug)]
pub(super) struct Executions {
    max: NonZeroU64,
    time: FileTime,
    /// The last token that was issued.
    token: Option<FencingToken>,
    /// Whether a record was changed since the state was written down.
    is_changed: bool,
    /// Whether the state was ever written down.
    is_used: bool,
}

/// How many records that are over are forgotten with each new key: more than one, so that they become fewer.
const FORGOTTEN: usize = 4;

impl Executions {
    /// Goes on where a file ends.
    pub(super) fn restore(
        transaction: &ReadTransaction,
        config: &RedbConfig,
        store: &str,
        reading: Reading,
    ) -> Result<Self, Abort> {
        let written = written(transaction, store)?;
        Ok(Self {
            max: config.max_executions,
            time: FileTime::resume(written.map(|state| (state.time, state.wall)), reading),
            token: written.and_then(|state| state.token),
            is_changed: false,
            is_used: written.is_some(),
        })
    }

    /// Answers a claim, if need be with a token of this epoch or a later one.
    pub(super) fn claim(
        &mut self,
        claim: Claim<'_>,
        epoch: u64,
        (now, ledger): (Instant, &mut Ledger<'_>),
    ) -> Result<Claimed, Abort> {
        let now = self.time.at(now);
        let row = ledger.execution(claim.key().as_bytes())?;
        // If there is none, nothing is to happen.
        let token = self.next_token(epoch).map_err(Abort::Operation)?;
        if row.is_none() {
            self.forget(now, ledger)?;
            if ledger.count_executions()? >= self.max.get() {
                return Ok(Claimed::Full);
            }
        }
        let ended = row.as_ref().map(|row| row.record.forgotten_at);
        let record = row.map(|row| self.record(row));
        let (claimed, next) = Record::claim(record, claim, token, now);
        if let Next::Changed(record) = next {
            self.token = Some(token);
            let row = ExecutionRow { lease: claim.terms().lease, record };
            self.put(claim.key().as_bytes(), ended, &row, ledger)?;
        }
        Ok(claimed)
    }

    pub(super) fn settle(
        &mut self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
        (now, ledger): (Instant, &mut Ledger<'_>),
    ) -> Result<Settled, Abort> {
        let now = self.time.at(now);
        let key: &Key = ticket.key();
        let Some(before) = ledger.execution(key.as_bytes())? else { return Ok(Settled::Fenced) };
        let (ended, held_for) = (Some(before.record.forgotten_at), before.lease);
        let record = Some(self.record(before));
        let (settled, next) = Record::settle(record, ticket, settlement, now);
        if let Next::Changed(record) = next {
            let lease = match settlement.0 {
                Verb::Renew => ticket.terms().lease,
                // It is over, and no restart gives it back.
                Verb::Release => Duration::ZERO,
                Verb::Complete { .. } | Verb::Save { .. } => held_for,
            };
            let row = ExecutionRow { lease, record };
            self.put(key.as_bytes(), ended, &row, ledger)?;
        }
        Ok(settled)
    }

    /// Writes down with the records what they are to be read by, or without one where the wall clock was set meanwhile: else a
    /// reopening would take that for time that passed.
    pub(super) fn write_down(
        &mut self,
        reading: Reading,
        ledger: &mut Ledger<'_>,
    ) -> Result<(), Failure> {
        self.time.at(reading.now);
        let is_set = self.is_used && self.time.is_parted(reading.wall);
        if core::mem::take(&mut self.is_changed) || is_set {
            self.is_used = true;
            let (time, wall, token) = (self.time.note(reading.wall), reading.wall, self.token);
            ledger.put_execution_state(ExecutionState { time, wall, token })?;
        }
        Ok(())
    }

    /// Has it written down once more, if there is something that is to be read by it.
    pub(super) const fn end(&mut self) {
        self.is_changed = self.is_used;
    }

    /// Returns the file's time, for those who only read.
    pub(super) const fn time(&self) -> FileTime {
        self.time
    }

    /// Forgets some of what is over.
    fn forget(&mut self, now: Instant, ledger: &mut Ledger<'_>) -> Result<(), Abort> {
        for _ in 0..FORGOTTEN {
            let Some((end, key)) = ledger.first_execution(now)? else { break };
            let row = match ledger.execution(&key) {
                Ok(Some(row)) if row.record.forgotten_at == end => row,
                // It is damaged: whoever asks for that key is told so. It is no reason to refuse other keys for good.
                Ok(_) | Err(Abort::Operation(_)) => {
                    ledger.remove_execution_end(end, &key)?;
                    continue;
                }
                Err(abort) => return Err(abort),
            };
            let lease = row.lease;
            let record = self.record(row);
            if now < record.forgotten_at {
                // It was in flight when an earlier process ended, and ends later by now.
                self.put(&key, Some(end), &ExecutionRow { lease, record }, ledger)?;
            } else {
                ledger.remove_execution(&key, end)?;
                self.is_changed = true;
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        key: &[u8],
        ended: Option<Instant>,
        row: &ExecutionRow,
        ledger: &mut Ledger<'_>,
    ) -> Result<(), Failure> {
        self.is_changed = true;
        ledger.put_execution(key, ended, row)
    }

    fn record(&self, row: ExecutionRow) -> Record {
        row.record_since(self.time.opened_at())
    }

    fn next_token(&self, epoch: u64) -> Result<FencingToken, StoreError> {
        match self.token {
            Some(last) if last.epoch() >= epoch => {
                last.next().map_err(|_| StoreError::TokensExhausted { epoch: last.epoch() })
            }
            _ => Ok(FencingToken::first(epoch)),
        }
    }
}

/// Answers a claim of what was completed, from what is durable, and no other.
///
/// So results that many ask for are held by those who asked, and not by the one who writes.
pub(super) fn replay(
    transaction: &ReadTransaction,
    claim: Claim<'_>,
    now: Instant,
    store: &str,
) -> Result<Option<Claimed>, Abort> {
    let Some(table) = format::if_there(transaction.open_table(EXECUTIONS))? else {
        return Ok(None);
    };
    let Some(row) = table.get(claim.key().as_bytes())? else { return Ok(None) };
    let row = ExecutionRow::read(row.value(), store).map_err(Abort::Operation)?;
    if !matches!(row.record.state, State::Completed { .. }) || now >= row.record.forgotten_at {
        return Ok(None);
    }
    let token = row.record.token;
    let (claimed, _) = Record::claim(Some(row.record), claim, token, now);
    Ok(Some(claimed))
}

/// Reads what goes on, if a record was ever written.
fn written(transaction: &ReadTransaction, store: &str) -> Result<Option<ExecutionState>, Abort> {
    let Some(table) = format::if_there(transaction.open_table(EXECUTION_STATE))? else {
        return Ok(None);
    };
    let Some(row) = table.get(())? else { return Ok(None) };
    let (time, wall, token) = row.value();
    let token = token.map(|bytes| format::token(bytes, store)).transpose();
    Ok(Some(ExecutionState {
        time: Instant::from_nanos(time),
        wall: WallTime::from_nanos(wall),
        token: token.map_err(Abort::Operation)?,
    }))
}
