//! What a Redis server can lose, told when it is connected to, and again when it is another.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![expect(clippy::std_instead_of_alloc, reason = "a test has the standard library")]

mod support {
    pub(crate) mod redis;
    pub(crate) mod servers;
}

use core::time::Duration;
use std::sync::Arc;

use parking_lot::Mutex;
use surmise_fence::FencingToken;
use surmise_store::{
    FencedStore as _, LeaseStore as _, Outcome, Resource, StoreError,
    redis::{Connected, RedisConfig, RedisCredentials, RedisStore, Weakness},
};
use tokio::net::TcpStream;

use self::support::{
    redis::{Bare, config, patient},
    servers::{Redis, Server, wait_until},
};

const LONG: Duration = Duration::from_secs(600);
const LOG: [&str; 2] = ["--appendonly", "yes"];
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

async fn connect(server: &Server) -> Connected {
    RedisStore::connect(config(server)).await.unwrap()
}

/// Checks what is found, and that it is had only by its name.
async fn has(server: &Server, weaknesses: &[Weakness]) {
    assert_eq!(connect(server).await.weaknesses(), weaknesses);
    let refused = connect(server).await.durable().unwrap_err();
    assert_eq!(refused.weaknesses(), weaknesses);
    for one in weaknesses {
        assert!(refused.to_string().contains(&one.to_string()), "{refused}");
        let mut others = ALL.to_vec();
        others.retain(|weakness| weakness != one);
        let refused = connect(server).await.accept(&others).unwrap_err();
        assert_eq!(refused.weaknesses(), [*one]);
    }
    let store = connect(server).await.accept(weaknesses).unwrap();
    let lease = store.acquire("ledger", "me", LONG).await.unwrap();
    lease.release(&store).await.unwrap();
}

const ALL: [Weakness; 9] = [
    Weakness::NoLog,
    Weakness::LateSync,
    Weakness::SyncPauses,
    Weakness::Hidden,
    Weakness::Replicas,
    Weakness::Promoted,
    Weakness::Evicts,
    Weakness::EvictsExecutions,
    Weakness::Cluster,
];

#[tokio::test]
async fn settings_that_lose_something_are_told() {
    let Some(redis) = Redis::find() else { return };
    has(&redis.start_with(&[]), &[Weakness::NoLog]).await;
    has(&redis.start_with(&LOG), &[Weakness::LateSync]).await;
    has(&redis.start_with(&[&LOG[..], &["--appendfsync", "no"]].concat()), &[Weakness::LateSync])
        .await;
    let server = redis.start_with(&DURABLE);
    assert_eq!(connect(&server).await.weaknesses(), []);
    let mut bare = Bare::new(&server);
    let mut set = |name, value| assert_eq!(bare.ask(&["CONFIG", "SET", name, value]), "OK");
    set("no-appendfsync-on-rewrite", "yes");
    has(&server, &[Weakness::SyncPauses]).await;
    set("maxmemory-policy", "allkeys-lru");
    has(&server, &[Weakness::SyncPauses, Weakness::Evicts]).await;
    set("no-appendfsync-on-rewrite", "no");
    has(&server, &[Weakness::Evicts]).await;
    set("maxmemory-policy", "volatile-ttl");
    has(&server, &[Weakness::EvictsExecutions]).await;
}

#[tokio::test]
async fn a_server_that_does_not_say_is_no_durable_one() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start_with(&[&DURABLE[..], &["--rename-command", "CONFIG", ""]].concat());
    has(&server, &[Weakness::Hidden]).await;
    let server = redis.start_with(&DURABLE);
    Bare::new(&server).ask(&["ACL", "SETUSER", "clerk", "on", ">p", "~*", "+@all", "-config"]);
    let credentials = RedisCredentials { user: "clerk".to_owned(), password: "p".to_owned() };
    let config = RedisConfig { credentials: Some(credentials), ..config(&server) };
    let connected = RedisStore::connect(config).await.unwrap();
    assert_eq!(connected.weaknesses(), [Weakness::Hidden]);
}

