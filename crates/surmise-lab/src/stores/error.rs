use core::{error::Error, fmt};
use std::io;

use surmise_fence::LeaseTableError;
use surmise_store::StoreError;

/// A store cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The store is one that this program was built without.
    NotBuiltIn {
        /// The feature that brings it.
        feature: &'static str,
    },
    /// What was given for a server's address is none.
    Address {
        /// What was given, without its password.
        store: String,
        /// Why not.
        why: String,
    },
    /// The store cannot be used.
    Store(StoreError),
    /// The store in memory cannot be made.
    Memory(LeaseTableError),
    /// No temporary folder can be made for the store.
    Folder(io::Error),
    /// There are no threads to talk to the store.
    Runtime(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuiltIn { feature } => write!(
                f,
                "this program was built without its feature {feature}; build it again with `cargo install \
                 --path crates/surmise-lab --features {feature}`"
            ),
            Self::Address { store, why } => write!(f, "{store} is no address to use: {why}"),
            Self::Store(error) => error.fmt(f),
            Self::Memory(error) => error.fmt(f),
            Self::Folder(error) => write!(
                f,
                "no temporary folder can be made: {error}; `--store redb:PATH` needs none"
            ),
            Self::Runtime(error) => write!(f, "no thread can be started: {error}"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            Self::Folder(error) | Self::Runtime(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
