//! What the statements must not be: each mutant fails the test that the real ones pass.

#![expect(clippy::std_instead_of_alloc, reason = "a test has the standard library")]

mod clock;
mod executions;

use core::{future::Future, time::Duration};
use std::sync::Arc;

use surmise_fence::{FencingToken, Pass};
use tokio_postgres::Client;

use super::{
    PostgresConfig, PostgresStore,
    connector::Connector,
    grant, raise,
    servers::{Postgres, Server},
    sql::{SQL, Statements, Which},
    support::waiters,
    write,
};
use crate::{
    Change, FencedStore as _, Granted, LeaseRequest, LeaseStore as _, Outcome, Resource, Revoked,
};

/// A store with statements of the test's, in a database of its own.
struct Trial {
    server: &'static Server,
    database: String,
    store: Arc<PostgresStore>,
}

impl Trial {
    async fn new(database: &str, sql: Statements) -> Option<Self> {
        let server = Postgres::shared()?;
        let connector = Connector::Plain(Box::new(server.database(database).await));
        let sql = Box::leak(Box::new(sql));
        let config = PostgresConfig { request_timeout: PATIENCE, ..PostgresConfig::default() };
        let store = PostgresStore::open(database.to_owned(), connector, config, sql).await;
        Some(Self { server, database: database.to_owned(), store: Arc::new(store.unwrap().0) })
    }

    /// Opens another store in the same database.
    async fn again(&self) -> Self {
        self.again_with(&SQL).await
    }

    async fn again_with(&self, sql: &'static Statements) -> Self {
        let Self { server, ref database, .. } = *self;
        let connector = Connector::Plain(Box::new(server.config(database)));
        let config = PostgresConfig::default();
        let store = PostgresStore::open(database.clone(), connector, config, sql).await;
        Self { server, database: database.clone(), store: Arc::new(store.unwrap().0) }
    }

    async fn client(&self) -> Client {
        self.server.client(&self.database).await
    }

    async fn grant(&self, nonce: u64) -> FencingToken {
        granted(self.store.grant(request(nonce)).await.unwrap())
    }

    async fn revoke(&self, token: FencingToken) {
        assert!(matches!(self.store.revoke(ledger(), token).await.unwrap(), Revoked::Revoked));
    }

    async fn write(&self, pass: Pass) -> Outcome {
        self.store.write("ledger", b"key", b"value", pass).await.unwrap()
    }

    /// Begins one operation, which has to wait for a row that is locked by a statement, and another. Lets the first go on
    /// when the other is over or waits too.
    ///
    /// Returns the results, that of the other as `Ok` if it overtook the first.
    async fn race<A: Send + 'static, B: Send + 'static>(
        &self,
        lock: &str,
        first: impl Future<Output = A> + Send + 'static,
        other: impl Future<Output = B> + Send + 'static,
    ) -> (A, Result<B, B>) {
        let (watch, mut holder) = (self.client().await, self.client().await);
        let row = holder.transaction().await.unwrap();
        assert_eq!(row.query(lock, &[]).await.unwrap().len(), 1);
        let first = tokio::spawn(first);
        while waiters(&watch).await == 0 {
            assert!(!first.is_finished(), "it does not wait for the row");
        }
        let other = tokio::spawn(other);
        while waiters(&watch).await < 2 && !other.is_finished() {}
        let overtook = other.is_finished();
        row.commit().await.unwrap();
        let (first, other) = (first.await.unwrap(), other.await.unwrap());
        (first, if overtook { Ok(other) } else { Err(other) })
    }
}

/// Longer than any of these waits.
const PATIENCE: Duration = Duration::from_secs(60);

fn ledger() -> Resource<'static> {
    Resource::new("ledger").unwrap()
}

fn request(nonce: u64) -> LeaseRequest<'static> {
    LeaseRequest::new("ledger", "tester", nonce, Duration::from_secs(3600)).unwrap()
}

fn granted(granted: Granted) -> FencingToken {
    let Granted::Granted(grant) = granted else { panic!("{granted:?}") };
    grant.token
}

fn pass(counter: u64) -> Pass {
    FencingToken::new(1, counter.try_into().unwrap()).into()
}

/// A write that was let pass by the floor, and has to wait for its key, while the floor is raised.
async fn no_write_lands_after_a_raise(trial: &Trial) -> bool {
    assert!(trial.store.raise("ledger", pass(1)).await.unwrap().is_done());
    assert!(trial.write(pass(1)).await.is_done());
    let [writer, raiser] = [Arc::clone(&trial.store), Arc::clone(&trial.store)];
    let write = async move { writer.write("ledger", b"key", b"late", pass(1)).await.unwrap() };
    let raise = async move { raiser.raise("ledger", pass(2)).await.unwrap() };
    let lock = "SELECT FROM surmise.entry FOR UPDATE";
    match trial.race(lock, write, raise).await {
        (written, Ok(raised)) => {
            assert!(raised.is_done());
            !written.is_done()
        }
        (written, Err(raised)) => {
            assert!(written.is_done() && raised.is_done());
            true
        }
    }
}

