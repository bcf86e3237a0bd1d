use core::time::Duration;
use std::{io, sync::Arc, thread};

use crossbeam::channel::Sender;
use surmise_store::StoreError;
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::runtime::Runtime;

use super::{AnyError, Heard};
use crate::{
    failover::wire::{Beginning, FromProcess},
    processes::pipe,
    stores::{Ask, Kind, OpenError, Server, Store, StoreChoice, answer, runtime},
};

/// How a process asks the store.
#[derive(Debug)]
pub(super) enum StoreLink {
    /// The process that started it has the store.
    Hosted,
    /// It asks a server.
    Server(Connection),
}

#[derive(Debug)]
pub(super) struct Connection {
    store: Arc<Store>,
    resource: String,
    runtime: Runtime,
    heard: Sender<Heard>,
}

impl StoreLink {
    pub(super) fn open(beginning: &Beginning, heard: Sender<Heard>) -> Result<Self, AnyError> {
        let Some(text) = &beginning.server else { return Ok(Self::Hosted) };
        let choice: StoreChoice = text.parse()?;
        let Kind::Server(server) = choice.kind() else { return Ok(Self::Hosted) };
        let runtime = runtime()?;
        let store = connect(&runtime, *server, &choice)?;
        let resource = beginning.resource.clone();
        Ok(Self::Server(Connection { store: Arc::new(store), resource, runtime, heard }))
    }

    /// Asks; the answer is heard later, or never.
    pub(super) fn ask(&self, id: u64, ask: Ask) -> io::Result<()> {
        match self {
            Self::Hosted => pipe::send(&FromProcess::Ask { id, ask }),
            Self::Server(Connection { store, resource, runtime, heard }) => {
                let (store, resource) = (Arc::clone(store), resource.clone());
                let heard = heard.clone();
                runtime.spawn(async move {
                    let reply = answer(&*store, &resource, ask).await;
                    let _ = heard.send(Heard::Reply { ask: id, reply });
                });
                Ok(())
            }
        }
    }
}

/// Connects to a server, again and again if need be: whoever started this process has been there, so that it is only busy,
/// perhaps with other runs.
fn connect(runtime: &Runtime, server: Server, choice: &StoreChoice) -> Result<Store, OpenError> {
    let give_up = BootClock.now() + PATIENCE;
    loop {
        match runtime.block_on(Store::connect(server, choice)) {
            Err(OpenError::Store(StoreError::Unavailable { .. })) if BootClock.now() < give_up => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a process that has nothing else to do"
                )]
                thread::sleep(AGAIN);
            }
            connected => return Ok(connected?.0),
        }
    }
}

/// For how long a server is waited for: less than the process itself is.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long after that it is asked again.
const AGAIN: Duration = Duration::from_millis(500);
