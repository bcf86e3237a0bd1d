//! One of the processes.

use core::{error::Error, ops::ControlFlow};
use std::{io, process};

use surmise_fence::{FencingToken, Pass};
use surmise_store::{AcquireError, FencedStore as _, Lease, LeaseStore as _, Outcome, Resource};
use surmise_time::{BootClock, MonotonicClock as _};

use super::{
    ledger::{Deposit, KEY, Ledger},
    wire::{FromHolder, Setup, Step, ToHolder, What},
};
use crate::{
    processes::{die_with_parent, nanos, pipe},
    stores::{Ask, Hosted, Kind, Reply, Store, StoreChoice, runtime},
};

type AnyError = Box<dyn Error + Send + Sync>;

/// Does as it is told until its standard input ends, or something fails.
pub(super) fn run() -> io::Result<()> {
    die_with_parent()?;
    let Some(ToHolder::Begin(setup)) = pipe::receive()? else { return Ok(()) };
    let runtime = runtime()?;
    match runtime.block_on(Holder::begin(setup)) {
        Ok(mut holder) => {
            tell(What::Ready { process: process::id() })?;
            while let Some(ToHolder::Step(step)) = pipe::receive()? {
                if report(runtime.block_on(holder.step(step)))?.is_break() {
                    break;
                }
            }
            Ok(())
        }
        Err(error) => pipe::send(&FromHolder::Failed(error.to_string())),
    }
}

fn report(done: Result<What, AnyError>) -> io::Result<ControlFlow<()>> {
    match done {
        Ok(what) => tell(what).map(ControlFlow::Continue),
        Err(error) => pipe::send(&FromHolder::Failed(error.to_string())).map(ControlFlow::Break),
    }
}

fn tell(what: What) -> io::Result<()> {
    pipe::send(&FromHolder::Did { at_ns: BootClock.now().as_nanos(), what })
}

/// Asks the store that the other process has.
fn ask(_: Resource<'_>, ask: Ask) -> io::Result<Option<Reply>> {
    // It knows for which resource.
    pipe::send(&FromHolder::Ask(ask))?;
    match pipe::receive()? {
        Some(ToHolder::Reply(reply)) => Ok(Some(reply)),
        Some(_) => Err(io::Error::other("it said something else")),
        None => Ok(None),
    }
}

struct Holder {
    setup: Setup,
    store: Store,
    lease: Option<Lease>,
    prepared: Option<Prepared>,
}

/// A write that only has to be sent.
struct Prepared {
    value: Ledger,
    deposit: Deposit,
    pass: Pass,
}

impl Holder {
    async fn begin(setup: Setup) -> Result<Self, AnyError> {
        let choice: StoreChoice = setup.store.parse()?;
        let store = match choice.kind() {
            Kind::Memory | Kind::Redb(_) => Store::Hosted(Hosted::new(ask)),
            Kind::Server(server) => Store::connect(*server, &choice).await?.0,
        };
        Ok(Self { setup, store, lease: None, prepared: None })
    }

    async fn step(&mut self, step: Step) -> Result<What, AnyError> {
        match step {
            Step::Acquire => self.acquire().await,
            Step::Raise => self.raise().await,
            Step::Prepare { amount } => self.prepare(amount).await,
            Step::Write => self.write().await,
            Step::Look => Ok(What::Looked { remaining_ns: nanos(self.lease()?.remaining()) }),
            Step::Release => {
                let lease = self.lease.take().ok_or(NO_LEASE)?;
                lease.release(&self.store).await?;
                Ok(What::Released)
            }
        }
    }

    async fn acquire(&mut self) -> Result<What, AnyError> {
        let Setup { name, resource, lease, .. } = &self.setup;
        match self.store.acquire(resource, name, *lease).await {
            Ok(lease) => {
                let granted = What::Granted {
                    token: lease.token_unchecked(),
                    valid_for_ns: nanos(lease.remaining()),
                };
                self.lease = Some(lease);
                Ok(granted)
            }
            Err(AcquireError::Held(holding)) => Ok(What::Held {
                by: holding.holder,
                token: holding.token,
                remaining_ns: nanos(holding.remaining),
            }),
            Err(AcquireError::Delayed { remaining }) => {
                Ok(What::Delayed { remaining_ns: nanos(remaining) })
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn raise(&self) -> Result<What, AnyError> {
        let pass = self.pass()?;
        match self.store.raise(&self.setup.resource, pass).await? {
            Outcome::Applied => Ok(What::FloorRaised { token: pass.token }),
            other => Ok(What::Unclear { why: format!("the floor was not raised: {other:?}") }),
        }
    }

    async fn prepare(&mut self, amount: u32) -> Result<What, AnyError> {
        let entry = self.store.read(&self.setup.resource, KEY).await?;
        let read = Ledger::from_bytes(&entry.and_then(|entry| entry.value).unwrap_or_default())?;
        let deposit = Deposit { by: self.setup.name.clone(), amount };
        let value = read.clone().with(deposit.clone());
        // As holders do: they write only if their lease is valid. With a fence, and without.
        let own = self.pass()?;
        let remaining_ns = nanos(self.lease()?.remaining());
        let pass = if self.setup.fenced { own } else { EVERYBODYS.into() };
        self.prepared = Some(Prepared { value: value.clone(), deposit, pass });
        Ok(What::Prepared { read, value, remaining_ns })
    }

    async fn write(&mut self) -> Result<What, AnyError> {
        let Prepared { value, deposit, pass } =
            self.prepared.take().ok_or("there is nothing to write")?;
        let bytes = value.to_string().into_bytes();
        match self.store.write(&self.setup.resource, KEY, &bytes, pass).await? {
            Outcome::Applied => Ok(What::Acknowledged { value, deposit, shown: pass.token }),
            Outcome::Stale { offered, highest } => Ok(What::Refused { value, offered, highest }),
            other => Ok(What::Unclear { why: format!("the write's outcome: {other:?}") }),
        }
    }

    fn pass(&self) -> Result<Pass, AnyError> {
        let pass = self.lease()?.pass();
        pass.map_err(|expired| format!("{expired}; take a longer --lease and --pause").into())
    }

    fn lease(&self) -> Result<&Lease, AnyError> {
        self.lease.as_ref().ok_or_else(|| NO_LEASE.into())
    }
}

const NO_LEASE: &str = "there is no lease";

/// What everybody shows where nobody is to be refused: equal tokens are the same holder's.
const EVERYBODYS: FencingToken = FencingToken::first(0);
