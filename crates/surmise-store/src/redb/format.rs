//! What is in the file.

use ::redb::{
    Database, Key, ReadTransaction, ReadableDatabase as _, ReadableTable as _, StorageError,
    TableDefinition, TableError, TransactionError, Value, WriteTransaction,
};
use surmise_fence::{FencingToken, Pass};
use surmise_time::WallTime;

use super::{failure::Failure, file::unavailable, ledger::Abort};
use crate::{StoreError, epoch};

/// The format that this version reads and writes.
pub(super) const VERSION: u64 = 1;

/// Of each resource, the pass that its floor was raised to.
pub(super) const FLOORS: TableDefinition<'_, &str, &[u8; 32]> =
    TableDefinition::new("surmise.floors");

/// Of each key of a resource, the pass of the last write, and the value unless it was removed.
pub(super) const ENTRIES: TableDefinition<'_, EntryKey, EntryRow> =
    TableDefinition::new("surmise.entries");

/// Of each resource that is leased, the token, the nonce, the longest TTL in nanoseconds that its holder was promised, and the
/// holder's name.
pub(super) const LEASES: TableDefinition<'_, &str, LeaseRow> =
    TableDefinition::new("surmise.leases");

/// In the only row, the epoch, and the last token that was reserved.
pub(super) const TOKENS: TableDefinition<'_, (), TokensRow> =
    TableDefinition::new("surmise.tokens");

/// Of each key that is remembered, the lease of its execution in nanoseconds, and the record.
///
/// This table and the next two are made when they are first written to: earlier files do not have them.
pub(super) const EXECUTIONS: TableDefinition<'_, &[u8], ExecutionRow> =
    TableDefinition::new("surmise.executions");

/// Of each row of [`EXECUTIONS`], when it is forgotten, and its key.
pub(super) const EXECUTION_ENDS: TableDefinition<'_, EndKey, ()> =
    TableDefinition::new("surmise.executions.ends");

/// In the only row, what goes on after a restart.
pub(super) const EXECUTION_STATE: TableDefinition<'_, (), StateRow> =
    TableDefinition::new("surmise.executions.state");

/// A resource, and a key of it.
pub(super) type EntryKey = (&'static str, &'static [u8]);

/// A pass, and a value unless it was removed.
pub(super) type EntryRow = (&'static [u8; 32], Option<&'static [u8]>);

/// A token, a nonce, a time in nanoseconds and a name.
pub(super) type LeaseRow = (&'static [u8; 16], u64, u64, &'static str);

