//! The PostgreSQL store while its server is killed, stopped, read-only or slow.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a test has it"
)]

mod support {
    pub(crate) mod postgres;
    pub(crate) mod servers;
}

use std::{
    num::{NonZeroU16, NonZeroU64},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::process::Signal;
use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    Extended, FencedStore, Granted, LeaseRequest, LeaseStore, Outcome, Resource, StoreError, Ttl,
    postgres::{PostgresConfig, PostgresStore, check},
};
use tokio_postgres::Client;

use self::support::{
    postgres::{signal_backend, waiters},
    servers::{Postgres, Server},
};

fn one_connection(limit: Duration) -> PostgresConfig {
    PostgresConfig {
        max_connections: NonZeroU16::MIN,
        connect_timeout: limit,
        request_timeout: limit,
        migrate: true,
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
/// So short that waiting for it is no burden, and so long that a busy machine answers.
const SHORT: Duration = Duration::from_secs(1);

async fn connect(server: &Server, config: PostgresConfig) -> PostgresStore {
    PostgresStore::connect(server.config("postgres"), config).await.unwrap().0
}

fn ledger() -> Resource<'static> {
    Resource::new("ledger").unwrap()
}

fn pass(counter: u64) -> Pass {
    FencingToken::new(1, NonZeroU64::new(counter).unwrap()).into()
}

fn request(nonce: u64) -> LeaseRequest<'static> {
    LeaseRequest::new("ledger", "tester", nonce, Duration::from_secs(3600)).unwrap()
}