/// A write that waits for the commit of a later holder's raise.
async fn no_write_lands_on_an_old_floor(trial: &Trial) -> bool {
    assert!(trial.store.raise("ledger", pass(1)).await.unwrap().is_done());
    let (watch, mut later) = (trial.client().await, trial.client().await);
    let transaction = later.transaction().await.unwrap();
    raise(&transaction, ledger(), pass(2)).await.unwrap().unwrap();
    let writer = Arc::clone(&trial.store);
    let late =
        tokio::spawn(
            async move { writer.write("ledger", b"key", b"late", pass(1)).await.unwrap() },
        );
    while waiters(&watch).await == 0 {
        assert!(!late.is_finished(), "it does not wait for the raise");
    }
    transaction.commit().await.unwrap();
    matches!(late.await.unwrap(), Outcome::Stale { highest, .. } if highest == pass(2).token)
}

/// A write that waits for the commit of a later holder's.
async fn no_write_lands_on_a_later_one(trial: &Trial) -> bool {
    assert!(trial.write(pass(1)).await.is_done());
    let (watch, mut later) = (trial.client().await, trial.client().await);
    let transaction = later.transaction().await.unwrap();
    let change = Change::new("ledger", b"key", Some(b"later"), pass(2)).unwrap();
    write(&transaction, change).await.unwrap().unwrap();
    let writer = Arc::clone(&trial.store);
    let late =
        tokio::spawn(
            async move { writer.write("ledger", b"key", b"late", pass(1)).await.unwrap() },
        );
    while waiters(&watch).await == 0 {
        assert!(!late.is_finished(), "it does not wait for the row");
    }
    transaction.commit().await.unwrap();
    let late = late.await.unwrap();
    let entry = trial.store.read("ledger", b"key").await.unwrap().unwrap();
    assert_eq!(entry.pass == pass(2), !late.is_done());
    matches!(late, Outcome::Stale { highest, .. } if highest == pass(2).token)
}

/// A request for a lease that waits for the commit of another's.
async fn no_lease_is_granted_twice(trial: &Trial) -> bool {
    let first = trial.grant(1).await;
    trial.revoke(first).await;
    let (watch, mut other) = (trial.client().await, trial.client().await);
    let transaction = other.transaction().await.unwrap();
    let token = granted(grant(&transaction, request(2)).await.unwrap().unwrap());
    let asker = Arc::clone(&trial.store);
    let late = tokio::spawn(async move { asker.grant(request(3)).await.unwrap() });
    while waiters(&watch).await == 0 {
        assert!(!late.is_finished(), "it does not wait for the row");
    }
    transaction.commit().await.unwrap();
    matches!(late.await.unwrap(), Granted::Held(holding) if holding.token == token)
}

/// A request for a lease that has seen the epoch, and has to wait for its row, while the next epoch begins.
async fn no_token_is_of_an_epoch_that_ended(trial: &Trial) -> bool {
    let first = trial.grant(1).await;
    trial.revoke(first).await;
    let [asker, operator] = [Arc::clone(&trial.store), Arc::clone(&trial.store)];
    let ask = async move { granted(asker.grant(request(2)).await.unwrap()) };
    let advance = async move { operator.advance_epoch().await.unwrap() };
    match trial.race("SELECT FROM surmise.lease FOR UPDATE", ask, advance).await {
        (token, Ok(epoch)) => token.epoch() >= epoch,
        (token, Err(_)) => token > first,
    }
}

/// A holder that writes and raises again, and one that lost its reply.
async fn equal_passes_are_let_pass(trial: &Trial) -> bool {
    // Where a mutant refuses what the rule allows, it is asked again and again, until it writes after all.
    let all = async {
        for _ in 0..2 {
            assert!(trial.store.raise("ledger", pass(1)).await.unwrap().is_done());
            assert!(trial.write(pass(1)).await.is_done());
        }
    };
    tokio::time::timeout(Duration::from_millis(500), all).await.is_ok()
}

/// A pass that was shown before, with another nonce or the same sequence.
async fn equal_numbers_are_refused(trial: &Trial) -> bool {
    let (first, other) = (pass(1).with_nonce(1), pass(1).with_nonce(2));
    assert!(trial.store.raise("ledger", first).await.unwrap().is_done());
    assert!(trial.write(first.with_sequence(2)).await.is_done());
    let raised = trial.store.raise("ledger", other).await.unwrap();
    let collision = trial.store.write("ledger", b"other", b"", other).await.unwrap();
    let again = trial.write(first.with_sequence(2)).await;
    matches!(raised, Outcome::Collision { .. })
        && matches!(collision, Outcome::Collision { .. })
        && matches!(again, Outcome::Duplicate { sequence: 2 })
}

