//! Workloads on a real store, round after round, while something happens to its server.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::time::Duration;

use surmise_store::{
    FencedStore, LeaseStore,
    conformance::{
        Timer,
        faults::Workload,
        history::{Answer, History},
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

/// Runs a workload in each round, with chaos beside it, and fails if there is an anomaly.
///
/// Each round has a seed and resources of its own. `chaos` is told the round; the server is to be there again when it is
/// done. The workload may be over before that, or later.
pub(crate) async fn soak<S: LeaseStore + FencedStore>(
    store: &S,
    workload: &Workload,
    rounds: u64,
    mut chaos: impl AsyncFnMut(u64),
) -> Vec<History> {
    let mut histories = Vec::new();
    for round in 0..rounds {
        let seed = workload.seed + round;
        let prefix = format!("{}-{round}", workload.prefix);
        let workload = Workload { seed, prefix, ..workload.clone() };
        let (history, ()) = tokio::join!(workload.run(store, &RealTime), chaos(round));
        let history = history.unwrap_or_else(|error| panic!("round {round}: {error}"));
        history.check().unwrap_or_else(|anomaly| panic!("round {round}: {anomaly}"));
        histories.push(history);
    }
    histories
}

/// Returns how many requests had such an answer, in all histories.
pub(crate) fn count(histories: &[History], wanted: impl Fn(&Answer) -> bool) -> usize {
    histories.iter().flat_map(History::events).filter(|event| wanted(&event.answer)).count()
}
