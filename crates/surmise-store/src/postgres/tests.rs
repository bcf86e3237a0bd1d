//! What the statements must not be: each mutant is caught by the test that the real ones pass.

use core::time::Duration;
use std::format;

use surmise_fence::{FencingToken, Pass};
use tokio_postgres::Config;

use super::{
    PostgresConfig, PostgresStore, check, connector::Connector, raise,
    sql::{SQL, Sql, Statements},
    support::{Postgres, wait_for_waiter},
};
use crate::{
    Change, FencedStore as _, Granted, LeaseRequest, LeaseStore as _, Outcome, Resource, Revoked,
    Ttl,
};

/// A store with other statements, in a database of its own.
async fn store_with(name: &str, sql: Statements<Sql>) -> Option<(PostgresStore, Config)> {
    let config = Postgres::shared()?.database(name).await;
    let connector = Connector::Plain(Box::new(config.clone()));
    let sql: &'static Statements<Sql> = Box::leak(Box::new(sql));
    let open = PostgresStore::open(name.into(), connector, PostgresConfig::default(), sql);
    Some((open.await.unwrap().0, config))
}

/// A statement with something else in place of something that it has.
fn mutate(sql: Sql, from: &str, to: &str) -> Sql {
    assert!(sql.text.contains(from), "{from:?}");
    Sql { text: Box::leak(sql.text.replace(from, to).into_boxed_str()), ..sql }
}

fn pass(counter: u64) -> Pass {
    FencingToken::new(1, counter.try_into().unwrap()).into()
}

const LEDGER: &str = "ledger";

fn ledger() -> Resource<'static> {
    Resource::new(LEDGER).unwrap()
}

/// A write that waits while the floor is raised above it.
async fn a_raise_overtakes(store: &PostgresStore, config: &Config) -> Outcome {
    store.raise(LEDGER, pass(1)).await.unwrap();
    let mut next = Postgres::shared().unwrap().client(config.get_dbname().unwrap()).await;
    let watch = Postgres::shared().unwrap().client(config.get_dbname().unwrap()).await;
    let transaction = next.transaction().await.unwrap();
    raise(&transaction, ledger(), pass(2)).await.unwrap().unwrap();
    let commit = async {
        wait_for_waiter(&watch).await;
        transaction.commit().await.unwrap();
    };
    let write = store.write(LEDGER, b"key", b"late", pass(1));
    tokio::select! {
        // A write that does not wait is over before the commit.
        biased;
        (outcome, ()) = async { tokio::join!(write, commit) } => outcome.unwrap(),
    }
}
