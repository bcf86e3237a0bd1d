//! Leases, fenced writes and executions in a file, for the threads of one process: on [redb](https://www.redb.org).
//!
//! # What it guarantees, and by what means
//!
//! * **What was acknowledged is durable.** One thread takes all operations that wait, performs them in one
//!   transaction of redb, syncs the file, and only then answers them. So does a caller, if
//!   [`RedbConfig::write_in_caller`] says so and it is alone.
//! * **Stale writes are refused.** A write is checked and done in the same transaction, in which nobody else is;
//!   the operations before it in its batch count.
//! * **No two leases have the same token, and no two executions.** Tokens of leases are reserved in the file, a thousand at a
//!   time, in or before the transaction that issues the first of them. What a restart finds reserved is never issued again.
//!   Executions are counted on their own, so that one of them may have the token of a lease.
//! * **A lease lasts for as long as its holder was told, over a restart too.** What time had passed is not known
//!   then, so every lease that is in the file is held for its whole time once more. Within a process it is counted by a
//!   clock that goes on while the machine sleeps.
//! * **What was executed is remembered for as long as was said.** The records of executions and the counter of their
//!   tokens are in the file, each changed in the transaction that it belongs to. What is in flight when the file is opened
//!   has its whole lease once more, and its retention after that: also what was over, and not yet removed.
//! * **An outcome is never guessed.** If a sync fails, what was to change by it is
//!   [`Indeterminate`](crate::Outcome::Indeterminate), all of it has happened or nothing, and the store does nothing more: it says that
//!   it is to be opened again, which finds out.
//! * **A file is there whole or not at all.** It is made under the name with `.unfinished` appended, and renamed when
//!   it is durable. A process that was killed meanwhile leaves that file; the next one overwrites it. Nothing else should
//!   have that name.
//! * **What is not ours stays as it is.** A foreign, damaged or newer file is refused, and not a byte of it is changed.
//!
//! # Its limits
//!
//! * One process, and one `RedbStore` of a file at a time: another is refused.
//! * A file that is opened anew keeps every lease in it for its whole time once more. So a process that exits because
//!   a lease is held, and is started again, never gets it: it is to wait, for the time that it was told.
//! * It is as safe as `fdatasync` is. A disk that says too early that it has written loses writes and tokens; a disk whose
//!   sync failed may, after the file is opened again, show what it will not have after the next power loss. Whoever must go on after
//!   such a thing restores a backup by [`RedbStore::import`], or at least calls
//!   [`advance_epoch`](crate::LeaseStore::advance_epoch).
//! * There is no time limit: a disk that hangs makes operations wait. A caller can stop waiting by dropping the future, as
//!   time-outs of executors do. What the thread has not yet taken then does not happen; the rest may.
//! * [`read`](crate::FencedStore::read), [`floor`](crate::FencedStore::floor) and claims of what was completed read in the
//!   caller's thread, from the cache or from the disk. Opening, closing, copying and dropping a store block too.
//! * A key that was removed keeps its pass, some 50 bytes and the key, for ever: else an earlier holder could write it again.
//!
//! # Time, and what a wall clock does to it
//!
//! While a file is open, no wall clock matters: leases and retentions are counted by the clock of the leases. How long the file was
//! not open nobody knows but the wall clock, and it is believed in one case only: results (and what was released) age by as
//! much as it advanced between the last time that was written down and the opening. That is done with each record, with the
//! first operation after the clock was set by more than a second, and at the closing.
//!
//! * Set back in between, it lets results live longer, by the time that the file was not open; nothing is forgotten too early.
//! * Set forward in between, it lets them age by that step: *results are forgotten early, and their keys executed again*. Open
//!   the file when the clock of a machine that boots without one is set. Nothing in flight is forgotten for it.
//! * Set while the file is open, it does no harm, unless the process dies before anything else is asked of the store.
//!
//! What is in flight has its lease and its retention from each opening once more, by no clock: so a service that is
//! started again more often than that never forgets the keys whose executors died, which count as
//! [`max_executions`](RedbConfig::max_executions), and leases that are longer than it runs do not end. To let them age by what is
//! written down would have a wall clock that was wrong once execute them anew.
//!
//! # What the operator must see to
//!
//! That the file is on a local file system with working locks and syncs; that a store which was restored from a copy, or
//! whose file was lost, begins a new epoch, while the machine's clock is right, since epochs are the seconds of it;
//! and that a file which is missing because its disk is not mounted is not created again ([`RedbConfig::create`]).
//! What was executed after a backup was made is not in it, and executed again.
//!
//! # What it costs
//!
//! A write costs a sync, which all that wait share. A lease that is renewed for no longer than it was granted for costs
//! none, and neither does what is refused or replayed. An execution costs two: its claim and its completion. With each new
//! key, four at most that are over are forgotten, in logarithmic time. Opening reads the whole file, some two seconds for a gigabyte.
//!
//! The futures need no runtime: any executor drives them, and in a thread of its own so does any `block_on`.
//!
//! # Examples
//!
//! ```
//! use core::time::Duration;
//! use surmise_store::{
//!     FencedStore, LeaseStore,
//!     redb::{RedbConfig, RedbStore},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn core::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("ledger.redb");
//! let store = RedbStore::open(path, RedbConfig::default())?;
//! let lease = store.acquire("ledger", "host-1", Duration::from_secs(10)).await?;
//! store.raise("ledger", lease.pass()?).await?.applied()?;
//! store.write("ledger", b"balance", b"100", lease.next_pass()?).await?.applied()?;
//! # Ok(())
//! # }
//! ```