/// Starts a server, and another that follows it.
fn master_and_replica(redis: &Redis) -> (Server, Server) {
    let master = redis.start_with(&[&DURABLE[..], &["--repl-diskless-sync-delay", "0"]].concat());
    let replica = redis.start_with(&DURABLE);
    follow(&replica, &master);
    (master, replica)
}

fn follow(replica: &Server, master: &Server) {
    let mut bare = Bare::new(replica);
    let port = master.port().to_string();
    assert_eq!(bare.ask(&["REPLICAOF", "127.0.0.1", &port]), "OK");
    let link = || bare.ask(&["INFO", "replication"]).contains("master_link_status:up");
    assert!(wait_until(link), "the replica does not come to follow");
    log_is_kept(replica);
}

/// Waits until the log of a server has all its data.
fn log_is_kept(server: &Server) {
    let mut bare = Bare::new(server);
    assert!(wait_until(|| {
        let info = bare.ask(&["INFO", "persistence"]);
        info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")
    }));
}

/// What is in the memory of a server, and not in its log yet, is gone with the process.
#[tokio::test]
async fn a_log_that_is_only_begun_is_none() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start_with(&["--save", "", "--appendfsync", "always"]);
    let mut bare = Bare::new(&server);
    bare.ask(&["SET", "other", "value"]);
    // The first log takes an hour.
    bare.ask(&["CONFIG", "SET", "rdb-key-save-delay", "3600000000"]);
    assert_eq!(bare.ask(&["CONFIG", "SET", "appendonly", "yes"]), "OK");
    let error = RedisStore::connect(config(&server)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("its log is only begun"), "{error}");
    // Which ends the process that writes it.
    assert_eq!(bare.ask(&["CONFIG", "SET", "appendonly", "no"]), "OK");
}

