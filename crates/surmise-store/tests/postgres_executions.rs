//! Executions in PostgreSQL: in transactions of the caller's, and while connections and servers end.

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

use std::{sync::Arc, time::Duration};

use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claim, Claimed, IdempotencyStore as _, LeaseStore as _, Settled, Settlement, Terms, Ticket,
    postgres::{self, PostgresConfig, PostgresStore},
};
use tokio_postgres::{Client, IsolationLevel, error::SqlState};

use self::support::{
    postgres::waiters,
    servers::{Postgres, Server},
};

struct Bank {
    server: &'static Server,
    name: &'static str,
    store: Arc<PostgresStore>,
    watch: Client,
}

const PATIENCE: Duration = Duration::from_secs(60);

async fn connect(server: &Server, database: &str) -> PostgresStore {
    let config = PostgresConfig {
        connect_timeout: PATIENCE,
        request_timeout: PATIENCE,
        ..PostgresConfig::default()
    };
    PostgresStore::connect(server.config(database), config).await.unwrap().0
}

async fn bank(name: &'static str) -> Option<Bank> {
    let server = Postgres::shared()?;
    server.database(name).await;
    let store = Arc::new(connect(server, name).await);
    let watch = server.client(name).await;
    watch.batch_execute(ACCOUNT).await.unwrap();
    Some(Bank { server, name, store, watch })
}

impl Bank {
    async fn client(&self) -> Client {
        self.server.client(self.name).await
    }

    async fn execute(&self, lease: Duration) -> Ticket {
        executed(self.store.begin(&key(), Fingerprint::NONE, terms(lease)).await.unwrap())
    }

