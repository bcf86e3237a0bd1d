//! A store with a fault of choice: it does what it has to in all but one respect.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

#[path = "broken/fenced_store.rs"]
mod fenced_store;
#[path = "broken/lease_store.rs"]
mod lease_store;

use core::time::Duration;
use std::collections::HashMap;

use parking_lot::{Mutex, MutexGuard};
use surmise_fence::{FencingToken, Pass, Refusal};
use surmise_store::{Entry, conformance::Timer as _};
use surmise_time::{Instant, MonotonicClock as _};

use crate::simulation::Simulation;

/// What a store does otherwise than it has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,

    // The six that stores are known for.
    /// It accepts greater tokens only, and not equal ones.
    GreaterOnly,
    /// It forgets a lease that was released, with the count of its tokens.
    ForgetsOnRelease,
    /// It checks a write, and then does it.
    ChecksThenWrites,
    /// It acknowledges what is not on the disk yet, and then crashes at times.
    AcknowledgesBeforeSync,
    /// It compares tokens as floating-point numbers.
    ComparesDoubles,
    /// It has the time of a lease count from the reply.
    CountsFromReply,

    /// It grants what another asked for in the meantime.
    ChecksThenGrants,
    /// It grants what another holds.
    GrantsHeld,
    /// It says that somebody holds a lease, and not who.
    HidesHolder,
    /// It grants a retry under another token.
    RetryIsAnother,
    /// It takes two requests without a nonce for one.
    ZeroIsANonce,
    /// It grants a retry, but for no longer than at first.
    RetryIsNoLonger,
    /// It renews a lease, but for no longer than before.
    RenewalIsNoLonger,
    /// It renews a lease that is over.
    RenewsWhatIsOver,
    /// It renews and releases by any token.
    AnyTokenHolds,
    /// It renews and releases by tokens that were not issued yet.
    LaterTokenHolds,
    /// It ends a lease before its time.
    EndsEarly,
    /// It releases all leases at once.
    ReleasesAll,
    /// It begins an epoch and issues tokens of the old one.
    EpochStays,
    /// It counts epochs, and so counts the same ones again after a backup was restored.
    EpochIsACount,
    /// It begins an epoch and forgets the leases.
    EpochForgets,

    /// It has no floor.
    NoFloor,
    /// It has the floor under writes and not under removals.
    NoFloorUnderRemovals,
    /// It has one floor under all resources.
    OneFloor,
    /// It raises the floor by a write.
    WriteRaises,
    /// It lowers the floor.
    Lowers,
    /// It forgets who removed a value.
    ForgetsRemoval,
    /// It takes an empty value for none.
    EmptyIsNone,
    /// It accepts any nonce.
    NoNonce,
    /// It accepts any sequence.
    NoSequence,
    /// It has one sequence for the floor too.
    SequenceOfFloor,
    /// It refuses a write and yet does it.
    RefusedIsDone,
    /// It says of a refused write that it was refused by itself.
    BlamesItself,
    /// It reads what was there once.
    ReadsLate,
    /// It cuts values off.
    CutsValues,
    /// It cuts names off.
    CutsNames,
    /// It knows no limits of its own.
    NoLimits,
    /// It puts the names of resources and keys together.
    JoinsNames,
    /// It takes upper case for lower case.
    FoldsCase,
}

#[derive(Debug)]
pub(crate) struct Broken<'a> {
    fault: Fault,
    simulation: &'a Simulation,
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    epoch: u64,
    /// Of each resource, so that it can be forgotten with it.
    issued: HashMap<String, FencingToken>,
    leases: HashMap<String, Lease>,
    floors: HashMap<String, Pass>,
    entries: HashMap<(String, Vec<u8>), Vec<Entry>>,
    /// How many requests there were.
    requests: u64,
    /// How many replies had a way to travel.
    replies: u64,
    /// What is on the disk.
    synced: Option<Box<Self>>,
}

#[derive(Clone, Debug)]
struct Lease {
    token: FencingToken,
    nonce: u64,
    holder: String,
    until: Instant,
}

impl<'a> Broken<'a> {
    pub(crate) fn new(fault: Fault, simulation: &'a Simulation) -> Self {
        let state = Mutex::new(State { epoch: 1, ..State::default() });
        Self { fault, simulation, state }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        state.requests += 1;
        if self.has(Fault::AcknowledgesBeforeSync) {
            if state.requests.is_multiple_of(7) {
                state.synced = None;
                state.synced = Some(Box::new(state.clone()));
            }
            if state.requests.is_multiple_of(31)
                && let Some(synced) = state.synced.clone()
            {
                let requests = state.requests;
                *state = State { requests, ..*synced };
            }
        }
        state
    }

    fn name(&self, name: &str) -> String {
        match self.fault {
            Fault::FoldsCase => name.to_lowercase(),
            Fault::CutsNames => name.chars().take(200).collect(),
            _ => name.to_owned(),
        }
    }

    fn place(&self, resource: &str, key: &[u8]) -> (String, Vec<u8>) {
        if self.has(Fault::JoinsNames) {
            return (String::new(), [resource.as_bytes(), key].concat());
        }
        (self.name(resource), key.to_vec())
    }

    /// Compares as the store does.
    fn check(&self, pass: Pass, last: Option<Pass>) -> Result<(), Refusal> {
        let Some(mut last) = last else { return Ok(()) };
        let equal = pass.token == last.token;
        match self.fault {
            Fault::GreaterOnly if equal => {
                return Err(Refusal::Stale { offered: pass.token, highest: last.token });
            }
            #[expect(clippy::cast_precision_loss, reason = "that is the fault")]
            Fault::ComparesDoubles
                if !equal
                    && pass.token.epoch() == last.token.epoch()
                    && pass.token.counter().get() as f64 >= last.token.counter().get() as f64 =>
            {
                return Ok(());
            }
            Fault::NoNonce if equal => last.nonce = pass.nonce,
            Fault::NoSequence if equal && pass.nonce == last.nonce => return Ok(()),
            _ => {}
        }
        let refused = pass.check(Some(last));
        match refused {
            Err(Refusal::Stale { offered, .. }) if self.has(Fault::BlamesItself) => {
                Err(Refusal::Stale { offered, highest: offered })
            }
            _ => refused,
        }
    }

    fn check_floor(&self, pass: Pass, floor: Option<Pass>) -> Result<(), Refusal> {
        if self.has(Fault::SequenceOfFloor) {
            return self.check(pass, floor);
        }
        self.check(pass.with_sequence(0), floor.map(|floor| floor.with_sequence(0)))
    }

    fn floor_name(&self, resource: &str) -> String {
        if self.has(Fault::OneFloor) { String::new() } else { self.name(resource) }
    }

    /// Lets every second reply travel for some time.
    async fn travel(&self) -> Duration {
        let mut slow = self.has(Fault::CountsFromReply);
        if slow {
            let mut state = self.state.lock();
            state.replies += 1;
            slow = state.replies.is_multiple_of(2);
        }
        let time = if slow { Duration::from_millis(150) } else { Duration::ZERO };
        self.simulation.sleep(time).await;
        time
    }

    fn held(&self, state: &State, name: &str, token: FencingToken) -> bool {
        let now = self.simulation.now();
        state.leases.get(name).is_some_and(|lease| {
            let holds = match self.fault {
                Fault::AnyTokenHolds => true,
                Fault::LaterTokenHolds => token >= lease.token,
                _ => token == lease.token,
            };
            holds && (now < lease.until || self.has(Fault::RenewsWhatIsOver))
        })
    }
}
