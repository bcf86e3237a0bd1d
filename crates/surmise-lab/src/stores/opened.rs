use std::io;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::{
    choice::{Kind, StoreChoice},
    error::OpenError,
    store::Store,
};

/// A store, as the process that starts the others has it.
#[derive(Debug)]
pub(crate) struct Opened {
    // Closed before its folder is removed.
    store: Store,
    runtime: Runtime,
    note: Option<String>,
    _folder: Option<TempDir>,
}

impl Opened {
    /// Opens or connects to what was chosen.
    pub(crate) fn open(choice: &StoreChoice) -> Result<Self, OpenError> {
        let runtime = runtime().map_err(OpenError::Runtime)?;
        let (mut folder, mut note) = (None, None);
        let store = match choice.kind() {
            Kind::Memory => Store::memory().map_err(OpenError::Memory)?,
            Kind::Redb(Some(path)) => Store::redb(path)?,
            Kind::Redb(None) => {
                let made = TempDir::with_prefix("surmise-lab-").map_err(OpenError::Folder)?;
                let path = folder.insert(made).path().join("store.redb");
                Store::redb(&path)?
            }
            Kind::Server(server) => {
                let (store, said) = runtime.block_on(Store::connect(*server, choice))?;
                note = said;
                store
            }
        };
        Ok(Self { store, runtime, note, _folder: folder })
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Returns what there is to be said of the store.
    pub(crate) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

/// Returns what a store's futures run on. Connections are kept going by a thread of their own while this process waits.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build()
}
