//! How files come to be, and how they are opened.

use core::panic::AssertUnwindSafe;
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use ::redb::{
    Builder, Database, DatabaseError, ReadableDatabase as _, StorageBackend, StorageError,
    backends::FileBackend,
};
use surmise_time::{Instant, WallTime};

use super::{
    RedbConfig, clocks::Reading, executions::Executions, failure::Failure, format, gate::Gate,
    leases::Leases, ledger::Abort,
};
use crate::{BoxError, StoreError};

/// Opens a file that is there, or leaves it as it is.
pub(super) fn open(path: &Path, config: &RedbConfig, store: &str) -> Result<Database, StoreError> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| inaccessible(store, error))?;
    // Whoever created it may have been stopped before its name was durable.
    sync_directory(path).map_err(|error| unavailable(store, error))?;
    open_storage(storage(file, store)?, config, store)
}

/// Opens a file to be read, which nobody writes to until it is closed.
pub(super) fn open_shared(path: &Path, store: &str) -> Result<File, StoreError> {
    let file = File::open(path).map_err(|error| inaccessible(store, error))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use(store, "it is open, and may be written to")),
        Err(TryLockError::Error(error)) => Err(unavailable(store, error)),
    }
}

/// Makes redb's storage of a file.
pub(super) fn storage(file: File, store: &str) -> Result<FileBackend, StoreError> {
    FileBackend::new(file).map_err(|error| not_opened(&error, store))
}

/// Opens storage that has a database of ours, or leaves it as it is.
pub(super) fn open_storage(
    storage: impl StorageBackend,
    config: &RedbConfig,
    store: &str,
) -> Result<Database, StoreError> {
    let (gate, gated) = Gate::new(storage);
    if gate.is_empty().map_err(|error| unavailable(store, error))? {
        let problem = "an empty file".to_owned();
        return Err(StoreError::Corrupt { store: store.to_owned(), problem });
    }
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = builder(config)
            .set_check_integrity_on_open(config.verify)
            .create_with_backend(gated)
            .map_err(|error| not_opened(&error, store))?;
        let checked = format::check(&database, store);
        checked.map_err(|error| not_opened(&error.into(), store))??;
        check_content(&database, config, store)?;
        Ok(database)
    }));
    let database = opened.unwrap_or_else(|panic| {
        let problem = Failure::panicked(&*panic).to_string();
        Err(StoreError::Corrupt { store: store.to_owned(), problem })
    })?;
    gate.open().map_err(|error| unavailable(store, error))?;
    Ok(database)
}

/// Creates a file with what `fill` puts into it, if there is none.
///
/// A file of redb that was not finished can never be opened, so it is made under another name, and gets its own when it is
/// durable. Two processes at once do not get in each other's way: the name is given by who has locked
/// the file, and after another look.
///
/// Returns `None` if there is a file now.
pub(super) fn create(
    path: &Path,
    store: &str,
    fill: impl FnOnce(File) -> Result<Database, StoreError>,
) -> Result<Option<Database>, StoreError> {
    let unfinished = unfinished(path);
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&unfinished);
    let file = file.map_err(|error| inaccessible(store, error))?;
    let taken = || in_use(store, "another is creating it, or it is to be made of itself");
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken()),
        Err(TryLockError::Error(error)) => return Err(unavailable(store, error)),
    }
    if exists(path).map_err(|error| unavailable(store, error))? {
        remove(&file, &unfinished);
        return Ok(None);
    }
    // Whoever removed it while this waited for the lock may be followed by one who makes another of this name.
    if !is_at(&file, &unfinished).map_err(|error| unavailable(store, error))? {
        return Err(taken());
    }
    file.set_len(0).map_err(|error| unavailable(store, error))?;
    let made = file.try_clone().map_err(|error| unavailable(store, error)).and_then(fill);
    let database = made.inspect_err(|_| remove(&file, &unfinished))?;
    if let Err(error) = fs::rename(&unfinished, path) {
        drop(database);
        remove(&file, &unfinished);
        return Err(unavailable(store, error));
    }
    sync_directory(path).map_err(|error| unavailable(store, error))?;
    Ok(Some(database))
}