/// A lease that is given back.
async fn a_token_is_granted_once(trial: &Trial) -> bool {
    let first = trial.grant(1).await;
    trial.revoke(first).await;
    trial.grant(2).await > first
}

/// Which statement is mutated, what of it, and what is there instead.
type Mutant = (Which, &'static str, &'static str);

/// Checks that something holds with the statements as they are, and with none of the mutants.
async fn holds_but_for(name: &str, holds: impl AsyncFn(&Trial) -> bool, mutants: &[Mutant]) {
    let Some(trial) = Trial::new(name, SQL).await else { return };
    assert!(holds(&trial).await);
    for (at, (which, from, to)) in mutants.iter().enumerate() {
        let mut sql = SQL;
        let statement = &mut sql[*which as usize];
        assert!(statement.text.contains(from), "there is no {from:?}");
        statement.text = Box::leak(statement.text.replace(from, to).into_boxed_str());
        let trial = Trial::new(&format!("{name}, mutant {at}"), sql).await.unwrap();
        assert!(!holds(&trial).await, "{to:?} instead of {from:?} is not caught");
    }
}

/// Check, then write: the floor is read, and not locked.
#[tokio::test]
async fn the_floor_is_locked() {
    let mutants: [Mutant; 1] = [(Which::Write, FLOOR, "FROM surmise.fence WHERE resource = $1")];
    holds_but_for("floor", no_write_lands_after_a_raise, &mutants).await;
}

const FLOOR: &str = "FROM turn, surmise.fence WHERE resource = $1 FOR SHARE OF fence";

/// Check, then write: the floor is that of the snapshot.
#[tokio::test]
async fn the_floor_is_the_newest() {
    let mutants: [Mutant; 2] = [
        (Which::Write, "FOR SHARE OF fence", ""),
        // It does not mind that the row was changed.
        (Which::Write, "FOR SHARE", "FOR KEY SHARE"),
    ];
    holds_but_for("newest floor", no_write_lands_on_an_old_floor, &mutants).await;
}

/// Check, then write: the last pass is that of the snapshot.
#[tokio::test]
async fn the_last_write_is_the_newest() {
    let snapshot = "(SELECT pass FROM surmise.entry WHERE resource = $1 AND key = $2)";
    let mutants: [Mutant; 1] = [(Which::Write, "last.pass", snapshot)];
    holds_but_for("last write", no_write_lands_on_a_later_one, &mutants).await;
}

/// Check, then write: whether the lease is free is asked of the snapshot only.
#[tokio::test]
async fn the_lease_is_the_newest() {
    let mutants: [Mutant; 1] =
        [(Which::Grant, "OR (held.expires > clock_timestamp()) IS NOT TRUE", "OR true")];
    holds_but_for("lease", no_lease_is_granted_twice, &mutants).await;
}

#[tokio::test]
async fn the_epoch_is_locked() {
    let mutants: [Mutant; 1] = [(Which::Grant, "FOR SHARE", "")];
    holds_but_for("epoch", no_token_is_of_an_epoch_that_ended, &mutants).await;
}

/// `>` for `>=`.
#[tokio::test]
async fn equality_is_let_pass() {
    let mutants: [Mutant; 4] = [
        (Which::Write, "OR substring(floor, 1, 24) = substring($4, 1, 24)", ""),
        (Which::Write, "last.pass = excluded.pass AND", "false AND"),
        (
            Which::Write,
            "OR substring(last.pass, 1, 24) = substring(excluded.pass, 1, 24)",
            "OR false",
        ),
        (Which::Raise, "OR substring(under.floor, 1, 24) = substring(excluded.floor, 1, 24)", ""),
    ];
    holds_but_for("equality", equal_passes_are_let_pass, &mutants).await;
}

/// `>=` for `>`.
#[tokio::test]
async fn equality_is_not_enough() {
    let mutants: [Mutant; 3] = [
        (Which::Raise, "substring(under.floor, 1, 16) <", "substring(under.floor, 1, 16) <="),
        (Which::Write, "substring(floor, 1, 16) <", "substring(floor, 1, 16) <="),
        (Which::Write, "last.pass < excluded.pass", "last.pass <= excluded.pass"),
    ];
    holds_but_for("inequality", equal_numbers_are_refused, &mutants).await;
}

/// Delete on release.
#[tokio::test]
async fn a_released_lease_keeps_its_counter() {
    let mutants: [Mutant; 2] = [
        (Which::Revoke, "UPDATE surmise.lease SET expires = NULL", "DELETE FROM surmise.lease"),
        (Which::Grant, "held.counter + 1", "held.counter"),
    ];
    holds_but_for("release", a_token_is_granted_once, &mutants).await;
}