mod clocks;
mod config;
mod engine;
mod executions;
mod failure;
mod file;
mod format;
mod gate;
mod leases;
mod ledger;
mod operation;
#[cfg(test)]
mod power_loss;
mod queue;
mod reply;
mod writer;

use alloc::sync::Arc;
use std::{io, path::Path};

use ::redb::Database;
use surmise_fence::{FencingToken, Pass};
use surmise_time::{MonotonicClock as _, OsWallClock, WallClock as _};

pub use self::config::RedbConfig;
use self::{
    clocks::Reading,
    engine::{Engine, Shared},
    executions::FileTime,
    file::unavailable,
    format::{ENTRIES, FLOORS},
    ledger::Abort,
    operation::{Acquire, AdvanceEpoch, Ask, Execute, Extend, Raise, Revoke, Settle, Write},
    writer::Writer,
};
use crate::{
    Change, Claim, Claimed, Entry, Extended, FencedStore, Granted, Holding, IdempotencyStore,
    LeaseClock, LeaseRequest, LeaseStore, Outcome, Resource, Revoked, Settled, Settlement,
    StoreError, Ticket, Ttl, fenced_store::check_key,
};

/// Leases, fenced values and executions in a file.
///
/// The [module](self) says what it guarantees. Share it in an `Arc`. Dropped, it performs what still waits, and closes
/// the file.
#[derive(Debug)]
pub struct RedbStore {
    // Before the database: it must be done with it.
    writer: Writer,
    shared: Arc<Shared>,
    time: FileTime,
}

