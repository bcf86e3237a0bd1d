//! Callers at random of executions in etcd, while its leader is killed and stopped.

#![cfg(target_os = "linux")]

mod support {
    pub(crate) mod etcd;
    pub(crate) mod servers;
    pub(crate) mod soak;
}

use core::{cell::Cell, slice, time::Duration};

use surmise_store::{
    conformance::{
        Violation,
        faults::Odds,
        idempotency::{Drill, Tally},
    },
    etcd::EtcdStore,
};
use tokio::time::sleep;

use self::support::{
    etcd::{impatient, leader, patient},
    servers::{Etcd, Server},
    soak::RealTime,
};

/// Leaders that are missed sooner than etcd would: in the same number of heartbeats.
const QUICK: &[&str] = &["--heartbeat-interval=40", "--election-timeout=400"];

/// The shortest times that etcd counts, and many callers, since they wait for those.
fn drill(seed: u64) -> Drill {
    Drill {
        callers: 48,
        operations: 3_000,
        lease: Duration::from_secs(1),
        brief_retention: Duration::from_secs(1),
        ..Drill::new(seed)
    }
}

#[tokio::test]
async fn one_member_stands_it() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    for (seed, odds) in [(1, Odds::default()), (2, Odds::NONE)] {
        let drill = Drill { odds, ..drill(seed) };
        must_count(&drill.run(&store, &RealTime).await);
    }
}

#[tokio::test]
async fn one_member_that_is_killed_stands_it() {
    let Some(etcd) = Etcd::find() else { return };
    let mut server = etcd.start_with(QUICK);
    let store = impatient(slice::from_ref(&server)).await;
    let drill = drill(3);
    let chaos = async |is_over: &Cell<bool>| {
        while !is_over.get() {
            sleep(drill.lease * 3).await;
            server.kill();
            sleep(drill.lease / 4).await;
            server.run();
            server.wait_until_ready();
        }
    };
    must_count(&beside(&drill, &store, chaos).await);
}

#[tokio::test]
async fn three_members_whose_leader_is_killed_or_stopped_stand_it() {
    let Some(etcd) = Etcd::find() else { return };
    let mut cluster = etcd.start_cluster_with(QUICK);
    let store = impatient(&cluster).await;
    let drill = drill(4);
    let chaos = async |is_over: &Cell<bool>| {
        for round in 0.. {
            sleep(drill.lease * 3).await;
            if is_over.get() {
                break;
            }
            let at = leader(&cluster);
            let leader: &mut Server = &mut cluster[at];
            if round % 2 == 0 {
                leader.kill();
                sleep(drill.lease).await;
                leader.run();
            } else {
                leader.pause();
                // It goes on to take itself for the leader.
                sleep(drill.lease * 2).await;
                leader.resume();
            }
            leader.wait_until_ready();
        }
    };
    must_count(&beside(&drill, &store, chaos).await);
}

/// Runs a drill with something that happens to the servers beside it.
async fn beside(
    drill: &Drill,
    store: &EtcdStore,
    chaos: impl AsyncFnOnce(&Cell<bool>),
) -> Result<Tally, Violation> {
    let is_over = Cell::new(false);
    let run = async {
        let outcome = drill.run(store, &RealTime).await;
        is_over.set(true);
        outcome
    };
    let (outcome, ()) = tokio::join!(run, chaos(&is_over));
    outcome
}

/// Fails if there was a violation, or nothing to violate.
fn must_count(outcome: &Result<Tally, Violation>) {
    let tally = outcome.as_ref().unwrap_or_else(|violation| panic!("{violation}"));
    println!("{tally:?}");
    let Tally { executed, recovered, replayed, completed, fenced, forgotten, .. } = *tally;
    for count in [executed, recovered, replayed, completed, fenced, forgotten] {
        assert!(count > 0, "{tally:?}");
    }
}
