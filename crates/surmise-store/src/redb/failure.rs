//! What redb reports, and what becomes of it.

use core::{any::Any, error::Error, fmt};

use ::redb::{CommitError, StorageError, TableError, TransactionError};

use crate::{LostReply, StoreError};

/// What went wrong below: the file is not to be used any more before it was opened again.
#[derive(Clone, Debug)]
pub(super) struct Failure(String);

impl Failure {
    pub(super) fn new(error: &impl fmt::Display) -> Self {
        Self(error.to_string())
    }

    /// Makes one of what a panicking thread leaves.
    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self(format!("a panic: {}", message.unwrap_or("without a message")))
    }

    /// Says that nothing happened, and that nothing will.
    pub(super) fn refusal(&self, store: &str) -> StoreError {
        StoreError::Unusable {
            store: store.to_owned(),
            problem: self.0.clone(),
            remedy: "drop the store and open it again, once its disk works and has room",
        }
    }

    /// Says that it may have happened.
    pub(super) fn lost(&self, store: &str) -> LostReply {
        LostReply::new(store, self.0.clone())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::new(&error)
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self::new(&error)
    }
}

impl From<TransactionError> for Failure {
    fn from(error: TransactionError) -> Self {
        Self::new(&error)
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::new(&error)
    }
}
