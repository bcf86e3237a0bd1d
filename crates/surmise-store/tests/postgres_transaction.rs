//! Fences and leases inside transactions of the caller's.

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

use std::{num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Pass, Refusal};
use surmise_store::{
    Change, Entry, Extended, Granted, LeaseRequest, Resource, Revoked, Ttl, postgres,
};
use tokio_postgres::{Client, IsolationLevel, error::SqlState};

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

fn change(pass: Pass) -> Change<'static> {
    Change::new("ledger", b"key", Some(b"value"), pass).unwrap()
}

fn request(nonce: u64) -> LeaseRequest<'static> {
    LeaseRequest::new("ledger", "tester", nonce, Duration::from_secs(3600)).unwrap()
}

async fn balance(client: &Client) -> i32 {
    client.query_one("SELECT balance FROM account", &[]).await.unwrap().get(0)
}

const SPEND: &str = "UPDATE account SET balance = balance + 1";

#[tokio::test]
async fn the_callers_own_tables_are_fenced() {
    let Some(server) = database("own tables").await else { return };
    let [old, new, watch] = [(); 3].map(|()| server.client("own tables"));
    let (mut old, mut new, watch) = tokio::join!(old, new, watch);

    // A raise waits for what was checked before.
    let transaction = old.transaction().await.unwrap();
    postgres::check(&transaction, ledger(), pass(1)).await.unwrap().unwrap();
    let raise = tokio::spawn(async move {
        let transaction = new.transaction().await.unwrap();
        postgres::raise(&transaction, ledger(), pass(2)).await.unwrap().unwrap();
        let seen: i32 =
            transaction.query_one("SELECT balance FROM account", &[]).await.unwrap().get(0);
        transaction.commit().await.unwrap();
        seen
    });
    while waiters(&watch).await == 0 {}
    transaction.execute(SPEND, &[]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(raise.await.unwrap(), 1, "who raised sees what was done before");

    // And what comes after it is refused; the transaction is the caller's to end.
    let transaction = old.transaction().await.unwrap();
    let refusal = postgres::check(&transaction, ledger(), pass(1)).await.unwrap().unwrap_err();
    assert_eq!(refusal, Refusal::Stale { offered: pass(1).token, highest: pass(2).token });
    assert!(transaction.execute(SPEND, &[]).await.is_ok());
    transaction.rollback().await.unwrap();
    assert_eq!(balance(&watch).await, 1);
    assert_eq!(postgres::floor(&watch, ledger()).await.unwrap(), Some(pass(2)));
}

#[tokio::test]
async fn those_who_check_do_not_wait_for_each_other() {
    let Some(server) = database("share").await else { return };
    let [one, other] = [(); 2].map(|()| server.client("share"));
    let (mut one, mut other) = tokio::join!(one, other);
    postgres::raise(&one, ledger(), pass(1)).await.unwrap().unwrap();
    let (one, other) = (one.transaction().await.unwrap(), other.transaction().await.unwrap());
    for transaction in [&one, &other] {
        postgres::check(transaction, ledger(), pass(1)).await.unwrap().unwrap();
    }
    for (transaction, key) in [(&one, b"a"), (&other, b"b")] {
        let change = Change::new("ledger", key, Some(b"value"), pass(1)).unwrap();
        postgres::write(transaction, change).await.unwrap().unwrap();
    }
    one.commit().await.unwrap();
    other.commit().await.unwrap();
}

/// However busily the holder before writes.
#[tokio::test]
async fn who_comes_after_a_raise_waits_for_it() {
    let Some(server) = database("in turn").await else { return };
    let [one, other] = [(); 2].map(|()| server.client("in turn"));
    let [raiser, watch] = [(); 2].map(|()| server.client("in turn"));
    let (mut one, other, raiser, watch) = tokio::join!(one, other, raiser, watch);
    postgres::raise(&one, ledger(), pass(1)).await.unwrap().unwrap();
    let transaction = one.transaction().await.unwrap();
    postgres::check(&transaction, ledger(), pass(1)).await.unwrap().unwrap();
    let raise =
        tokio::spawn(async move { postgres::raise(&raiser, ledger(), pass(2)).await.unwrap() });
    while waiters(&watch).await < 1 {}
    let write =
        tokio::spawn(async move { postgres::write(&other, change(pass(1))).await.unwrap() });
    while waiters(&watch).await < 2 {
        assert!(!write.is_finished(), "it overtook the raise");
    }
    // Who was there before goes on.
    postgres::write(&transaction, change(pass(1))).await.unwrap().unwrap();
    transaction.commit().await.unwrap();
    raise.await.unwrap().unwrap();
    assert!(matches!(write.await.unwrap(), Err(Refusal::Stale { .. })));
}

#[tokio::test]
async fn a_rollback_undoes_all_of_it() {
    let Some(server) = database("rollback").await else { return };
    let mut client = server.client("rollback").await;
    let transaction = client.transaction().await.unwrap();
    let Granted::Granted(grant) = postgres::grant(&transaction, request(1)).await.unwrap().unwrap()
    else {
        panic!("nobody holds it")
    };
    let shown = Pass::from(grant.token).with_nonce(1);
    postgres::raise(&transaction, ledger(), shown).await.unwrap().unwrap();
    postgres::write(&transaction, change(shown)).await.unwrap().unwrap();
    let entry = postgres::read(&transaction, ledger(), b"key").await.unwrap();
    assert_eq!(entry, Some(Entry::new(Some(b"value".to_vec()), shown)));
    let ttl = Ttl::new(Duration::from_secs(3600)).unwrap();
    let extended = postgres::extend(&transaction, ledger(), grant.token, ttl).await.unwrap();
    assert!(matches!(extended, Extended::Extended(again) if again.token == grant.token));
    let holding = postgres::holding(&transaction, ledger()).await.unwrap().unwrap();
    assert_eq!(holding.nonce, 1);
    let revoked = postgres::revoke(&transaction, ledger(), grant.token).await.unwrap();
    assert!(matches!(revoked, Revoked::Revoked));
    transaction.rollback().await.unwrap();

    assert_eq!(postgres::holding(&client, ledger()).await.unwrap(), None);
    assert_eq!(postgres::floor(&client, ledger()).await.unwrap(), None);
    assert_eq!(postgres::read(&client, ledger(), b"key").await.unwrap(), None);
}

/// The promise counts from the call, however long ago the transaction began.
#[tokio::test]
async fn a_lease_lasts_from_the_call_and_not_from_the_transaction() {
    let Some(server) = database("old transaction").await else { return };
    let mut client = server.client("old transaction").await;
    let transaction = client.transaction().await.unwrap();
    let old = "SELECT clock_timestamp() >= now() + interval '0.2 s'";
    while !transaction.query_one(old, &[]).await.unwrap().get::<_, bool>(0) {}
    // A new lease, the same one again, and one after it was given back.
    for seconds in [3600, 7200, 1800] {
        let ttl = Duration::from_secs(seconds);
        let request = LeaseRequest::new("ledger", "tester", 1, ttl).unwrap();
        let granted = postgres::grant(&transaction, request).await.unwrap().unwrap();
        assert!(matches!(granted, Granted::Granted(_)), "{granted:?}");
        let lasts =
            format!("SELECT expires >= now() + interval '{seconds}.2 s' FROM surmise.lease");
        assert!(transaction.query_one(&lasts, &[]).await.unwrap().get::<_, bool>(0), "{seconds}");
        if seconds == 7200 {
            let revoked = postgres::revoke(&transaction, ledger(), FencingToken::first(1)).await;
            assert!(matches!(revoked, Ok(Revoked::Revoked)), "{revoked:?}");
        }
    }
    let ttl = Ttl::new(Duration::from_secs(7200)).unwrap();
    let token = FencingToken::first(1).next().unwrap();
    let extended = postgres::extend(&transaction, ledger(), token, ttl).await;
    assert!(matches!(extended, Ok(Extended::Extended(_))), "{extended:?}");
    let lasts = "SELECT expires >= now() + interval '7200.2 s' FROM surmise.lease";
    assert!(transaction.query_one(lasts, &[]).await.unwrap().get::<_, bool>(0));
}

#[tokio::test]
async fn what_cannot_be_serialised_is_passed_through() {
    let Some(server) = database("serialised").await else { return };
    let [one, other] = [(); 2].map(|()| server.client("serialised"));
    let (mut one, other) = tokio::join!(one, other);
    postgres::raise(&other, ledger(), pass(1)).await.unwrap().unwrap();
    postgres::write(&other, change(pass(1))).await.unwrap().unwrap();
    for (round, level) in (2..).zip([IsolationLevel::RepeatableRead, IsolationLevel::Serializable])
    {
        // Its snapshot is from before the raise and the write.
        let transaction = one.build_transaction().isolation_level(level).start().await.unwrap();
        transaction.query("SELECT 1", &[]).await.unwrap();
        postgres::raise(&other, ledger(), pass(round)).await.unwrap().unwrap();
        let error = postgres::check(&transaction, ledger(), pass(round)).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
        drop(transaction);
        let transaction = one.build_transaction().isolation_level(level).start().await.unwrap();
        transaction.query("SELECT 1", &[]).await.unwrap();
        postgres::write(&other, change(pass(round))).await.unwrap().unwrap();
        let late = change(pass(round).with_sequence(1));
        let error = postgres::write(&transaction, late).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
        drop(transaction);
        // Begun anew, it sees what is so.
        let transaction = one.build_transaction().isolation_level(level).start().await.unwrap();
        postgres::check(&transaction, ledger(), pass(round)).await.unwrap().unwrap();
        let stale = postgres::write(&transaction, change(pass(round - 1))).await.unwrap();
        assert!(matches!(stale, Err(Refusal::Stale { .. })));
        transaction.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_deadlock_is_passed_through() {
    let Some(server) = database("deadlock").await else { return };
    let [one, other] = [(); 2].map(|()| server.client("deadlock"));
    let (mut one, mut other) = tokio::join!(one, other);
    postgres::raise(&one, ledger(), pass(1)).await.unwrap().unwrap();
    let (one, other) = (one.transaction().await.unwrap(), other.transaction().await.unwrap());
    // Both check, and then both raise: what the docs advise against.
    for transaction in [&one, &other] {
        postgres::check(transaction, ledger(), pass(1)).await.unwrap().unwrap();
    }
    // The one that is refused has to roll back for the other to go on.
    let raise = async |transaction: tokio_postgres::Transaction<'_>| {
        let raised = postgres::raise(&transaction, ledger(), pass(1)).await;
        if raised.is_ok() { transaction.commit().await } else { transaction.rollback().await }
            .unwrap();
        raised
    };
    let (one, other) = tokio::join!(raise(one), raise(other));
    let errors: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert_eq!(errors.len(), 1);
    let Some(postgres::RaiseError::Client(error)) = errors.first() else { panic!("{errors:?}") };
    assert_eq!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED));
}