#[tokio::test]
async fn replicas_are_told_and_refused() {
    let Some(redis) = Redis::find() else { return };
    let (master, replica) = master_and_replica(&redis);
    has(&master, &[Weakness::Replicas]).await;
    let error = RedisStore::connect(config(&replica)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    assert!(error.to_string().contains("connect to the master"), "{error}");
    Bare::new(&replica).ask(&["REPLICAOF", "NO", "ONE"]);
    has(&replica, &[Weakness::Promoted]).await;
    // One that becomes a replica under a store that works.
    let store = connect(&replica).await.accept(&[Weakness::Promoted]).unwrap();
    follow(&replica, &master);
    for _ in 0..2 {
        let error = store.write("ledger", b"k", b"v", FencingToken::first(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("connect to the master"), "{error}");
    }
}

/// Has the next request of others than the test look at the server anew.
async fn disconnect(bare: &mut Bare, store: &RedisStore) {
    bare.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    // What was sent before the end was heard of is lost; a read is asked once more.
    _ = store.read("ledger", b"other").await;
}

#[tokio::test]
async fn a_server_that_became_weaker_is_refused() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start_with(&DURABLE);
    let mut bare = Bare::new(&server);
    for (name, weak, strong) in [
        ("appendfsync", "everysec", "always"),
        ("appendonly", "no", "yes"),
        ("maxmemory-policy", "allkeys-random", "noeviction"),
    ] {
        let store = patient(&server).await;
        bare.ask(&["CONFIG", "SET", name, weak]);
        disconnect(&mut bare, &store).await;
        let error = store.acquire("ledger", "me", LONG).await.unwrap_err();
        assert!(error.to_string().contains("weaker than when it was connected"), "{error}");
        let error = store.read("ledger", b"k").await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        bare.ask(&["CONFIG", "SET", name, strong]);
        // What was lost in between stays lost.
        let error = store.read("ledger", b"k").await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        log_is_kept(&server);
        acquire(&patient(&server).await).await;
    }
}

#[tokio::test]
async fn only_a_durable_server_may_begin_anew_under_its_stores() {
    let Some(redis) = Redis::find() else { return };
    let mut server = redis.start_with(&DURABLE);
    let store = patient(&server).await;
    let lease = store.acquire("ledger", "me", LONG).await.unwrap();
    server.restart();
    assert!(store.read("ledger", b"k").await.unwrap().is_none());
    let pass = lease.pass().unwrap();
    assert!(matches!(store.write("ledger", b"k", b"v", pass).await, Ok(Outcome::Applied)));

    let mut server =
        redis.start_with(&[&DURABLE[..], &["--maxmemory-policy", "volatile-lru"]].concat());
    let store = connect(&server).await.accept(&[Weakness::EvictsExecutions]).unwrap();
    let lease = store.acquire("ledger", "me", LONG).await.unwrap();
    server.restart();
    assert!(store.read("ledger", b"k").await.unwrap().is_none());
    lease.release(&store).await.unwrap();

    let mut server = redis.start_with(&LOG);
    let store = connect(&server).await.accept(&[Weakness::LateSync]).unwrap();
    let lease = store.acquire("ledger", "me", LONG).await.unwrap();
    // Another connection to the same process.
    disconnect(&mut Bare::new(&server), &store).await;
    lease.release(&store).await.unwrap();
    server.restart();
    for _ in 0..2 {
        let error = store.holding(Resource::new("ledger").unwrap()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("began anew"), "{error}");
    }
    let store = connect(&server).await.accept(&[Weakness::LateSync]).unwrap();
    // Of another resource: the end of the lease may be among what such a server lost.
    store.acquire("journal", "me", LONG).await.unwrap();
}

/// A name that is led to another server, as a fail-over does.
#[tokio::test]
async fn a_promoted_replica_is_refused_and_then_gone_on_with() {
    let Some(redis) = Redis::find() else { return };
    let (mut master, replica) = master_and_replica(&redis);
    let addresses = [&master, &replica].map(|server| format!("127.0.0.1:{}", server.port()));
    let leads = Arc::new(Mutex::new(addresses[0].clone()));
    let config = config(&master);
    let connect = || {
        let leads = Arc::clone(&leads);
        RedisStore::connect_with(config.clone(), move |_name| {
            let address = leads.lock().clone();
            TcpStream::connect(address)
        })
    };
    let store = connect().await.unwrap().accept(&[Weakness::Replicas]).unwrap();
    let shared = store.acquire("ledger", "me", LONG).await.unwrap();
    shared.release(&store).await.unwrap();
    let mut bare = Bare::new(&replica);
    assert!(wait_until(|| bare.ask(&["KEYS", "*"]).contains("lease/ledger")));
    // What comes now, the replica never hears.
    assert_eq!(bare.ask(&["REPLICAOF", "NO", "ONE"]), "OK");
    let lease = store.acquire("ledger", "me", LONG).await.unwrap();
    let pass = lease.pass().unwrap();
    assert!(matches!(store.raise("ledger", pass).await, Ok(Outcome::Applied)));
    master.kill();
    addresses[1].clone_into(&mut leads.lock());

    for _ in 0..2 {
        let error = store.read("ledger", b"k").await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("was a replica"), "{error}");
    }
    // The operator knows, and goes on.
    let refused = connect().await.unwrap().accept(&[Weakness::Replicas]).unwrap_err();
    assert_eq!(refused.weaknesses(), [Weakness::Promoted]);
    let first = store;
    let store = connect().await.unwrap().accept(&[Weakness::Promoted]).unwrap();
    let resource = Resource::new("ledger").unwrap();
    assert_eq!(store.floor(resource).await.unwrap(), None);
    // Also if nobody calls `advance_epoch`.
    let next = store.acquire("ledger", "other", LONG).await.unwrap();
    assert!(next.token_unchecked().epoch() > lease.token_unchecked().epoch());
    // Who was refused stays so when the server has forgotten what it was: floors may be lost.
    assert_eq!(bare.ask(&["CONFIG", "SET", "repl-backlog-ttl", "1"]), "OK");
    assert!(wait_until(|| bare.ask(&["INFO", "replication"]).contains("second_repl_offset:-1")));
    let error = first.read("ledger", b"k").await.unwrap_err();
    assert!(error.to_string().contains("was a replica"), "{error}");
    connect().await.unwrap().durable().unwrap();
}

