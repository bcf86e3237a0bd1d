use std::{io, sync::Arc};

use crossbeam::channel::Sender;
use tokio::runtime::Runtime;

use super::{AnyError, Heard};
use crate::{
    failover::wire::{Beginning, FromProcess},
    processes::pipe,
    stores::{Ask, Kind, Store, StoreChoice, answer, runtime},
};

/// How a process asks the store.
#[derive(Debug)]
pub(super) enum StoreLink {
    /// The process that started it has the store.
    Hosted,
    /// It asks a server.
    Server(Server),
}

#[derive(Debug)]
pub(super) struct Server {
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
        let (store, _) = runtime.block_on(Store::connect(*server, &choice))?;
        let resource = beginning.resource.clone();
        Ok(Self::Server(Server { store: Arc::new(store), resource, runtime, heard }))
    }

    /// Asks; the answer is heard later, or never.
    pub(super) fn ask(&self, id: u64, ask: Ask) -> io::Result<()> {
        match self {
            Self::Hosted => pipe::send(&FromProcess::Ask { id, ask }),
            Self::Server(Server { store, resource, runtime, heard }) => {
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
