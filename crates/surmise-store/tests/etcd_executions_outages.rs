//! Executions in etcd while members are killed and deposed.

#![cfg(target_os = "linux")]

mod support {
    pub(crate) mod etcd;
    pub(crate) mod executions;
    pub(crate) mod servers;
}

use core::slice;

use surmise_idempotency::Fingerprint;
use surmise_store::{
    Claim, Claimed, IdempotencyStore as _, Settled, StoreError, Terms, Ticket, etcd::EtcdStore,
};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::time::sleep;

use self::support::{
    etcd::{impatient, leader, patient},
    executions::{SECOND, claim, execute, key},
    servers::Etcd,
};

/// Asks until there is an answer.
async fn insist<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = BootClock.now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(BootClock.now() - start < 60 * SECOND, "the servers do not come back");
        sleep(SECOND / 20).await;
    }
}

async fn insist_on_completion(store: &EtcdStore, ticket: &Ticket, result: &[u8]) {
    insist(async || match store.complete(ticket, result).await {
        Ok(Settled::Done) => Some(()),
        Ok(Settled::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => None,
        other => panic!("{other:?}"),
    })
    .await;
}

async fn insist_on_replay(store: &EtcdStore, name: &str, result: &[u8]) {
    let key = key(name);
    let replayed =
        insist(async || match store.begin(&key, Fingerprint::NONE, Terms::default()).await {
            Ok(Claimed::Replay(result)) => Some(result),
            Err(StoreError::Unavailable { .. }) => None,
            other => panic!("{other:?}"),
        });
    assert_eq!(replayed.await, result);
}

#[tokio::test]
async fn a_server_killed_between_effect_and_completion_comes_back_to_it() {
    let Some(etcd) = Etcd::find() else { return };
    let mut server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let ticket = execute(&store, "k", 1, Terms::default()).await;
    server.kill();
    let settled = store.complete(&ticket, b"once").await;
    assert!(
        matches!(settled, Ok(Settled::Indeterminate(_)) | Err(StoreError::Unavailable { .. })),
        "{settled:?}"
    );
    server.restart();
    let other = claim(&store, "k", 2, Terms::default()).await;
    assert!(matches!(other, Claimed::InFlight { .. }), "{other:?}");
    insist_on_completion(&store, &ticket, b"once").await;
    for _ in 0..3 {
        server.restart();
        insist_on_replay(&store, "k", b"once").await;
    }
}

#[tokio::test]
async fn whichever_member_is_killed_at_once_after_a_completion_the_others_know_it() {
    let Some(etcd) = Etcd::find() else { return };
    let mut cluster = etcd.start_cluster();
    let store = impatient(&cluster).await;
    for round in 0..4 {
        let name = format!("k{round}");
        let key = key(&name);
        let terms = Terms { lease: 60 * SECOND, ..Terms::default() };
        let nonce = round + 1;
        let ticket = insist(async || {
            let claim = Claim::new(&key, Fingerprint::NONE, nonce, terms).unwrap();
            match store.claim(claim).await {
                Ok(Claimed::Execute(ticket)) => Some(ticket),
                Ok(Claimed::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => None,
                other => panic!("{other:?}"),
            }
        })
        .await;
        // The leader between effect and completion, or at once after it.
        let killed = leader(&cluster);
        if round % 2 == 0 {
            cluster[killed].kill();
        }
        insist_on_completion(&store, &ticket, name.as_bytes()).await;
        cluster[killed].kill();
        for done in 0..=round {
            let name = format!("k{done}");
            insist_on_replay(&store, &name, name.as_bytes()).await;
        }
        cluster[killed].restart();
    }
}

/// The next leader knows what was renewed with it, and the deposed one neither ends nor gives away anything of that.
#[tokio::test]
async fn a_leader_that_comes_back_gives_no_execution_away() {
    let Some(etcd) = Etcd::find() else { return };
    let cluster = etcd.start_cluster();
    let mut stores = Vec::new();
    for member in &cluster {
        stores.push(impatient(slice::from_ref(member)).await);
    }
    let store = impatient(&cluster).await;
    let lease = 4 * SECOND;
    let terms = Terms { lease, retention: SECOND, ..Terms::default() };
    let ticket = execute(&store, "k", 1, terms).await;
    let at = leader(&cluster);
    cluster[at].pause();
    let paused = BootClock.now();
    let mut is_paused = true;
    let (mut renewals, mut in_flight) = (0, 0);
    let key = key("k");
    for round in 2.. {
        if BootClock.now() - paused > 4 * lease {
            break;
        }
        match store.renew(&ticket).await {
            Ok(Settled::Done) => renewals += 1,
            Ok(Settled::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => {}
            other => panic!("{other:?}"),
        }
        if is_paused && BootClock.now() - paused > 2 * lease {
            cluster[at].resume();
            is_paused = false;
        }
        // Whoever is asked, also the one that was deposed.
        let other = Claim::new(&key, Fingerprint::NONE, round, terms).unwrap();
        let asked = if is_paused { (at + 1) % 3 } else { at };
        match stores[asked].claim(other).await {
            Ok(Claimed::InFlight { .. }) => in_flight += 1,
            Err(StoreError::Unavailable { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(renewals > 10 && in_flight > 10, "{renewals} renewals, {in_flight} refusals");
    insist_on_completion(&store, &ticket, b"once").await;
}