/// Each process that has the data grants in an epoch of its own, whether it has all that was granted or not.
#[tokio::test]
async fn no_process_grants_what_another_did() {
    let Some(redis) = Redis::find() else { return };
    let mut server = redis.start_with(&["--save", ""]);
    let accepted = [Weakness::NoLog];
    let store = connect(&server).await.accept(&accepted).unwrap();
    let epoch = acquire(&store).await.epoch();
    let mut bare = Bare::new(&server);
    assert_eq!(bare.ask(&["SAVE"]), "OK");
    let lost = acquire(&store).await;
    // The same process goes on in the same epoch.
    let same = connect(&server).await.accept(&accepted).unwrap();
    assert_eq!(acquire(&same).await.epoch(), epoch);
    server.restart();
    let store = connect(&server).await.accept(&accepted).unwrap();
    assert!(acquire(&store).await.epoch() > lost.epoch());

    // A store that connects by itself before anybody else does.
    let mut server = redis.start();
    let store = patient(&server).await;
    let lease = store.acquire("held", "me", LONG).await.unwrap();
    let last = acquire(&store).await;
    server.restart();
    _ = store.read("ledger", b"k").await;
    assert!(acquire(&store).await.epoch() > last.epoch());
    // What is held is not lost by it.
    lease.renew(&store).await.unwrap();
}

/// A server that was a replica for a while, and kept its process and its connections.
#[tokio::test]
async fn a_server_that_came_back_grants_nothing_twice() {
    let Some(redis) = Redis::find() else { return };
    let (other, server) = master_and_replica(&redis);
    let promote = |server: &Server| Bare::new(server).ask(&["REPLICAOF", "NO", "ONE"]);
    promote(&server);
    follow(&other, &server);
    let accepted = [Weakness::Replicas, Weakness::Promoted];
    has(&server, &accepted).await;
    let store = connect(&server).await.accept(&accepted).unwrap();
    promote(&other);
    let last = acquire(&store).await;
    follow(&server, &other);
    promote(&server);
    assert!(acquire(&store).await.epoch() > last.epoch());
    // While it follows, it answers no reads either, on the same connection.
    store.read("ledger", b"k").await.unwrap();
    assert_eq!(Bare::new(&server).ask(&["REPLICAOF", "127.0.0.1", "1"]), "OK");
    let error = store.read("ledger", b"k").await.unwrap_err();
    assert!(error.to_string().contains("replica"), "{error}");
    let error = store.holding(Resource::new("ledger").unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("replica"), "{error}");
}

/// Somebody made the store anew where it was lost: that is not the one whose floors were raised.
#[tokio::test]
async fn another_store_in_the_place_of_a_lost_one_is_not_taken_for_it() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let last = acquire(&store).await;
    store.raise("ledger", last).await.unwrap().applied().unwrap();
    let mut bare = Bare::new(&server);
    bare.ask(&["FLUSHALL"]);
    let lost = |error: StoreError| assert!(error.to_string().contains("loss of data"), "{error}");
    lost(store.write("ledger", b"k", b"v", last).await.unwrap_err());
    lost(store.raise("ledger", last).await.unwrap_err());
    lost(store.read("ledger", b"k").await.unwrap_err());
    let other = patient(&server).await;
    assert!(acquire(&other).await > last);
    for _ in 0..2 {
        lost(store.write("ledger", b"k", b"v", last).await.unwrap_err());
        lost(store.raise("ledger", last).await.unwrap_err());
        let error = store.acquire("ledger", "me", LONG).await.unwrap_err();
        assert!(error.to_string().contains("loss of data"), "{error}");
        lost(store.advance_epoch().await.unwrap_err());
        disconnect(&mut bare, &store).await;
    }
}

#[tokio::test]
async fn a_store_without_its_epoch_is_gone_on_with_by_who_connects_anew() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let mut bare = Bare::new(&server);
    for key in ["epoch", "process"] {
        let store = patient(&server).await;
        let last = acquire(&store).await;
        assert_eq!(bare.ask(&["DEL", &format!("{{surmise/1}}{key}")]), "1");
        let error = store.acquire("ledger", "me", LONG).await.unwrap_err();
        assert!(error.to_string().contains("connect anew"), "{error}");
        assert!(acquire(&patient(&server).await).await.epoch() > last.epoch());
    }
}

/// Has a lease, and gives it back.
async fn acquire(store: &RedisStore) -> FencingToken {
    let lease = store.acquire("ledger", "me", LONG).await.unwrap();
    lease.release(store).await.unwrap();
    lease.token_unchecked()
}
