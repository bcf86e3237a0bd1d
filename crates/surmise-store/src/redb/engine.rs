//! What performs operations, a batch at a time.

use alloc::sync::Arc;
use core::panic::AssertUnwindSafe;
use std::{panic::catch_unwind, sync::OnceLock};

use ::redb::{Database, ReadTransaction, ReadableDatabase as _};
use parking_lot::RwLock;

use super::{
    RedbConfig,
    clocks::Reading,
    executions::{Executions, FileTime},
    failure::Failure,
    leases::Leases,
    ledger::{Abort, Ledger},
    operation::{Batch, Ended, Waiting},
};
use crate::StoreError;

/// The database, for the one who writes and those who read.
#[derive(Debug)]
pub(super) struct Shared {
    store: String,
    /// None once it was closed.
    database: RwLock<Option<Database>>,
    /// Why nothing is done any more.
    failure: OnceLock<Failure>,
}

/// The one who writes.
#[derive(Debug)]
pub(super) struct Engine {
    shared: Arc<Shared>,
    leases: Leases,
    executions: Executions,
    #[cfg(test)]
    pub(super) acknowledges_early: bool,
}

/// Operations that were performed, whose callers are still to be told.
#[must_use = "callers wait for it"]
pub(super) struct Answers {
    waiting: Vec<Box<dyn Waiting>>,
    ended: Ended,
    shared: Arc<Shared>,
}

impl Answers {
    /// Wakes the callers, who may do anything: nothing should be locked.
    pub(super) fn send(self) {
        for operation in self.waiting {
            operation.answer(&self.ended, self.shared.store());
        }
    }
}

impl Shared {
    pub(super) fn new(database: Database, store: String) -> Self {
        Self { store, database: RwLock::new(Some(database)), failure: OnceLock::new() }
    }

    pub(super) fn store(&self) -> &str {
        &self.store
    }

    /// Reads from what is durable.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Abort>,
    ) -> Result<T, StoreError> {
        if let Some(failure) = self.failure.get() {
            return Err(failure.refusal(&self.store));
        }
        let database = self.database.read();
        let Some(database) = &*database else { return Err(closed(&self.store)) };
        let result = catch_unwind(AssertUnwindSafe(|| read(&database.begin_read()?)));
        match result.unwrap_or_else(|panic| Err(Failure::panicked(&*panic).into())) {
            Ok(value) => Ok(value),
            Err(Abort::Operation(error)) => Err(error),
            Err(Abort::Batch(failure)) => Err(StoreError::Unavailable {
                store: self.store.clone(),
                source: Box::new(failure),
            }),
        }
    }
}

impl Engine {
    /// Puts back the leases, which are held for their whole time from now, and what goes on of executions.
    pub(super) fn new(
        shared: Arc<Shared>,
        config: &RedbConfig,
        reading: Reading,
    ) -> Result<Self, StoreError> {
        let (leases, executions) = shared.read(|transaction| {
            let leases = Leases::restore(transaction, config, &shared.store, reading.now)?;
            Ok((leases, Executions::restore(transaction, config, &shared.store, reading)?))
        })?;
        Ok(Self {
            shared,
            leases,
            executions,
            #[cfg(test)]
            acknowledges_early: false,
        })
    }

    /// Performs operations, in this order, and returns their answers once what they changed is durable.
    pub(super) fn run(&mut self, mut waiting: Vec<Box<dyn Waiting>>, reading: Reading) -> Answers {
        // Nobody is told what becomes of an operation whose caller gave up, so it need not happen.
        waiting.retain(|operation| !operation.is_abandoned());
        let shared = Arc::clone(&self.shared);
        let ended = match shared.failure.get() {
            Some(failure) => Ended::Undone(failure.clone()),
            None => {
                let attempt = AssertUnwindSafe(|| self.attempt(&mut waiting, reading));
                catch_unwind(attempt)
                    .unwrap_or_else(|panic| Ended::Unknown(Failure::panicked(&*panic)))
            }
        };
        // What is in memory is ahead of what is in the file, and redb too wants to be opened again.
        if let Ended::Undone(failure) | Ended::Unknown(failure) = &ended {
            let _ = shared.failure.set(failure.clone());
        }
        Answers { waiting, ended, shared }
    }

    /// Returns the time of the executions, for those who only read.
    pub(super) const fn file_time(&self) -> FileTime {
        self.executions.time()
    }

    /// Writes down until when the file was open, if executions are in it.
    pub(super) fn end(&mut self, reading: Reading) {
        self.executions.end();
        // It was asked for by nobody. If it fails, it is as if the power had.
        let _ = self.run(Vec::new(), reading);
    }

    /// Closes the file.
    pub(super) fn close(mut self, reading: Reading) -> Result<(), StoreError> {
        self.end(reading);
        let Some(database) = self.shared.database.write().take() else { return Ok(()) };
        let closed = catch_unwind(AssertUnwindSafe(|| database.close()));
        match closed.unwrap_or_else(|panic| {
            Err(::redb::StorageError::Corrupted(Failure::panicked(&*panic).to_string()).into())
        }) {
            Ok(()) => Ok(()),
            Err(error) => Err(StoreError::Unavailable {
                store: self.shared.store.clone(),
                source: Box::new(error),
            }),
        }
    }

    fn attempt(&mut self, waiting: &mut [Box<dyn Waiting>], reading: Reading) -> Ended {
        let database = self.shared.database.read();
        let Some(database) = &*database else {
            return Ended::Undone(Failure::new(&"it was closed"));
        };
        let transaction = match database.begin_write() {
            Ok(transaction) => transaction,
            Err(error) => return Ended::Undone(error.into()),
        };
        #[cfg(test)]
        let transaction = early(transaction, self.acknowledges_early);
        let changes = Ledger::new(&transaction, &self.shared.store).and_then(|ledger| {
            let mut batch = Batch {
                ledger,
                leases: &mut self.leases,
                executions: &mut self.executions,
                now: reading.now,
            };
            waiting.iter_mut().try_for_each(|operation| operation.perform(&mut batch))?;
            batch.executions.write_down(reading, &mut batch.ledger)?;
            Ok(batch.ledger.changes())
        });
        match changes {
            // There is nothing to sync.
            Ok(0) => transaction
                .abort()
                .map_or_else(|error| Ended::Undone(error.into()), |()| Ended::Durable),
            Ok(_) => transaction
                .commit()
                .map_or_else(|error| Ended::Unknown(error.into()), |()| Ended::Durable),
            // Dropped, the transaction leaves no trace.
            Err(failure) => Ended::Undone(failure),
        }
    }
}

/// Says that nothing happened, since the store was closed.
pub(super) fn closed(store: &str) -> StoreError {
    StoreError::Unusable {
        store: store.to_owned(),
        problem: "it was closed".to_owned(),
        remedy: "open it again",
    }
}

/// The mistake that the tests are to notice: to answer before the disk has it.
#[cfg(test)]
fn early(mut transaction: ::redb::WriteTransaction, is_early: bool) -> ::redb::WriteTransaction {
    if is_early {
        transaction.set_durability(::redb::Durability::None).unwrap();
    }
    transaction
}

#[cfg(test)]
mod tests;
