//! Workloads on a real store, round after round, while something happens to its server.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::{cell::Cell, time::Duration};

use surmise_store::{
    FencedStore, LeaseStore,
    conformance::{
        Timer,
        faults::{Odds, Workload},
        history::{Answer, Event, History},
    },
};
use surmise_time::{BootClock, Instant, MonotonicClock};

/// The machine's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RealTime;

impl MonotonicClock for RealTime {
    fn now(&self) -> Instant {
        BootClock.now()
    }
}

impl Timer for RealTime {
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Runs two workloads in each round, with chaos beside them, and fails if there is an anomaly.
///
/// One has resources of its own in each round, and so a history that is short enough for all orders to be tried. The other, behind
/// a faulty network, has the same ones in all rounds, and its history is judged at the end. `chaos` is told the round; the server
/// is to be there again when it is done. The first may be over before that; the second is done over and over, and once more after
/// it.
///
/// Returns the short histories, and the long one as the last, in which the upper half of a client's number is its round.
pub(crate) async fn soak<S: LeaseStore + FencedStore>(
    store: &S,
    workload: &Workload,
    rounds: u64,
    mut chaos: impl AsyncFnMut(u64),
) -> Vec<History> {
    let mut histories = Vec::new();
    let mut long = History::default();
    let mut tried = 0;
    for round in 0..rounds {
        let seed = workload.seed + round;
        let prefix = format!("{}-{round}", workload.prefix);
        let own = Workload { seed, prefix, odds: Odds::NONE, ..short(workload) };
        let over = Cell::new(false);
        let chaos = async {
            chaos(round).await;
            over.set(true);
        };
        let shared = repeat(store, workload, round, &over);
        let (own, shared, ()) = tokio::join!(own.run(store, &RealTime), shared, chaos);
        let own = own.unwrap_or_else(|error| panic!("round {round}: {error}"));
        own.check().unwrap_or_else(|anomaly| panic!("round {round}: {anomaly}"));
        // One that is too long by some retries is not tried.
        let linearizable = own.is_linearizable();
        assert_ne!(linearizable, Ok(false), "round {round}: {:#?}", own.events());
        tried += u64::from(linearizable.is_ok());
        histories.push(own);
        long.extend(shared);
    }
    long.check().unwrap_or_else(|anomaly| panic!("over all rounds: {anomaly}"));
    assert!(2 * tried > rounds, "all orders were tried of {tried} histories only");
    histories.push(long);
    histories
}

/// Runs a workload until something is over, and then once more. No two rounds have the same clients.
async fn repeat<S: LeaseStore + FencedStore>(
    store: &S,
    workload: &Workload,
    round: u64,
    over: &Cell<bool>,
) -> Vec<Event> {
    let mut events = Vec::new();
    for time in 0.. {
        let is_last = over.get();
        let first_client = (round << 32) + (time << 16);
        let seed = workload.seed ^ !first_client;
        let workload = Workload { seed, ..workload.clone() };
        let history = workload.run(store, &RealTime).await;
        let history = history.unwrap_or_else(|error| panic!("round {round}: {error}"));
        let of_round =
            |event: &Event| Event { client: event.client + first_client, ..event.clone() };
        events.extend(history.events().iter().map(of_round));
        if is_last {
            break;
        }
    }
    events
}

fn short(workload: &Workload) -> Workload {
    Workload { resources: 3, keys: 2, turns: 2, writes: 3, ..workload.clone() }
}

/// Returns how many requests had such an answer, in all histories.
pub(crate) fn count<'a>(
    histories: impl IntoIterator<Item = &'a History>,
    wanted: impl Fn(&Answer) -> bool,
) -> usize {
    histories.into_iter().flat_map(History::events).filter(|event| wanted(&event.answer)).count()
}
