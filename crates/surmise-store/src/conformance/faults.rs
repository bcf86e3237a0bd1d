//! Holders that are paused, requests that are lost, doubled or late, and clocks that go wrong.
//!
//! A [`Workload`] has some holders take a few leases from each other and write under them, through a network that
//! is [`Faulty`], and gives back the [`History`] of it all, to be checked. It uses no runtime, so that it can be run by
//! any: what happens to the server in the meantime is up to whoever runs it.

mod faulty;
mod holder;
mod skewed;

use core::time::Duration;

use parking_lot::Mutex;

pub(super) use self::faulty::{Fate, yield_now};
pub use self::faulty::{Faulty, Odds};
use self::holder::Holder;
use super::{
    Timer,
    draws::Draws,
    history::{Event, History, Recorder},
    join::join_all,
};
use crate::{FencedStore, LeaseStore, Resource, StoreError};

/// Holders of leases, and what goes wrong for them.
///
/// Each takes its turns: it asks for a lease, raises the floor, reads, writes numbered values, renews, and releases the
/// lease or forgets it. At random it is paused for longer than its lease lasts, between the moment it looked at its
/// lease and a write; its clock goes at a rate of its own and steps; it goes on with a lease that it lost; and
/// it sends again what was not answered. The seed decides what each of them draws, and nothing else does.
///
/// # Examples
///
/// ```
/// use surmise_store::{
///     conformance::faults::Workload,
///     memory::{MemoryConfig, MemoryStore},
/// };
/// use surmise_time::ManualClock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::default();
/// let store = MemoryStore::new(MemoryConfig::default(), &clock)?;
/// let history = Workload::new(7).run(&store, &clock).await?;
/// history.check()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct Workload {
    /// What all chance is drawn from.
    pub seed: u64,
    /// What the names of the resources begin with: another for each run on the same store.
    pub prefix: String,
    /// How many resources there are.
    pub resources: u8,
    /// How many keys each of them has.
    pub keys: u8,
    /// How many holders there are; more than resources, so that they get into each other's way.
    pub holders: u8,
    /// How often each of them asks for a lease.
    pub turns: u8,
    /// How many writes each of them does under a lease, at most.
    pub writes: u8,
    /// For how long they ask for a lease. They are paused for longer.
    pub ttl: Duration,
    /// How much is lost on the way.
    pub odds: Odds,
}

impl Workload {
    /// Creates a workload that takes a second or so: four holders of two resources, with leases of 200 ms.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            prefix: format!("workload-{seed:x}"),
            resources: 2,
            keys: 3,
            holders: 4,
            turns: 6,
            writes: 8,
            ttl: Duration::from_millis(200),
            odds: Odds::default(),
        }
    }

    /// Has all holders take their turns at once, reads what is there at the end, and returns who did what.
    ///
    /// An error of the store is nothing unusual while it runs; the holders try again later. At the end it is
    /// waited for a minute that the store answers.
    ///
    /// # Errors
    ///
    /// If the store does not answer at the end, and if the names of the resources are too long.
    pub async fn run<S, T>(&self, store: &S, timer: &T) -> Result<History, StoreError>
    where
        S: LeaseStore + FencedStore,
        T: Timer,
    {
        self.resources().try_for_each(|name| Resource::new(&name).map(|_| ()))?;
        let history = Mutex::new(History::default());
        let recorder = Recorder::new(timer, |event: Event| history.lock().note(event));
        let network = Faulty::new(store, self.odds, self.seed);
        let clients: Vec<_> = (1..=self.holders.into())
            .map(|number| (number, recorder.client(number, &network)))
            .collect();
        join_all(clients.iter().map(|(number, client)| self.hold(*number, client, timer))).await;
        network.deliver_all().await;
        self.read_all(&recorder.client(0, store), timer).await?;
        let history = core::mem::take(&mut *history.lock());
        Ok(history)
    }

    /// Has one holder take its turns: for those who run each in a process of its own, so that it can be stopped and
    /// killed.
    ///
    /// The store is to be recorded, and numbers the holder's values; so no two holders have the same number.
    pub async fn hold<S, T>(&self, number: u64, store: &S, timer: &T)
    where
        S: LeaseStore + FencedStore,
        T: Timer,
    {
        let mut draws = Draws::new(self.seed ^ number.rotate_left(32));
        Holder::new(self, store, timer, number, Draws::new(draws.next())).run().await;
    }

    /// Reads everything, so that it is known whether it is all there.
    ///
    /// # Errors
    ///
    /// If the store does not answer within a minute.
    pub async fn read_all<S, T>(&self, store: &S, timer: &T) -> Result<(), StoreError>
    where
        S: LeaseStore + FencedStore,
        T: Timer,
    {
        let start = timer.now();
        for name in self.resources() {
            while let Err(error) = self.read_resource(store, &name).await {
                if timer.now() - start > PATIENCE {
                    return Err(error);
                }
                timer.sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    async fn read_resource<S>(&self, store: &S, name: &str) -> Result<(), StoreError>
    where
        S: LeaseStore + FencedStore,
    {
        let resource = Resource::new(name)?;
        store.floor(resource).await?;
        store.holding(resource).await?;
        for key in 0..self.keys {
            store.read(name, &[key]).await?;
        }
        Ok(())
    }

    fn resources(&self) -> impl Iterator<Item = String> {
        (0..self.resources).map(|number| self.resource(number))
    }

    fn resource(&self, number: u8) -> String {
        format!("{}-{number}", self.prefix)
    }
}

/// How long a store may take to come back.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one waits before a store that failed is asked again.
const PAUSE: Duration = Duration::from_millis(20);
