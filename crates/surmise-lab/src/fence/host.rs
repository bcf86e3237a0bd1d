use surmise_store::FencedStore as _;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::{
    args::FenceArgs,
    choice::Kind,
    error::FenceError,
    hosted,
    ledger::Ledger,
    store::Store,
    wire::{Ask, Reply, Setup},
};

/// The store, as the process that starts the others has it.
#[derive(Debug)]
pub(super) struct Host {
    // Closed before its folder is removed.
    store: Store,
    runtime: Runtime,
    resource: String,
    note: Option<String>,
    _folder: Option<TempDir>,
}

impl Host {
    /// Opens or connects to what was chosen.
    pub(super) fn open(args: &FenceArgs) -> Result<Self, FenceError> {
        let runtime = runtime().map_err(FenceError::Runtime)?;
        let (mut folder, mut note) = (None, None);
        let store = match args.store.kind() {
            Kind::Memory => Store::memory().map_err(FenceError::Memory)?,
            Kind::Redb(Some(path)) => Store::redb(path)?,
            Kind::Redb(None) => {
                let made = TempDir::with_prefix("surmise-lab-").map_err(FenceError::Folder)?;
                let path = folder.insert(made).path().join("fence.redb");
                Store::redb(&path)?
            }
            Kind::Server(server) => {
                let (store, said) = runtime.block_on(Store::connect(*server, &args.store))?;
                note = said;
                store
            }
        };
        // A resource of its own, so that no other run's token or lease is in the way.
        let resource = format!("surmise-lab-fence-{:016x}", rand::random::<u64>());
        Ok(Self { store, runtime, resource, note, _folder: folder })
    }

    pub(super) fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns what there is to be said of the store.
    pub(super) fn note(&self) -> Option<&str> {
        self.note.as_deref()
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
        self.runtime.block_on(hosted::answer(&self.store, resource, ask))
    }

    /// Reads what is there.
    pub(super) fn read(&self) -> Result<Ledger, FenceError> {
        let entry = self.runtime.block_on(self.store.read(&self.resource, KEY))?;
        let value = entry.and_then(|entry| entry.value).unwrap_or_default();
        Ledger::from_bytes(&value).map_err(|error| FenceError::Foreign { what: error.to_string() })
    }
}

/// Returns what a store's futures run on. Connections are kept going by a thread of their own while this process waits.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// The key of the ledger.
pub(super) const KEY: &[u8] = b"ledger";
