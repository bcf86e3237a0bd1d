//! What the store costs beside the bare client. To be run alone, and optimised:
//!
//! `cargo test --release -p surmise-store --features postgres --lib cost -- --ignored --nocapture`

#![expect(clippy::std_instead_of_alloc, reason = "a test has the standard library")]

mod executions;

use core::time::Duration;
use std::sync::Arc;

use surmise_fence::{FencingToken, Pass};
use surmise_time::{BootClock, MonotonicClock as _};

use super::{
    PostgresConfig, PostgresStore, check, raise,
    servers::{Postgres, Server},
    sql::{SQL, Which},
};
use crate::{FencedStore as _, Resource};

const ROUNDS: u64 = 3_000;

/// Prints the median and the 99th percentile of each, in microseconds.
fn print(what: &str, times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
    println!("{what:40} p50 {:7.1} µs, p99 {:7.1} µs", at(50), at(99));
    at(50)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn beside_the_bare_client() {
    let Some(postgres) = Postgres::find() else { return };
    // Also without the disk's part, which is the same for all, and noisy.
    for configuration in ["fsync=on", "fsync=off"] {
        println!("with {configuration}");
        compare(&postgres.start_with(&[configuration])).await;
    }
}

async fn compare(server: &Server) {
    let config = server.database("cost").await;
    let (store, _) = PostgresStore::connect(config, PostgresConfig::default()).await.unwrap();
    let mut client = server.client("cost").await;
    // A connection for this alone, as the store has one: what is used less is slower.
    let alone = server.client("cost").await;
    let write = SQL[Which::Write as usize];
    let prepared = alone.prepare_typed(write.text, write.types).await.unwrap();
    let upsert = client.prepare(UPSERT).await.unwrap();
    let token = FencingToken::first(1);
    store.raise("ledger", token).await.unwrap().applied().unwrap();
    let [mut bare, mut ours, mut plain, mut checked] = [(); 4].map(|()| Vec::new());
    for sequence in 1..=ROUNDS {
        let pass = Pass::from(token).with_sequence(sequence);
        let bytes = pass.to_bytes();
        // In turns, so that what else the machine does meets all alike.
        for turn in [sequence % 2, 1 - sequence % 2] {
            let start = BootClock.now();
            if turn == 0 {
                let value = Some(&b"value"[..]);
                let row = alone
                    .query_opt(&prepared, &[&"ledger", &&b"bare"[..], &value, &&bytes[..]])
                    .await;
                assert!(row.unwrap().unwrap().get::<_, bool>("done"));
                bare.push(BootClock.now() - start);
            } else {
                assert!(store.write("ledger", b"ours", b"value", pass).await.unwrap().is_done());
                ours.push(BootClock.now() - start);
            }
        }

        let start = BootClock.now();
        client.execute(&upsert, &[&&bytes[..]]).await.unwrap();
        plain.push(BootClock.now() - start);

        let transaction = client.transaction().await.unwrap();
        let start = BootClock.now();
        let ledger = Resource::new("ledger").unwrap();
        check(&transaction, ledger, pass).await.unwrap().unwrap();
        checked.push(BootClock.now() - start);
        transaction.rollback().await.unwrap();
    }
    let bare = print("the same statement, bare client", &mut bare);
    let ours = print("PostgresStore::write", &mut ours);
    print("an upsert of one row without a fence", &mut plain);
    print("postgres::check in a transaction", &mut checked);
    println!("overhead at p50: {:+.1} %", (ours / bare - 1.0) * 100.0);
}

const UPSERT: &str = "\
INSERT INTO surmise.entry AS last VALUES ('plain', 'key', 'value', $1)
ON CONFLICT (resource, key) DO UPDATE SET value = excluded.value, pass = excluded.pass
WHERE last.pass <= excluded.pass";

/// For how long a raise waits while the holder before writes with all connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn a_raise_among_writes() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("raise").await;
    let many =
        PostgresConfig { max_connections: 8.try_into().unwrap(), ..PostgresConfig::default() };
    let store = Arc::new(PostgresStore::connect(config, many).await.unwrap().0);
    let client = server.client("raise").await;
    let mut token = FencingToken::first(1);
    store.raise("ledger", token).await.unwrap().applied().unwrap();
    let writers: Vec<_> = (0..8u8)
        .map(|key| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut written = 0u64;
                loop {
                    let outcome =
                        store.write("ledger", &[key], b"v", FencingToken::MAX).await.unwrap();
                    if !outcome.is_done() {
                        return written;
                    }
                    written += 1;
                }
            })
        })
        .collect();
    let mut waits = Vec::new();
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        token = token.next().unwrap();
        let start = BootClock.now();
        raise(&client, Resource::new("ledger").unwrap(), token.into()).await.unwrap().unwrap();
        waits.push(BootClock.now() - start);
    }
    print("a raise among eight writers", &mut waits);
    println!("longest {:?}", waits.last());
    for writer in writers {
        writer.abort();
    }
}