/// An epoch, and a token.
pub(super) type TokensRow = (u64, Option<&'static [u8; 16]>);

/// A time in nanoseconds, and a record.
pub(super) type ExecutionRow = (u64, &'static [u8]);

/// A time in nanoseconds, and a key.
pub(super) type EndKey = (u64, &'static [u8]);

/// The file's time and the wall clock's in nanoseconds, and the last token.
pub(super) type StateRow = (u64, u64, Option<&'static [u8; 16]>);

/// In the only row, the version of the format: of this table itself, the format never changes.
const FORMAT: TableDefinition<'_, (), u64> = TableDefinition::new("surmise.format");

/// Makes the tables of an empty database.
pub(super) fn initialise(database: &Database, epoch: u64) -> Result<(), Failure> {
    let transaction = database.begin_write()?;
    transaction.open_table(FLOORS)?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(LEASES)?;
    transaction.open_table(TOKENS)?.insert((), (epoch, None))?;
    transaction.open_table(FORMAT)?.insert((), VERSION)?;
    Ok(transaction.commit()?)
}

/// Checks that a database is one of ours, and of this version.
pub(super) fn check(
    database: &Database,
    store: &str,
) -> Result<Result<(), StoreError>, StorageError> {
    let corrupt =
        |problem: String| Ok(Err(StoreError::Corrupt { store: store.to_owned(), problem }));
    let transaction = database.begin_read().map_err(|error| match error {
        TransactionError::Storage(error) => error,
        other => StorageError::Corrupted(other.to_string()),
    })?;
    let version = match transaction.open_table(FORMAT) {
        Ok(table) => table.get(())?.map(|version| version.value()),
        Err(TableError::Storage(error)) => return Err(error),
        Err(_) => None,
    };
    match version {
        Some(VERSION) => match check_tables(&transaction) {
            Ok(()) => Ok(Ok(())),
            Err(TableError::Storage(error)) => Err(error),
            Err(other) => corrupt(other.to_string()),
        },
        Some(newer) if newer > VERSION => Ok(Err(StoreError::Unusable {
            store: store.to_owned(),
            problem: format!(
                "its format is {newer}, and this program knows formats up to {VERSION}"
            ),
            remedy: "use the program that wrote it, or a newer one",
        })),
        Some(version) => corrupt(format!("there is no format {version}")),
        None => corrupt("a file of redb without the table `surmise.format`".to_owned()),
    }
}

fn check_tables(transaction: &ReadTransaction) -> Result<(), TableError> {
    transaction.open_table(FLOORS)?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(LEASES)?;
    transaction.open_table(TOKENS)?;
    if_there(transaction.open_table(EXECUTIONS))?;
    if_there(transaction.open_table(EXECUTION_ENDS))?;
    if_there(transaction.open_table(EXECUTION_STATE))?;
    Ok(())
}

/// Makes nothing of a table that is not there.
pub(super) fn if_there<T>(opened: Result<T, TableError>) -> Result<Option<T>, TableError> {
    match opened {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies all tables into a database that has none. What fails there, and not here, is blamed on it.
pub(super) fn copy(from: &ReadTransaction, to: &Database, theirs: &str) -> Result<(), Abort> {
    let blame = |failure| Abort::Operation(unavailable(theirs, failure));
    let transaction = to.begin_write().map_err(|error| blame(error.into()))?;
    copy_table(FLOORS, from, &transaction, blame)?;
    copy_table(ENTRIES, from, &transaction, blame)?;
    copy_table(LEASES, from, &transaction, blame)?;
    copy_table(TOKENS, from, &transaction, blame)?;
    copy_table(EXECUTIONS, from, &transaction, blame)?;
    copy_table(EXECUTION_ENDS, from, &transaction, blame)?;
    copy_table(EXECUTION_STATE, from, &transaction, blame)?;
    copy_table(FORMAT, from, &transaction, blame)?;
    transaction.commit().map_err(|error| blame(error.into()))
}

fn copy_table<K: Key + 'static, V: Value + 'static>(
    table: TableDefinition<'_, K, V>,
    from: &ReadTransaction,
    to: &WriteTransaction,
    blame: impl Fn(Failure) -> Abort,
) -> Result<(), Abort> {
    let Some(from) = if_there(from.open_table(table))? else { return Ok(()) };
    let mut to = to.open_table(table).map_err(|error| blame(error.into()))?;
    for row in from.iter()? {
        let (key, value) = row?;
        to.insert(key.value(), value.value()).map_err(|error| blame(error.into()))?;
    }
    Ok(())
}

/// Goes on in an epoch after that of the file, and after another one.
pub(super) fn advance_epoch(database: &Database, beyond: u64, now: WallTime) -> Result<(), Abort> {
    let transaction = database.begin_write()?;
    let mut tokens = transaction.open_table(TOKENS)?;
    let (current, reserved) = match tokens.get(())? {
        Some(row) => (row.value().0, row.value().1.copied()),
        None => (0, None),
    };
    let last = current.max(beyond);
    let exhausted = || Abort::Operation(StoreError::TokensExhausted { epoch: last });
    let next = epoch::after(last, now).ok_or_else(exhausted)?;
    tokens.insert((), (next, reserved.as_ref()))?;
    drop(tokens);
    Ok(transaction.commit()?)
}

/// Reads a pass.
pub(super) fn pass(bytes: &[u8; 32], store: &str) -> Result<Pass, StoreError> {
    Pass::from_bytes(*bytes).map_err(|error| corrupt(store, &error))
}

/// Reads a token.
pub(super) fn token(bytes: &[u8; 16], store: &str) -> Result<FencingToken, StoreError> {
    FencingToken::from_bytes(*bytes).map_err(|error| corrupt(store, &error))
}

pub(super) fn corrupt(store: &str, error: &impl ToString) -> StoreError {
    StoreError::Corrupt { store: store.to_owned(), problem: error.to_string() }
}