impl RedbStore {
    /// Opens a file, or creates it if it is not there.
    ///
    /// Takes time in proportion to the size of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened or created; if another process, or this one, has opened it already; if it is
    /// not a whole file of this crate, or of a later version. It is as it was, then.
    pub fn open(path: impl AsRef<Path>, config: RedbConfig) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let store = name(path);
        let is_there = file::exists(path).map_err(|error| file::inaccessible(&store, error))?;
        let created = if is_there || !config.create {
            None
        } else {
            file::create(path, &store, |file| {
                file::initialise(file::storage(file, &store)?, &config, FIRST_EPOCH, &store)
            })?
        };
        match created {
            Some(database) => Self::over(database, &config, store),
            None => Self::over(file::open(path, &config, &store)?, &config, store),
        }
    }

    /// Makes a file of a backup, and opens it, in an epoch that is higher than that of the backup and than `beyond`, and no
    /// lower than the number of seconds since 1970.
    ///
    /// The tokens that were issued after the backup was made are not in it. By this machine's clock, the new epoch is
    /// above theirs, also if they came of another import of the same backup. Whoever cannot rely on the clock says in
    /// `beyond` which is the highest epoch that ever was in use; else it can be 0. The leases of the
    /// backup are held for their whole time, though others may have been granted since, whose holders now meet refusals.
    ///
    /// # Errors
    ///
    /// If there is a file at `path`; if the backup cannot be read, is in use, or is not a whole file of this crate; if the
    /// new file cannot be written. There is no new file, then, unless it was whole, and merely the folder could not be
    /// synced or the threads not begun.
    pub fn import(
        backup: impl AsRef<Path>,
        path: impl AsRef<Path>,
        beyond: u64,
        config: RedbConfig,
    ) -> Result<Self, StoreError> {
        let (backup, path) = (backup.as_ref(), path.as_ref());
        let (theirs, ours) = (name(backup), name(path));
        // Nobody writes to it meanwhile; and it is not what the new file is made of.
        let mut source = file::open_shared(backup, &theirs)?;
        let database = file::create(path, &ours, |mut file| {
            io::copy(&mut source, &mut file)
                .and_then(|_| file.sync_all())
                .map_err(|error| unavailable(&ours, error))?;
            // It may have been copied while it was written to.
            let verifying = RedbConfig { verify: true, ..config };
            let database = file::open_storage(file::storage(file, &ours)?, &verifying, &theirs)?;
            format::advance_epoch(&database, beyond, OsWallClock.now()).map_err(
                |error| match error {
                    Abort::Operation(error) => error,
                    Abort::Batch(failure) => unavailable(&ours, failure),
                },
            )?;
            Ok(database)
        })?;
        Self::over(database.ok_or_else(|| is_taken(&ours))?, &config, ours)
    }

    /// Copies what is durable into a new file, from which [`import`](Self::import) can make a store again.
    ///
    /// Operations go on meanwhile. It takes time in proportion to the size of the file, and blocks the
    /// calling thread.
    ///
    /// # Errors
    ///
    /// If there is a file at `path`, if it cannot be written, or if the store's own cannot be read. There is no new file,
    /// then, unless it was whole, and merely its folder could not be synced or it not be closed.
    pub fn backup(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        let path = path.as_ref();
        let theirs = name(path);
        let database = file::create(path, &theirs, |file| {
            let storage = file::storage(file, &theirs)?;
            let database = file::empty(storage, &RedbConfig::default(), &theirs)?;
            self.copy(&database, &theirs)?;
            Ok(database)
        })?;
        let database = database.ok_or_else(|| is_taken(&theirs))?;
        database.close().map_err(|error| unavailable(&theirs, error))
    }

    /// Performs what still waits, and closes the file. Operations after this are refused.
    ///
    /// Blocks the calling thread until that is done. A second call does nothing.
    ///
    /// # Errors
    ///
    /// If the file could not be closed properly. What was acknowledged is durable even so.
    pub fn close(&self) -> Result<(), StoreError> {
        self.writer.close()
    }

    fn copy(&self, to: &Database, theirs: &str) -> Result<(), StoreError> {
        self.shared.read(|transaction| format::copy(transaction, to, theirs))
    }

    fn over(database: Database, config: &RedbConfig, store: String) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::new(database, store));
        let engine = Engine::new(Arc::clone(&shared), config, Reading::now())?;
        let time = engine.file_time();
        let writer = Writer::spawn(engine, shared.store(), config)
            .map_err(|error| unavailable(shared.store(), error))?;
        Ok(Self { writer, shared, time })
    }
}

impl LeaseStore for RedbStore {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        self.writer.perform(Acquire::from(request)).await
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        self.writer.perform(Extend::new(resource, token, ttl)).await
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        self.writer.perform(Revoke::new(resource, token)).await
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        self.writer.perform(Ask::new(resource)).await
    }

    /// If the sync fails, the error does not say whether the next epoch began; asked again once it is open
    /// again, the store begins one in either case.
    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        self.writer.perform(AdvanceEpoch { now: OsWallClock.now() }).await
    }
}

impl FencedStore for RedbStore {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        self.writer.perform(Write::from(change)).await
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        self.writer.perform(Raise::new(resource, pass)).await
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        self.shared.read(|transaction| {
            let row = transaction.open_table(FLOORS)?.get(resource.as_str())?;
            let pass = row.map(|row| format::pass(row.value(), self.shared.store()));
            pass.transpose().map_err(Abort::Operation)
        })
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let resource = Resource::new(resource)?;
        check_key(key)?;
        self.shared.read(|transaction| {
            let row = transaction.open_table(ENTRIES)?.get((resource.as_str(), key))?;
            let entry = row.map(|row| {
                let (pass, value) = row.value();
                let pass = format::pass(pass, self.shared.store())?;
                Ok(Entry::new(value.map(<[u8]>::to_vec), pass))
            });
            entry.transpose().map_err(Abort::Operation)
        })
    }
}

impl IdempotencyStore for RedbStore {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let now = self.time.peek(LeaseClock.now());
        let store = self.shared.store();
        let replay = |transaction: &_| executions::replay(transaction, claim, now, store);
        if let Some(claimed) = self.shared.read(replay)? {
            return Ok(claimed);
        }
        self.writer.perform(Execute::from(claim)).await
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        ticket.terms().checked()?;
        self.writer.perform(Settle::new(ticket, settlement)).await
    }
}

/// The epoch of a store's first tokens.
const FIRST_EPOCH: u64 = 1;

/// Returns what errors call a store.
fn name(path: &Path) -> String {
    format!("the redb file {}", path.display())
}

fn is_taken(store: &str) -> StoreError {
    StoreError::Unusable {
        store: store.to_owned(),
        problem: "there is one already".to_owned(),
        remedy: "choose another name, or move it away",
    }
}