/// Removes a file that was not finished, unless it is another's by now. If that fails, the next one overwrites it.
fn remove(file: &File, unfinished: &Path) {
    // The database that was in it may have given up the lock.
    if file.try_lock().is_ok() && is_at(file, unfinished).unwrap_or(false) {
        _ = fs::remove_file(unfinished);
    }
}

/// Returns whether a file, which was opened by a name, still has it.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let place = |file: fs::Metadata| (file.dev(), file.ino());
    match fs::metadata(path) {
        Ok(there) => Ok(place(there) == place(file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere, a file that is open keeps its name.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> io::Result<bool> {
    exists(path)
}

/// Makes a database without tables in storage that is empty.
pub(super) fn empty(
    storage: impl StorageBackend,
    config: &RedbConfig,
    store: &str,
) -> Result<Database, StoreError> {
    let database = builder(config).create_with_backend(storage);
    database.map_err(|error| not_opened(&error, store))
}

/// Makes a database of ours without leases or values in storage that is empty.
pub(super) fn initialise(
    storage: impl StorageBackend,
    config: &RedbConfig,
    epoch: u64,
    store: &str,
) -> Result<Database, StoreError> {
    let database = empty(storage, config, store)?;
    format::initialise(&database, epoch).map_err(|failure| unavailable(store, failure))?;
    Ok(database)
}

/// Returns whether there is a file, or anything, of this name.
pub(super) fn exists(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says why a file cannot be looked at: what does not go by itself is for somebody to mend.
pub(super) fn inaccessible(store: &str, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::PermissionDenied => StoreError::Unusable {
            store: store.to_owned(),
            problem: error.to_string(),
            remedy: "check the path, and who may write there",
        },
        _ => unavailable(store, error),
    }
}

pub(super) fn unavailable(store: &str, error: impl Into<BoxError>) -> StoreError {
    StoreError::Unavailable { store: store.to_owned(), source: error.into() }
}

/// Finds out whether what is in memory can be put back, while nothing was changed.
fn check_content(database: &Database, config: &RedbConfig, store: &str) -> Result<(), StoreError> {
    let reading = Reading { now: Instant::ORIGIN, wall: WallTime::UNIX_EPOCH };
    let restored = database.begin_read().map_err(Abort::from).and_then(|transaction| {
        Leases::restore(&transaction, config, store, reading.now)?;
        Executions::restore(&transaction, config, store, reading)
    });
    match restored {
        Ok(_) => Ok(()),
        Err(Abort::Operation(error)) => Err(error),
        Err(Abort::Batch(failure)) => Err(unavailable(store, failure)),
    }
}

fn builder(config: &RedbConfig) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(config.cache_bytes);
    builder
}

/// Returns the name of a file that is not finished.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".unfinished");
    name.into()
}

/// Makes the name of a file durable.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    // A symbolic link leads to where the name of the file itself is.
    let path = fs::canonicalize(path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// Elsewhere, a directory cannot be synced.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

fn not_opened(error: &DatabaseError, store: &str) -> StoreError {
    let problem = error.to_string();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            in_use(store, &problem)
        }
        DatabaseError::Storage(StorageError::Io(error))
            if !matches!(
                error.kind(),
                // What redb says of files that are not its own, or end too early.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            unavailable(store, problem)
        }
        DatabaseError::Storage(StorageError::Unsupported) => unavailable(store, problem),
        _ => StoreError::Corrupt { store: store.to_owned(), problem },
    }
}

fn in_use(store: &str, problem: &str) -> StoreError {
    StoreError::Unusable {
        store: store.to_owned(),
        problem: problem.to_owned(),
        remedy: "close it there: a file is used by one process, and opened once",
    }
}