/// Keeps an operation waiting for a row, and returns the client that does.
async fn hold_floor(server: &Server) -> Client {
    let client = server.client("postgres").await;
    client.batch_execute("BEGIN").await.unwrap();
    check(&client, ledger(), pass(1)).await.unwrap().unwrap();
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_killed_in_mid_statement_leaves_doubt() {
    let Some(postgres) = Postgres::find() else { return };
    let mut server = postgres.start();
    let store = Arc::new(connect(&server, one_connection(PATIENCE)).await);
    assert!(store.raise("ledger", pass(1)).await.unwrap().is_done());
    let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    for way in ["terminate", "kill"] {
        let holder = hold_floor(&server).await;
        let raiser = Arc::clone(&store);
        let raise = tokio::spawn(async move { raiser.raise("ledger", pass(2)).await });
        while waiters(&holder).await == 0 {}
        let pid: i32 = holder.query_one(waiting, &[]).await.unwrap().get(0);
        if way == "terminate" {
            holder.query("SELECT pg_terminate_backend($1)", &[&pid]).await.unwrap();
        } else {
            // With one of its processes, the whole server goes down and recovers.
            signal_backend(pid, Signal::KILL);
        }
        let outcome = raise.await.unwrap().unwrap();
        assert!(matches!(outcome, Outcome::Indeterminate(_)), "{outcome:?}");
        drop(holder);
        if way == "kill" {
            server.kill();
            server.restart();
        }
        // It was not done, and the store goes on with another connection.
        assert_eq!(store.floor(ledger()).await.unwrap(), Some(pass(1)));
    }

    // What the server itself gives up is refused, without doubt.
    let holder = hold_floor(&server).await;
    let raiser = Arc::clone(&store);
    let raise = tokio::spawn(async move { raiser.raise("ledger", pass(2)).await });
    while waiters(&holder).await == 0 {}
    let pid: i32 = holder.query_one(waiting, &[]).await.unwrap().get(0);
    holder.query("SELECT pg_cancel_backend($1)", &[&pid]).await.unwrap();
    let error = raise.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn waiting_for_a_lock_ends_in_a_refusal() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("lock").await;
    let (store, _) = PostgresStore::connect(config, one_connection(SHORT * 2)).await.unwrap();
    assert!(store.raise("ledger", pass(1)).await.unwrap().is_done());
    let client = server.client("lock").await;
    client.batch_execute("BEGIN").await.unwrap();
    check(&client, ledger(), pass(1)).await.unwrap().unwrap();
    let error = store.raise("ledger", pass(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("(57014)"), "{error}");
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(store.floor(ledger()).await.unwrap(), Some(pass(1)));
    assert!(store.raise("ledger", pass(2)).await.unwrap().is_done());
}

#[tokio::test]
async fn a_server_that_hangs_leaves_doubt_and_one_that_is_down_none() {
    let Some(postgres) = Postgres::find() else { return };
    let mut server = postgres.start();
    let store = connect(&server, one_connection(SHORT)).await;
    let Granted::Granted(grant) = store.grant(request(1)).await.unwrap() else { panic!() };
    let client = server.client("postgres").await;
    let serving = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'
         AND pid <> pg_backend_pid()";
    let pid: i32 = client.query_one(serving, &[]).await.unwrap().get(0);

    signal_backend(pid, Signal::STOP);
    let outcome = store.write("ledger", b"key", b"value", grant.token).await.unwrap();
    assert!(matches!(outcome, Outcome::Indeterminate(_)), "{outcome:?}");
    signal_backend(pid, Signal::CONT);
    // The connection was given up; the new one sees what is so. Either is right.
    let entry = store.read("ledger", b"key").await.unwrap();
    assert!(entry.is_none_or(|entry| entry.pass == grant.token.into()));

    let ttl = Ttl::new(Duration::from_secs(3600)).unwrap();
    server.kill();
    let error = loop {
        match store.extend(ledger(), grant.token, ttl).await {
            // The process that serves the connection outlives the server for a moment, and the news of its end takes
            // another.
            Ok(Extended::Extended(_) | Extended::Indeterminate(_)) => {}
            other => break other.unwrap_err(),
        }
    };
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let error = store.read("ledger", b"key").await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let config = server.config("postgres");
    let error = PostgresStore::connect(config, one_connection(SHORT)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");

    // Neither knows of the other, and both go on.
    server.restart();
    assert_eq!(store.holding(ledger()).await.unwrap().unwrap().token, grant.token);

    // A server that takes connections and says nothing.
    server.pause();
    let config = server.config("postgres");
    let error = PostgresStore::connect(config, one_connection(SHORT)).await.unwrap_err();
    assert!(error.to_string().contains("connect_timeout"), "{error}");
    server.resume();
}

#[tokio::test]
async fn a_request_that_finds_no_free_connection_was_not_sent() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("busy").await;
    let limits = PostgresConfig { request_timeout: PATIENCE, ..one_connection(SHORT) };
    let (store, _) = PostgresStore::connect(config, limits).await.unwrap();
    let store = Arc::new(store);
    assert!(store.raise("ledger", pass(1)).await.unwrap().is_done());
    let holder = server.client("busy").await;
    holder.batch_execute("BEGIN").await.unwrap();
    check(&holder, ledger(), pass(1)).await.unwrap().unwrap();
    let raiser = Arc::clone(&store);
    let raise = tokio::spawn(async move { raiser.raise("ledger", pass(2)).await });
    while waiters(&holder).await == 0 {}
    let error = store.read("ledger", b"key").await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");

    // A caller that no longer waits gives its connection up, and another is made.
    raise.abort();
    assert!(raise.await.unwrap_err().is_cancelled());
    assert_eq!(store.floor(ledger()).await.unwrap(), Some(pass(1)));
    holder.batch_execute("COMMIT").await.unwrap();
}

#[tokio::test]
async fn the_callers_connections_are_asked_for_in_place_of_broken_ones() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("own").await;
    let made = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&made);
    let connect = move || {
        let (config, made) = (config.clone(), count.fetch_add(1, Ordering::Relaxed));
        async move {
            if made == 2 {
                return Err("no more of them".into());
            }
            let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
            tokio::spawn(async { _ = connection.await });
            Ok(client)
        }
    };
    let limits = one_connection(PATIENCE);
    let (store, _) = PostgresStore::connect_with("our own", connect, limits).await.unwrap();
    assert!(store.raise("ledger", pass(1)).await.unwrap().is_done());
    assert!(store.raise("ledger", pass(2)).await.unwrap().is_done());
    assert_eq!(made.load(Ordering::Relaxed), 1, "it is used again");

    let client = server.client("own").await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = 'own' AND pid <> pg_backend_pid()";
    for expected in [2, 3] {
        assert_eq!(client.query(end, &[]).await.unwrap().len(), 1);
        // The news of its end may not have come, or comes as the answer.
        let answer = loop {
            let answer = store.floor(ledger()).await;
            if made.load(Ordering::Relaxed) == expected {
                break answer;
            }
        };
        match answer {
            Ok(floor) => assert_eq!((expected, floor), (2, Some(pass(2)))),
            Err(error) => {
                assert_eq!(expected, 3);
                let text = error.to_string();
                assert!(text.starts_with("our own is unavailable: no more of them"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_write_is_told_from_one_that_is_down() {
    let Some(postgres) = Postgres::find() else { return };
    let server = postgres.start();
    let store = connect(&server, one_connection(PATIENCE)).await;
    assert!(store.write("ledger", b"key", b"value", pass(1)).await.unwrap().is_done());
    let client = server.client("postgres").await;

    // As it is on a standby.
    let set = "ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()";
    for statement in set.split("; ") {
        client.batch_execute(statement).await.unwrap();
    }
    let error = loop {
        // Until the process that serves the store has read it.
        match store.write("ledger", b"key", b"value", pass(1)).await {
            Ok(outcome) => assert!(outcome.is_done()),
            Err(error) => break error,
        }
    };
    let StoreError::Unusable { remedy, .. } = error else { panic!("{error}") };
    assert!(remedy.contains("primary"));
    let config = server.config("postgres");
    let error = PostgresStore::connect(config, one_connection(PATIENCE)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    assert!(store.read("ledger", b"key").await.is_err(), "and the new connection is refused too");

    // A user who may do nothing, and one who does not exist.
    for statement in ["SET default_transaction_read_only = off", "CREATE ROLE guest LOGIN"] {
        client.batch_execute(statement).await.unwrap();
    }
    for (user, expected) in [("guest", "grant the user"), ("nobody", "pg_hba.conf")] {
        let mut config = server.config("postgres");
        config.user(user).options("-c default_transaction_read_only=off");
        let error = PostgresStore::connect(config, one_connection(PATIENCE)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let config = server.config("nowhere");
    let error = PostgresStore::connect(config, one_connection(PATIENCE)).await.unwrap_err();
    assert!(error.to_string().contains("create the database"), "{error}");
}

#[tokio::test]
async fn a_server_that_forgets_is_not_taken_for_one_that_does_not() {
    let Some(postgres) = Postgres::find() else { return };
    let mut server = postgres.start();
    let store = connect(&server, one_connection(PATIENCE)).await;
    let client = server.client("postgres").await;
    client.batch_execute("ALTER SYSTEM SET fsync = off").await.unwrap();
    client.batch_execute("ALTER SYSTEM SET synchronous_commit = off").await.unwrap();
    client.batch_execute("CHECKPOINT").await.unwrap();
    server.stop();
    server.restart();
    let config = server.config("postgres");
    let connected = PostgresStore::connect(config, one_connection(PATIENCE)).await.unwrap();
    let durability = connected.1;
    assert!(!durability.is_full() && durability.full_page_writes);
    assert!(durability.to_string().starts_with("fsync and synchronous_commit off"));

    // Who was told that it is durable is not served by what no longer is.
    let error = loop {
        match store.write("ledger", b"key", b"value", pass(1)).await {
            Ok(Outcome::Indeterminate(_)) => {}
            other => break other.unwrap_err(),
        }
    };
    let StoreError::Unusable { problem, .. } = error else { panic!("{error}") };
    assert!(problem.contains("less durable"), "{problem}");
}
