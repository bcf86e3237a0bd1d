//! What people are told when PostgreSQL does not do what it was asked to.

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
    sync::Arc,
    time::Duration,
};

use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    FencedStore as _, Outcome, Resource, StoreError,
    postgres::{PostgresConfig, PostgresStore, check},
};

use self::support::{postgres::waiters, servers::Postgres};

fn ledger() -> Resource<'static> {
    Resource::new("ledger").unwrap()
}

fn pass(counter: u64) -> Pass {
    FencingToken::new(1, NonZeroU64::new(counter).unwrap()).into()
}

fn one_connection(limit: Duration) -> PostgresConfig {
    PostgresConfig {
        max_connections: NonZeroU16::MIN,
        connect_timeout: limit,
        request_timeout: limit,
        migrate: true,
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_refusal_has_the_server_s_words_its_code_and_what_to_do() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("words").await;
    let limits = one_connection(Duration::from_secs(2));
    let (store, _) = PostgresStore::connect(config, limits).await.unwrap();
    assert!(store.raise("ledger", pass(1)).await.unwrap().is_done());
    let client = server.client("words").await;
    client.batch_execute("BEGIN").await.unwrap();
    check(&client, ledger(), pass(1)).await.unwrap().unwrap();
    let error = store.raise("ledger", pass(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("canceling statement due to statement timeout (57014): "), "{text}");
    assert!(text.contains("pg_stat_activity"), "{text}");

    for statement in ["CREATE ROLE crowd LOGIN", "ALTER ROLE crowd CONNECTION LIMIT 0"] {
        client.batch_execute(&format!("COMMIT; {statement}")).await.unwrap();
    }
    let mut config = server.config("words");
    let error = PostgresStore::connect(config.user("crowd").clone(), one_connection(PATIENCE));
    let text = error.await.unwrap_err().to_string();
    assert!(text.contains("(53300): "), "{text}");
    assert!(text.contains("max_connections"), "{text}");
}

#[tokio::test]
async fn a_lost_reply_says_how_it_was_lost() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("lost").await;
    let (store, _) = PostgresStore::connect(config, one_connection(PATIENCE)).await.unwrap();
    let store = Arc::new(store);
    assert!(store.raise("ledger", pass(1)).await.unwrap().is_done());
    let holder = server.client("lost").await;
    holder.batch_execute("BEGIN").await.unwrap();
    check(&holder, ledger(), pass(1)).await.unwrap().unwrap();
    let raiser = Arc::clone(&store);
    let raise = tokio::spawn(async move { raiser.raise("ledger", pass(2)).await });
    while waiters(&holder).await == 0 {}
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(holder.query(end, &[]).await.unwrap().len(), 1);
    let Outcome::Indeterminate(lost) = raise.await.unwrap().unwrap() else { panic!() };
    let text = lost.to_string();
    let words = "terminating connection due to administrator command (57P01)";
    assert!(text.contains(words), "{text}");
}

#[tokio::test]
async fn a_server_that_is_down_is_said_to_refuse_connections() {
    let Some(server) = Postgres::shared() else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(listener.local_addr().unwrap().port()).user("postgres");
    drop((server, listener));
    let error = PostgresStore::connect(config, one_connection(PATIENCE)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("error connecting to server: Connection refused"), "{text}");
}
