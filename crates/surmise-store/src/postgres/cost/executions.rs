//! What a claim and a completion cost, beside the bare client.

use core::time::Duration;

use surmise_idempotency::{Fingerprint, Key};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio_postgres::{Client, Statement};

use super::{
    super::{PostgresConfig, PostgresStore, settle},
    Postgres, SQL, Server, Which, print,
};
use crate::{Claim, Claimed, IdempotencyStore as _, Settled, Settlement, Terms};

const ROUNDS: u32 = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn executions_beside_the_bare_client() {
    let Some(postgres) = Postgres::find() else { return };
    for configuration in ["fsync=on", "fsync=off"] {
        println!("with {configuration}");
        compare(&postgres.start_with(&[configuration])).await;
    }
}

async fn compare(server: &Server) {
    let config = server.database("cost").await;
    let (store, _) = PostgresStore::connect(config, PostgresConfig::default()).await.unwrap();
    let mut bare = Bare::new(server.client("cost").await).await;
    let mut client = server.client("cost").await;
    let mut times = [(); 6].map(|()| Vec::new());
    let [ours, same, plain, replays, locked, inside] = &mut times;
    for round in 0..ROUNDS {
        let key = |kind: &str| Key::new("tenant", kind, round.to_be_bytes()).unwrap();
        for turn in [round % 2, 1 - round % 2] {
            let start = BootClock.now();
            if turn == 0 {
                bare.execute(key("bare").as_bytes()).await;
                same.push(BootClock.now() - start);
            } else {
                let key = key("ours");
                let ticket = claim(&store, &key).await;
                let settled = store.complete(&ticket, b"result").await.unwrap();
                assert!(matches!(settled, Settled::Done));
                ours.push(BootClock.now() - start);
            }
        }
        let start = BootClock.now();
        let (key, other) = (key("ours"), key("inside"));
        let claimed = store.begin(&key, Fingerprint::NONE, Terms::default()).await.unwrap();
        assert!(matches!(claimed, Claimed::Replay(_)));
        replays.push(BootClock.now() - start);

        let start = BootClock.now();
        bare.insert_and_update(round.cast_signed()).await;
        plain.push(BootClock.now() - start);
        let start = BootClock.now();
        bare.look_and_lock(round.cast_signed()).await;
        locked.push(BootClock.now() - start);

        let ticket = claim(&store, &other).await;
        let transaction = client.transaction().await.unwrap();
        let start = BootClock.now();
        let receipt = Settlement::complete(b"result", ticket.terms().retention).unwrap();
        settle(&transaction, &ticket, receipt).await.unwrap().unwrap();
        inside.push(BootClock.now() - start);
        transaction.commit().await.unwrap();
    }
    let bare = print("the same two statements, bare client", same);
    let ours = print("claim and complete", ours);
    print("an insert and an update of a plain table", plain);
    print("the same, each after SELECT FOR UPDATE", locked);
    print("a replay", replays);
    print("postgres::settle in a transaction", inside);
    println!("overhead at p50: {:+.1} %", (ours / bare - 1.0) * 100.0);
}

async fn claim(store: &PostgresStore, key: &Key) -> crate::Ticket {
    let claim = Claim::new(key, Fingerprint::NONE, 7, Terms::default()).unwrap();
    match store.claim(claim).await.unwrap() {
        Claimed::Execute(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// The client, with statements that it prepared.
struct Bare {
    client: Client,
    claim: Statement,
    settle: Statement,
    /// For each of two tables: look and lock, insert, update.
    textbook: [[Statement; 3]; 2],
}

impl Bare {
    async fn new(client: Client) -> Self {
        let [claim, settle] = [Which::Claim, Which::Settle].map(|which| SQL[which as usize]);
        let claim = client.prepare_typed(claim.text, claim.types).await.unwrap();
        let settle = client.prepare_typed(settle.text, settle.types).await.unwrap();
        let textbook = [textbook(&client, "plain").await, textbook(&client, "locked").await];
        Self { client, claim, settle, textbook }
    }

    async fn execute(&self, key: &[u8]) {
        let second = i64::try_from(Duration::from_secs(1).as_micros()).unwrap();
        let (fingerprint, forgotten) = ([0u8; 16], 4i64);
        let row = self
            .client
            .query_opt(
                &self.claim,
                &[&key, &&fingerprint[..], &7i64, &second, &(second * 86_400), &forgotten],
            )
            .await;
        let row = row.unwrap().unwrap();
        let (epoch, counter): (i64, i64) = (row.get("new_epoch"), row.get("new_counter"));
        let (value, lease) = (Some(&b"result"[..]), None::<i64>);
        let row = self
            .client
            .query_opt(
                &self.settle,
                &[&key, &epoch, &counter, &"completed", &value, &lease, &Some(second * 86_400)],
            )
            .await;
        assert!(row.unwrap().unwrap().get::<_, bool>("done"));
    }

    /// What is done by hand: a row that is inserted, and later updated.
    async fn insert_and_update(&self, key: i32) {
        let [[_, insert, update], _] = &self.textbook;
        assert_eq!(self.client.execute(insert, &[&key]).await.unwrap(), 1);
        let result = &b"result"[..];
        assert_eq!(self.client.execute(update, &[&key, &result]).await.unwrap(), 1);
    }

    /// Both under a lock, with the rules in the client.
    async fn look_and_lock(&mut self, key: i32) {
        let [_, [look, insert, update]] = &self.textbook;
        for is_claim in [true, false] {
            let transaction = self.client.transaction().await.unwrap();
            let rows = transaction.query(look, &[&key]).await.unwrap();
            assert_eq!(rows.is_empty(), is_claim);
            let done = if is_claim {
                transaction.execute(insert, &[&key]).await
            } else {
                transaction.execute(update, &[&key, &&b"result"[..]]).await
            };
            assert_eq!(done.unwrap(), 1);
            transaction.commit().await.unwrap();
        }
    }
}

async fn textbook(client: &Client, table: &str) -> [Statement; 3] {
    let create =
        format!("CREATE TABLE {table} (key int PRIMARY KEY, result bytea, at timestamptz)");
    client.batch_execute(&create).await.unwrap();
    let statements = [
        format!("SELECT at FROM {table} WHERE key = $1 FOR UPDATE"),
        format!("INSERT INTO {table} VALUES ($1, NULL, clock_timestamp()) ON CONFLICT DO NOTHING"),
        format!("UPDATE {table} SET result = $2, at = clock_timestamp() WHERE key = $1"),
    ];
    let [look, insert, update] = statements;
    [
        client.prepare(&look).await.unwrap(),
        client.prepare(&insert).await.unwrap(),
        client.prepare(&update).await.unwrap(),
    ]
}
