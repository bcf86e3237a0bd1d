use std::sync::Arc;

use surmise_store::{Entry, FencedStore as _};

use super::error::RunError;
use crate::stores::{Ask, Opened, Reply, StoreChoice, answer};

/// A store that is open here, and what the processes of a run call what they have there.
#[derive(Debug)]
pub(crate) struct StoreHost {
    opened: Arc<Opened>,
    pub(crate) resource: String,
}

impl StoreHost {
    /// Opens or connects to what was chosen, for a run of a command.
    pub(crate) fn open(choice: &StoreChoice, command: &str) -> Result<Self, RunError> {
        Ok(Self::new(Arc::new(Opened::open(choice)?), command))
    }

    /// Uses what is open, for a run of a command.
    pub(crate) fn new(opened: Arc<Opened>, command: &str) -> Self {
        // A resource of its own, so that no other run's token or lease is in the way.
        let resource = format!("surmise-lab-{command}-{:016x}", rand::random::<u64>());
        Self { opened, resource }
    }

    /// Returns what there is to be said of the store.
    pub(crate) fn note(&self) -> Option<&str> {
        self.opened.note()
    }

    /// Has the store do what a process asks for.
    pub(crate) fn answer(&self, ask: Ask) -> Reply {
        let answer = answer(self.opened.store(), &self.resource, ask);
        self.opened.runtime().block_on(answer)
    }

    /// Reads what is there.
    pub(crate) fn read(&self, key: &[u8]) -> Result<Option<Entry>, RunError> {
        let read = self.opened.store().read(&self.resource, key);
        Ok(self.opened.runtime().block_on(read)?)
    }
}
