//! What the operator sets, and what it does.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![expect(
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a test has it"
)]

mod support {
    pub(crate) mod postgres;
    pub(crate) mod servers;
}

use std::{num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Pass, Refusal};
use surmise_store::{
    FencedStore as _, Resource,
    postgres::{PostgresConfig, PostgresStore, check},
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use self::support::servers::Postgres;

const PATIENCE: Duration = Duration::from_secs(60);

fn ledger() -> Resource<'static> {
    Resource::new("ledger").unwrap()
}

fn pass(counter: u64) -> Pass {
    FencingToken::new(1, NonZeroU64::new(counter).unwrap()).into()
}

/// A holder that stops in mid-transaction, and says nothing more on a connection that stays.
#[tokio::test]
async fn a_holder_that_stops_in_its_transaction_is_not_waited_for_for_ever() {
    let Some(postgres) = Postgres::find() else { return };
    let server = postgres.start_with(&["idle_in_transaction_session_timeout=1500ms"]);
    let limits = PostgresConfig { request_timeout: PATIENCE, ..PostgresConfig::default() };
    let (store, durability) =
        PostgresStore::connect(server.config("postgres"), limits).await.unwrap();
    assert_eq!(durability.idle_in_transaction_timeout, Some(Duration::from_millis(1500)));
    assert_eq!(durability.to_string(), "what is applied survives a crash");
    assert!(store.raise("ledger", pass(1)).await.unwrap().is_done());
    let mut stopped = server.client("postgres").await;
    let transaction = stopped.transaction().await.unwrap();
    check(&transaction, ledger(), pass(1)).await.unwrap().unwrap();
    assert!(store.raise("ledger", pass(2)).await.unwrap().is_done());
    assert!(transaction.commit().await.is_err(), "what it did is undone");
    let late = store.write("ledger", b"key", b"late", pass(1)).await.unwrap();
    let stale = Refusal::Stale { offered: pass(1).token, highest: pass(2).token };
    assert_eq!(format!("{late:?}"), format!("{:?}", surmise_store::Outcome::from(stale)));
}

#[tokio::test]
async fn a_server_that_waits_for_ever_is_told() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("waits").await;
    let connected = PostgresStore::connect(config, PostgresConfig::default()).await;
    let (_, durability) = connected.unwrap();
    assert!(durability.is_full());
    assert_eq!(durability.idle_in_transaction_timeout, None);
    let text = durability.to_string();
    assert!(text.contains("idle_in_transaction_session_timeout"), "{text}");
}

/// A host whose packets are dropped, as those are of a full listener, and one that answers.
#[tokio::test]
async fn the_second_host_is_tried_while_there_is_time() {
    let Some(server) = Postgres::shared() else { return };
    let alive = server.database("second").await;
    let full = TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = full.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut connections = Vec::new();
    while let Ok(connected) = timeout(Duration::from_secs(1), TcpStream::connect(address)).await {
        connections.push(connected.unwrap());
    }
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(address.port()).host("127.0.0.1").port(server.port());
    config.user("postgres").dbname(alive.get_dbname().unwrap());
    let limits =
        PostgresConfig { connect_timeout: Duration::from_secs(8), ..PostgresConfig::default() };
    let (store, _) = PostgresStore::connect(config, limits).await.unwrap();
    assert!(store.raise("ledger", pass(1)).await.unwrap().is_done());
}
