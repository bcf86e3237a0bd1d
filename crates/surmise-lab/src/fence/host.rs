use surmise_store::FencedStore as _;

use super::{args::FenceArgs, error::FenceError, ledger::Ledger, wire::Setup};
use crate::stores::{Ask, Opened, Reply, answer};

/// The store, as the process that starts the others has it.
#[derive(Debug)]
pub(super) struct Host {
    opened: Opened,
    resource: String,
}

impl Host {
    /// Opens or connects to what was chosen.
    pub(super) fn open(args: &FenceArgs) -> Result<Self, FenceError> {
        let opened = Opened::open(&args.store)?;
        // A resource of its own, so that no other run's token or lease is in the way.
        let resource = format!("surmise-lab-fence-{:016x}", rand::random::<u64>());
        Ok(Self { opened, resource })
    }

    pub(super) fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns what there is to be said of the store.
    pub(super) fn note(&self) -> Option<&str> {
        self.opened.note()
    }

    /// Returns what a process is to be.
    pub(super) fn setup(&self, name: &str, args: &FenceArgs) -> Setup {
        Setup {
            name: name.to_owned(),
            store: args.store.text().to_owned(),
            resource: self.resource.clone(),
            lease: args.lease,
            fenced: !args.unfenced,
        }
    }

    /// Has the store do what a process asks for.
    pub(super) fn answer(&self, resource: &str, ask: Ask) -> Reply {
        self.opened.runtime().block_on(answer(self.opened.store(), resource, ask))
    }

    /// Reads what is there.
    pub(super) fn read(&self) -> Result<Ledger, FenceError> {
        let read = self.opened.store().read(&self.resource, KEY);
        let entry = self.opened.runtime().block_on(read)?;
        let value = entry.and_then(|entry| entry.value).unwrap_or_default();
        Ledger::from_bytes(&value).map_err(|error| FenceError::Foreign { what: error.to_string() })
    }
}

/// The key of the ledger.
pub(super) const KEY: &[u8] = b"ledger";
