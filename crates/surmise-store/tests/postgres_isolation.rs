//! Raising the floor in transactions of other isolation levels than READ COMMITTED.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![expect(
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a test has it"
)]

mod support {
    pub(crate) mod postgres;
    pub(crate) mod servers;
}

use std::num::NonZeroU64;

use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    Resource,
    postgres::{self, RaiseError},
};
use tokio_postgres::{Client, IsolationLevel};

use self::support::{
    postgres::waiters,
    servers::{Postgres, Server},
};

async fn database(name: &str) -> Option<&'static Server> {
    let server = Postgres::shared()?;
    server.database(name).await;
    let mut client = server.client(name).await;
    postgres::migrate(&mut client).await.unwrap();
    let table = "CREATE TABLE account (owner int PRIMARY KEY, balance int NOT NULL);
         INSERT INTO account VALUES (7, 0)";
    client.batch_execute(table).await.unwrap();
    Some(server)
}

fn ledger() -> Resource<'static> {
    Resource::new("ledger").unwrap()
}

fn pass(counter: u64) -> Pass {
    FencingToken::new(1, NonZeroU64::new(counter).unwrap()).into()
}

/// Raises the floor in a transaction, and returns what it then sees of what the holder before did.
async fn raise(client: &mut Client, level: IsolationLevel) -> Result<i32, RaiseError> {
    let begin = client.build_transaction().isolation_level(level);
    let transaction = begin.start().await.unwrap();
    postgres::raise(&transaction, ledger(), pass(2)).await?.unwrap();
    let row = transaction.query_one("SELECT balance FROM account", &[]).await.unwrap();
    transaction.commit().await.unwrap();
    Ok(row.get(0))
}

/// Its snapshot is from before the wait.
#[tokio::test]
async fn no_snapshot_hides_what_the_holder_before_did() {
    let levels = [
        (IsolationLevel::ReadUncommitted, None),
        (IsolationLevel::ReadCommitted, None),
        (IsolationLevel::RepeatableRead, Some("repeatable read")),
        (IsolationLevel::Serializable, Some("serializable")),
    ];
    for (level, refused) in levels {
        let Some(server) = database(&format!("{level:?}")).await else { return };
        let [old, new, watch] =
            [(); 3].map(|()| async { server.client(&format!("{level:?}")).await });
        let (mut old, mut new, watch) = tokio::join!(old, new, watch);
        postgres::raise(&watch, ledger(), pass(1)).await.unwrap().unwrap();
        let transaction = old.transaction().await.unwrap();
        postgres::check(&transaction, ledger(), pass(1)).await.unwrap().unwrap();
        let raise = tokio::spawn(async move { raise(&mut new, level).await });
        while waiters(&watch).await == 0 && !raise.is_finished() {}
        transaction.execute("UPDATE account SET balance = 1", &[]).await.unwrap();
        transaction.commit().await.unwrap();
        match (raise.await.unwrap(), refused) {
            (Ok(seen), None) => assert_eq!(seen, 1, "{level:?}"),
            (Err(RaiseError::Isolation { level: found }), Some(refused)) => {
                assert_eq!(found, refused);
                assert_eq!(postgres::floor(&watch, ledger()).await.unwrap(), Some(pass(1)));
            }
            (other, _) => panic!("{level:?}: {other:?}"),
        }
    }
}

/// Also where nobody is waited for, and where nothing was begun.
#[tokio::test]
async fn what_is_refused_is_not_done_and_can_be_done_otherwise() {
    let Some(server) = database("otherwise").await else { return };
    let mut client = server.client("otherwise").await;
    let default = |level: &str| format!("SET default_transaction_isolation = '{level}'");
    client.batch_execute(&default("serializable")).await.unwrap();
    let refused = postgres::raise(&client, ledger(), pass(1)).await.unwrap_err();
    let told = "the floor is raised at READ COMMITTED, not in a transaction that is serializable";
    assert_eq!(refused.to_string(), told);
    let transaction = client.transaction().await.unwrap();
    assert!(postgres::raise(&transaction, ledger(), pass(1)).await.is_err());
    // The transaction goes on.
    transaction.execute("UPDATE account SET balance = 1", &[]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(postgres::floor(&client, ledger()).await.unwrap(), None);
    let level = IsolationLevel::ReadCommitted;
    let transaction = client.build_transaction().isolation_level(level).start().await.unwrap();
    postgres::raise(&transaction, ledger(), pass(1)).await.unwrap().unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(postgres::floor(&client, ledger()).await.unwrap(), Some(pass(1)));
}
