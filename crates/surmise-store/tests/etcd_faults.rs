//! `EtcdStore` while members are stopped and deposed, and while replies get lost.

#![cfg(target_os = "linux")]

mod support {
    pub(crate) mod etcd;
    pub(crate) mod servers;
    pub(crate) mod watched;
}

use core::{slice, time::Duration};

use surmise_fence::FencingToken;
use surmise_store::{
    FencedStore as _, LeaseStore as _, Outcome, Resource, StoreError,
    etcd::{EtcdConfig, EtcdStore},
};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

use self::support::{
    etcd::{config, impatient, leader, patient},
    servers::Etcd,
    watched::Wire,
};

/// Returns a store whose connections are watched.
async fn watched(wire: &Wire, config: EtcdConfig) -> Result<EtcdStore, StoreError> {
    let wire = wire.clone();
    let open = move |address| wire.clone().open(address);
    EtcdStore::connect_with(config, open).await
}

/// The next leader knows what was renewed with it, and the deposed one ends nothing of that.
#[tokio::test]
async fn a_leader_that_comes_back_ends_no_lease() {
    let Some(etcd) = Etcd::find() else { return };
    let cluster = etcd.start_cluster();
    let store = impatient(&cluster).await;
    let ttl = Duration::from_secs(5);
    let lease = store.acquire("ledger", "me", ttl).await.unwrap();
    let at = leader(&cluster);
    cluster[at].pause();
    let paused = BootClock.now();
    let mut is_paused = true;
    let mut renewals = 0;
    while BootClock.now() - paused < 4 * ttl {
        // A leader is to be elected first.
        if lease.renew(&store).await.is_ok() {
            renewals += 1;
        }
        if is_paused && BootClock.now() - paused > 2 * ttl {
            cluster[at].resume();
            is_paused = false;
        }
        sleep(Duration::from_millis(300)).await;
    }
    assert!(renewals > 10, "{renewals}");
    lease.renew(&patient(&cluster).await).await.unwrap();
}

#[tokio::test]
async fn what_was_done_without_a_reply_is_found_out() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let wire = Wire::default();
    let config =
        EtcdConfig { request_timeout: Duration::from_secs(20), ..config(slice::from_ref(&server)) };
    let store = watched(&wire, config).await.unwrap();

    // What does no harm is asked again.
    wire.lose(1);
    assert_eq!(store.read("r", b"k").await.unwrap(), None);
    // The reply to the transaction of a grant is the third.
    wire.lose(3);
    let lease = store.acquire("r", "me", Duration::from_secs(60)).await.unwrap();
    let holding = store.holding(Resource::new("r").unwrap()).await.unwrap().unwrap();
    assert_eq!((holding.token, holding.nonce), (lease.token_unchecked(), lease.nonce()));
    wire.lose(3);
    assert!(lease.renew(&store).await.unwrap_err().to_string().contains("did not say"));
    lease.renew(&store).await.unwrap();

    let pass = lease.pass().unwrap().with_sequence(1);
    wire.lose(1);
    let write = store.write("r", b"k", b"v", pass).await;
    assert!(matches!(write, Ok(Outcome::Indeterminate(_))), "{write:?}");
    let again = store.write("r", b"k", b"v", pass).await;
    assert!(matches!(again, Ok(Outcome::Duplicate { sequence: 1 })), "{again:?}");
    wire.lose(1);
    let raise = store.raise("r", pass).await;
    assert!(matches!(raise, Ok(Outcome::Indeterminate(_))), "{raise:?}");
    assert_eq!(
        store.floor(Resource::new("r").unwrap()).await.unwrap(),
        Some(pass.with_sequence(0))
    );
    wire.lose(2);
    assert!(lease.release(&store).await.is_err());
    assert_eq!(store.holding(Resource::new("r").unwrap()).await.unwrap(), None);
}

/// A stopped member neither answers nor refuses: what it was asked may be done once it goes on, and by the rule.
#[tokio::test]
async fn a_stopped_member_is_waited_for_and_then_left() {
    let Some(etcd) = Etcd::find() else { return };
    let cluster = etcd.start_cluster();
    let at = (leader(&cluster) + 1) % 3;
    let mut config = config(&cluster);
    config.endpoints.rotate_left(at);
    config.request_timeout = Duration::from_secs(1);
    let store = EtcdStore::connect(config).await.unwrap();
    let [old, new] = [1, 2].map(FencingToken::first);
    cluster[at].pause();
    let lost = store.write("r", b"k", b"old", old).await;
    assert!(matches!(lost, Ok(Outcome::Indeterminate(_))), "{lost:?}");
    assert!(matches!(store.raise("r", new).await, Ok(Outcome::Applied)));
    assert!(matches!(store.write("r", b"k", b"new", new).await, Ok(Outcome::Applied)));
    cluster[at].resume();
    cluster[at].wait_until_ready();
    for _ in 0..50 {
        assert_eq!(store.read("r", b"k").await.unwrap().unwrap().pass, new.into());
    }
}

/// Prints what a fenced write takes beside the same bytes on a bare connection.
#[tokio::test]
async fn a_write_costs_what_its_request_costs() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let wire = Wire::default();
    let store = watched(&wire, config(slice::from_ref(&server))).await.unwrap();
    let lease = store.acquire("r", "me", Duration::from_secs(600)).await.unwrap();
    let pass = lease.pass().unwrap();
    let mut bare = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    bare.set_nodelay(true).unwrap();
    let mut times = [Vec::new(), Vec::new()];
    assert!(matches!(store.write("r", b"key", &[7; 100], pass).await, Ok(Outcome::Applied)));
    let request = wire.sent();
    for round in 0..800 {
        // In turns, and neither always first.
        let which = usize::from([true, false, false, true][round % 4]);
        let start = BootClock.now();
        if which == 0 {
            let write = store.write("r", b"key", &[7; 100], pass).await;
            assert!(matches!(write, Ok(Outcome::Applied)));
        } else {
            bare.write_all(&request).await.unwrap();
            let mut answer = vec![0; 4096];
            let length = bare.read(&mut answer).await.unwrap();
            assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"));
        }
        times[which].push(BootClock.now() - start);
    }
    let [store, bare] = times.map(|mut times| {
        times.sort();
        (times[200], times[396])
    });
    println!("p50 and p99: a fenced write {store:?}, its request alone {bare:?}");
}