    /// Waits until the lease is over, and takes over.
    async fn recover(&self, lease: Duration) -> Ticket {
        loop {
            match self.store.begin(&key(), Fingerprint::NONE, terms(lease)).await.unwrap() {
                Claimed::Recover(ticket) => return ticket,
                Claimed::InFlight { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn claim(&self) -> Claimed {
        self.store.begin(&key(), Fingerprint::NONE, terms(LONG)).await.unwrap()
    }

    async fn wait_for_waiters(&self, count: i64) {
        while waiters(&self.watch).await < count {}
    }

    async fn number(&self, query: &str) -> i64 {
        self.watch.query_one(query, &[]).await.unwrap().get(0)
    }
}

const ACCOUNT: &str =
    "CREATE TABLE account (balance int8 NOT NULL); INSERT INTO account VALUES (0)";
const SPEND: &str = "UPDATE account SET balance = balance + 1";
const BALANCE: &str = "SELECT balance FROM account";
const ROWS: &str = "SELECT count(*) FROM surmise.execution";
const LONG: Duration = Duration::from_secs(3600);
/// So short that it is over soon.
const SHORT: Duration = Duration::from_millis(10);

fn key() -> Key {
    Key::new("tenant", "spend", "1").unwrap()
}

fn terms(lease: Duration) -> Terms {
    Terms { lease, brief_retention: SHORT, ..Terms::default() }
}

fn claim(key: &Key, nonce: u64) -> Claim<'_> {
    Claim::new(key, Fingerprint::NONE, nonce, terms(LONG)).unwrap()
}

fn executed(claimed: Claimed) -> Ticket {
    let Claimed::Execute(ticket) = claimed else { panic!("{claimed:?}") };
    ticket
}

fn receipt() -> Settlement<'static> {
    Settlement::complete(b"spent", LONG).unwrap()
}

fn must_replay(claimed: &Claimed) {
    assert!(matches!(claimed, Claimed::Replay(result) if result == b"spent"), "{claimed:?}");
}

#[tokio::test]
async fn the_effect_and_its_completion_are_committed_together() {
    let Some(bank) = bank("together").await else { return };
    let ticket = bank.execute(LONG).await;
    let mut client = bank.client().await;
    for commits in [false, true] {
        let transaction = client.transaction().await.unwrap();
        transaction.execute(SPEND, &[]).await.unwrap();
        postgres::settle(&transaction, &ticket, receipt()).await.unwrap().unwrap();
        let others = bank.claim().await;
        assert!(matches!(others, Claimed::InFlight { .. }), "{others:?}");
        if commits { transaction.commit().await } else { transaction.rollback().await }.unwrap();
        assert_eq!(bank.number(BALANCE).await, i64::from(commits));
    }
    must_replay(&bank.claim().await);
    // Who did not hear of it, and does all of it again, is told not to.
    let transaction = client.transaction().await.unwrap();
    transaction.execute(SPEND, &[]).await.unwrap();
    postgres::settle(&transaction, &ticket, receipt()).await.unwrap().unwrap_err();
    transaction.rollback().await.unwrap();
    assert_eq!(bank.number(BALANCE).await, 1);
}

#[tokio::test]
async fn a_zombie_is_told_to_roll_back() {
    let Some(bank) = bank("zombie").await else { return };
    let zombie = bank.execute(SHORT).await;
    let mut client = bank.client().await;
    let transaction = client.transaction().await.unwrap();
    transaction.execute(SPEND, &[]).await.unwrap();
    let successor = bank.recover(LONG).await;
    assert!(successor.token() > zombie.token());
    for settlement in [receipt(), Settlement::release(), Settlement::renew()] {
        let void = postgres::settle(&transaction, &zombie, settlement).await.unwrap().unwrap_err();
        assert_eq!((void.key(), void.token()), (&key(), zombie.token()));
        assert!(void.to_string().contains("roll back"), "{void}");
    }
    transaction.rollback().await.unwrap();
    assert!(matches!(bank.store.complete(&successor, b"spent").await, Ok(Settled::Done)));
    must_replay(&bank.claim().await);
    assert_eq!(bank.number(BALANCE).await, 0);
}

/// Whoever takes over waits for the transaction that settles, and recovers only from what never was.
#[tokio::test]
async fn a_takeover_waits_for_the_transaction_that_settles() {
    for commits in [true, false] {
        let Some(bank) = bank(if commits { "committed" } else { "rolled back" }).await else {
            return;
        };
        let ticket = bank.execute(SHORT).await;
        let mut client = bank.client().await;
        let transaction = client.transaction().await.unwrap();
        transaction.execute(SPEND, &[]).await.unwrap();
        postgres::settle(&transaction, &ticket, receipt()).await.unwrap().unwrap();
        let store = Arc::clone(&bank.store);
        let takeover = tokio::spawn(async move {
            loop {
                let claimed = store.begin(&key(), Fingerprint::NONE, terms(LONG)).await.unwrap();
                if !matches!(claimed, Claimed::InFlight { .. }) {
                    return claimed;
                }
            }
        });
        bank.wait_for_waiters(1).await;
        // The lease of who takes over begins after this.
        let before = transaction.query_one("SELECT clock_timestamp()::text", &[]).await.unwrap();
        let before: String = before.get(0);
        if commits { transaction.commit().await } else { transaction.rollback().await }.unwrap();
        match takeover.await.unwrap() {
            Claimed::Recover(recovery) if !commits => {
                assert!(recovery.token() > ticket.token());
                let began = "SELECT lease_ends - interval '3600 s' >= $1::text::timestamptz
                     FROM surmise.execution";
                let began = bank.watch.query_one(began, &[&before]).await.unwrap();
                assert!(began.get::<_, bool>(0), "it began before it was granted");
            }
            claimed if commits => must_replay(&claimed),
            other => panic!("{other:?}"),
        }
        assert_eq!(bank.number(BALANCE).await, i64::from(commits));
    }
}

/// A claim, the effect and the completion in one transaction: nothing has to be recovered from.
#[tokio::test]
async fn all_of_it_can_be_one_transaction() {
    let Some(bank) = bank("all").await else { return };
    let mut last = None;
    for commits in [false, true] {
        let mut client = bank.client().await;
        let transaction = client.transaction().await.unwrap();
        let key = key();
        let ticket = executed(postgres::claim(&transaction, claim(&key, 1)).await.unwrap());
        assert!(Some(ticket.token()) > last);
        last = Some(ticket.token());
        transaction.execute(SPEND, &[]).await.unwrap();
        postgres::settle(&transaction, &ticket, receipt()).await.unwrap().unwrap();
        let store = Arc::clone(&bank.store);
        let other = tokio::spawn(async move {
            store.begin(&self::key(), Fingerprint::NONE, terms(LONG)).await.unwrap()
        });
        bank.wait_for_waiters(1).await;
        if commits { transaction.commit().await } else { transaction.rollback().await }.unwrap();
        match other.await.unwrap() {
            Claimed::Execute(other) if !commits => {
                assert!(Some(other.token()) > last, "it was drawn before");
                assert!(matches!(bank.store.release(&other).await, Ok(Settled::Done)));
                last = Some(other.token());
            }
            claimed if commits => must_replay(&claimed),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bank.number(BALANCE).await, 1);
}

/// A snapshot from before is a serialisation failure, or lacks the claim.
#[tokio::test]
async fn snapshots_settle_nothing_that_they_do_not_see() {
    let Some(bank) = bank("snapshots").await else { return };
    for level in [IsolationLevel::RepeatableRead, IsolationLevel::Serializable] {
        let mut client = bank.client().await;
        let ticket = bank.execute(SHORT).await;
        let transaction = client.build_transaction().isolation_level(level).start().await.unwrap();
        assert_eq!(transaction.query(BALANCE, &[]).await.unwrap().len(), 1);
        let successor = bank.recover(LONG).await;
        for void in [&ticket, &successor] {
            // The row of the first was changed since, and the second is not in it.
            let settled = postgres::settle(&transaction, void, receipt()).await;
            match settled {
                Err(error) => {
                    assert_eq!(void, &ticket);
                    assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
                    break;
                }
                Ok(settled) => assert!(settled.is_err()),
            }
        }
        transaction.rollback().await.unwrap();
        let transaction = client.build_transaction().isolation_level(level).start().await.unwrap();
        assert!(postgres::settle(&transaction, &ticket, receipt()).await.unwrap().is_err());
        postgres::settle(&transaction, &successor, receipt()).await.unwrap().unwrap();
        transaction.commit().await.unwrap();
        must_replay(&bank.claim().await);

        // A key that was claimed since the snapshot.
        let other = Key::new("tenant", "spend", format!("{level:?}")).unwrap();
        let transaction = client.build_transaction().isolation_level(level).start().await.unwrap();
        assert_eq!(transaction.query(BALANCE, &[]).await.unwrap().len(), 1);
        let unseen = executed(bank.store.claim(claim(&other, 1)).await.unwrap());
        assert!(postgres::settle(&transaction, &unseen, receipt()).await.unwrap().is_err());
        let error = postgres::claim(&transaction, claim(&other, 2)).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
        transaction.rollback().await.unwrap();
        bank.watch.batch_execute("TRUNCATE surmise.execution").await.unwrap();
    }
}

#[tokio::test]
async fn what_is_over_is_deleted_with_new_keys_and_on_request() {
    let Some(bank) = bank("over").await else { return };
    let numbered = |number: i32| Key::new("tenant", "brief", number.to_string()).unwrap();
    for number in 0..40 {
        let key = numbered(number);
        let ticket = executed(bank.store.claim(claim(&key, 1)).await.unwrap());
        assert!(matches!(bank.store.complete_briefly(&ticket, b"").await, Ok(Settled::Done)));
        let old = "SELECT count(*) FROM surmise.execution WHERE forgotten_at > clock_timestamp()";
        while bank.number(old).await > 0 {}
        assert!(bank.number(ROWS).await <= 2, "at {number}");
    }
    // In a transaction nothing else is touched, and nothing is kept up by who has a row locked.
    let mut client = bank.client().await;
    let transaction = client.transaction().await.unwrap();
    let held = numbered(39);
    let again = executed(postgres::claim(&transaction, claim(&held, 1)).await.unwrap());
    let more = (40..46).map(numbered).collect::<Vec<_>>();
    for key in &more {
        let ticket = executed(postgres::claim(&bank.watch, claim(key, 1)).await.unwrap());
        let brief = Settlement::complete(b"", SHORT).unwrap();
        postgres::settle(&bank.watch, &ticket, brief).await.unwrap().unwrap();
    }
    let over = "SELECT count(*) FROM surmise.execution WHERE forgotten_at <= clock_timestamp()";
    while bank.number(over).await < 7 {}
    assert_eq!(bank.number(ROWS).await, 7);
    for (limit, deleted) in [(5, 5), (5, 1), (5, 0)] {
        assert_eq!(postgres::forget(&bank.watch, limit).await.unwrap(), deleted);
    }
    transaction.commit().await.unwrap();
    assert_eq!(postgres::forget(&bank.watch, 5).await.unwrap(), 0);
    assert!(matches!(bank.store.complete(&again, b"").await, Ok(Settled::Done)));
}

/// The row is over, and there: whoever claims it executes, and the token rises.
#[tokio::test]
async fn what_is_over_is_as_if_it_were_not_there() {
    let Some(bank) = bank("still there").await else { return };
    let first = bank.execute(LONG).await;
    assert!(matches!(bank.store.save(&first, b"half").await, Ok(Settled::Done)));
    let over = "UPDATE surmise.execution SET forgotten_at = clock_timestamp()";
    bank.watch.batch_execute(over).await.unwrap();
    assert!(matches!(bank.store.complete(&first, b"late").await, Ok(Settled::Fenced)));
    let second = executed(
        bank.store.begin(&key(), Fingerprint::from_bytes([7; 16]), terms(LONG)).await.unwrap(),
    );
    assert!(second.token() > first.token());
    assert_eq!(second.checkpoint(), None);
    assert_eq!(bank.number(ROWS).await, 1);
}

#[tokio::test]
async fn the_next_epoch_is_that_of_the_next_execution() {
    let Some(bank) = bank("epoch").await else { return };
    let first = bank.execute(LONG).await;
    assert!(matches!(bank.store.release(&first).await, Ok(Settled::Done)));
    let epoch = bank.store.advance_epoch().await.unwrap();
    assert!(epoch > first.token().epoch());
    let second = bank.execute(LONG).await;
    assert_eq!(second.token().epoch(), epoch);
    assert!(matches!(bank.store.complete(&first, b"").await, Ok(Settled::Fenced)));
    let other = Key::new("", "", "other").unwrap();
    let third = executed(bank.store.claim(claim(&other, 1)).await.unwrap());
    assert_eq!(third.token().epoch(), epoch);
}

/// A schema from before there were executions, in an epoch of its own.
#[tokio::test]
async fn an_older_schema_is_brought_up_to_date() {
    let Some(bank) = bank("older").await else { return };
    let older = "DROP TABLE surmise.execution; DROP SEQUENCE surmise.execution_epoch;
         DROP SEQUENCE surmise.execution_counter; UPDATE surmise.store SET version = 1, epoch = 77";
    bank.watch.batch_execute(older).await.unwrap();
    let store = connect(bank.server, bank.name).await;
    let ticket = executed(store.claim(claim(&key(), 1)).await.unwrap());
    assert_eq!(ticket.token().epoch(), 77);
}

/// A connection that ends in mid-statement: the answer is lost, and it does no harm to ask again.
#[tokio::test]
async fn a_settlement_whose_connection_ends_is_in_doubt() {
    let Some(bank) = bank("ends").await else { return };
    let ticket = bank.execute(LONG).await;
    let mut holder = bank.client().await;
    let row = holder.transaction().await.unwrap();
    row.query("SELECT FROM surmise.execution FOR UPDATE", &[]).await.unwrap();
    let (store, settled) = (Arc::clone(&bank.store), ticket.clone());
    let complete = tokio::spawn(async move { store.complete(&settled, b"spent").await });
    bank.wait_for_waiters(1).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND datname = current_database()";
    assert_eq!(bank.watch.query(end, &[]).await.unwrap().len(), 1);
    let settled = complete.await.unwrap();
    assert!(matches!(settled, Ok(Settled::Indeterminate(_))), "{settled:?}");
    row.rollback().await.unwrap();
    for _ in 0..2 {
        assert!(matches!(bank.store.complete(&ticket, b"spent").await, Ok(Settled::Done)));
    }
    must_replay(&bank.claim().await);
}
