//! The PostgreSQL store against a real server.

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

use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    Entry, Extended, FencedStore, Granted, LeaseRequest, LeaseStore, Outcome, Resource, Revoked,
    StoreError, Ttl,
    postgres::{PostgresConfig, PostgresStore, migrate},
};

use self::support::servers::Postgres;

const LONG: Duration = Duration::from_secs(3600);

async fn store(name: &str) -> Option<(PostgresStore, tokio_postgres::Config)> {
    let config = Postgres::shared()?.database(name).await;
    let (store, durability) =
        PostgresStore::connect(config.clone(), PostgresConfig::default()).await.unwrap();
    assert!(durability.is_full() && !durability.synchronous_standbys, "{durability:?}");
    Some((store, config))
}

fn token(counter: u64) -> FencingToken {
    FencingToken::new(1, NonZeroU64::new(counter).unwrap())
}

fn resource(name: &str) -> Resource<'_> {
    Resource::new(name).unwrap()
}

async fn grant(store: &PostgresStore, name: &str, nonce: u64, ttl: Duration) -> Granted {
    store.grant(LeaseRequest::new(name, "tester", nonce, ttl).unwrap()).await.unwrap()
}

async fn granted(store: &PostgresStore, name: &str, nonce: u64, ttl: Duration) -> FencingToken {
    let Granted::Granted(grant) = grant(store, name, nonce, ttl).await else { panic!("held") };
    assert!(grant.valid_for >= ttl);
    grant.token
}

#[tokio::test]
async fn a_lease_is_held_by_one() {
    let Some((store, _)) = store("one_holder").await else { return };
    let first = granted(&store, "ledger", 7, LONG).await;
    assert_eq!(first, token(1));
    let Granted::Held(holding) = grant(&store, "ledger", 8, LONG).await else { panic!() };
    assert_eq!((holding.token, holding.nonce, &*holding.holder), (first, 7, "tester"));
    assert!(holding.remaining <= LONG && holding.remaining > LONG / 2);
    let seen = store.holding(resource("ledger")).await.unwrap().unwrap();
    assert_eq!((seen.token, seen.nonce), (first, 7));

    // Another resource counts for itself.
    assert_eq!(granted(&store, "other", 8, LONG).await, token(1));
    assert_eq!(store.holding(resource("none")).await.unwrap(), None);
}

#[tokio::test]
async fn a_repeated_request_is_granted_the_same() {
    let Some((store, _)) = store("repeated").await else { return };
    let first = granted(&store, "ledger", u64::MAX, LONG).await;
    assert_eq!(granted(&store, "ledger", u64::MAX, LONG).await, first);
    // It is not cut short, as somebody may have heard of the longer time; but who asks hears no more than it asked for.
    let Granted::Granted(again) = grant(&store, "ledger", u64::MAX, Ttl::MIN).await else {
        panic!()
    };
    assert_eq!(again.token, first);
    assert_eq!(again.valid_for, Ttl::MIN);
    let held = store.holding(resource("ledger")).await.unwrap().unwrap();
    assert!(held.remaining > LONG / 2);

    // After it was given back it is another grant. Nonce 0 is none.
    assert!(matches!(store.revoke(resource("ledger"), first).await.unwrap(), Revoked::Revoked));
    assert_eq!(granted(&store, "ledger", u64::MAX, LONG).await, token(2));
    assert_eq!(granted(&store, "other", 0, LONG).await, token(1));
    assert!(matches!(grant(&store, "other", 0, LONG).await, Granted::Held(_)));
}

#[tokio::test]
async fn tokens_go_on_after_release_and_expiry() {
    let Some((store, _)) = store("go_on").await else { return };
    let ledger = resource("ledger");
    let mut last = granted(&store, "ledger", 1, LONG).await;
    for nonce in 2..5 {
        assert!(matches!(store.revoke(ledger, last).await.unwrap(), Revoked::Revoked));
        assert!(matches!(store.revoke(ledger, last).await.unwrap(), Revoked::Lost));
        assert_eq!(store.holding(ledger).await.unwrap(), None);
        let next = granted(&store, "ledger", nonce, Ttl::MIN).await;
        assert!(next > last);
        // What expires by itself.
        while store.holding(ledger).await.unwrap().is_some() {}
        let ttl = Ttl::new(LONG).unwrap();
        assert!(matches!(store.extend(ledger, next, ttl).await.unwrap(), Extended::Lost));
        last = granted(&store, "ledger", nonce + 10, LONG).await;
        assert!(last > next);
    }
}

#[tokio::test]
async fn a_lease_is_extended_by_its_holder_only() {
    let Some((store, _)) = store("extended").await else { return };
    let ledger = resource("ledger");
    let [second, ttl] = [1, 3600].map(|secs| Ttl::new(Duration::from_secs(secs)).unwrap());
    let first = granted(&store, "ledger", 1, LONG / 2).await;
    let Extended::Extended(grant) = store.extend(ledger, first, ttl).await.unwrap() else {
        panic!()
    };
    assert_eq!((grant.token, grant.valid_for >= LONG), (first, true));
    let Extended::Extended(grant) = store.extend(ledger, first, second).await.unwrap() else {
        panic!()
    };
    assert_eq!(grant.valid_for, second.get());
    let held = store.holding(ledger).await.unwrap().unwrap();
    assert!(held.remaining > LONG / 2, "a lease is not cut short");
    for foreign in [token(2), FencingToken::first(2), FencingToken::MAX] {
        assert!(matches!(store.extend(ledger, foreign, ttl).await.unwrap(), Extended::Lost));
        assert!(matches!(store.revoke(ledger, foreign).await.unwrap(), Revoked::Lost));
    }
    assert_eq!(store.holding(ledger).await.unwrap().unwrap().token, first);
}

#[tokio::test]
async fn an_epoch_is_above_all_before_it() {
    let Some((store, config)) = store("epochs").await else { return };
    let first = granted(&store, "ledger", 1, LONG).await;
    let epoch = store.advance_epoch().await.unwrap();
    // Whatever a backup did not remember: there was less than one epoch a second.
    assert!(epoch > 1_700_000_000);
    assert!(store.advance_epoch().await.unwrap() > epoch);
    assert_eq!(granted(&store, "ledger", 1, LONG).await, first, "what is held stays held");
    assert!(matches!(store.revoke(resource("ledger"), first).await.unwrap(), Revoked::Revoked));
    let next = granted(&store, "ledger", 2, LONG).await;
    assert!(next.epoch() > epoch && next.counter() == NonZeroU64::MIN);

    // An epoch that has no more tokens, and the one after it.
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(async { _ = connection.await });
    let spend = "UPDATE surmise.lease SET counter = 9223372036854775806, expires = NULL";
    client.batch_execute(spend).await.unwrap();
    let last = granted(&store, "ledger", 3, LONG).await;
    assert_eq!(last.counter().get(), i64::MAX.cast_unsigned());
    assert_eq!(granted(&store, "ledger", 3, LONG).await, last);
    assert!(matches!(store.revoke(resource("ledger"), last).await.unwrap(), Revoked::Revoked));
    let request = LeaseRequest::new("ledger", "tester", 4, LONG).unwrap();
    let error = store.grant(request).await.unwrap_err();
    assert!(
        matches!(error, StoreError::TokensExhausted { epoch } if epoch == last.epoch()),
        "{error}"
    );
    store.advance_epoch().await.unwrap();
    assert!(granted(&store, "ledger", 4, LONG).await > last);
}

#[tokio::test]
async fn writes_are_checked_by_the_rule_of_passes() {
    let Some((store, _)) = store("rule").await else { return };
    // Every pass after every other, on a key of its own.
    let passes: Vec<_> = [token(1), token(256), FencingToken::first(2)]
        .into_iter()
        .flat_map(|token| [0, u64::MAX].map(|nonce| Pass::from(token).with_nonce(nonce)))
        .flat_map(|pass| [0, 1, 256, u64::MAX].map(|sequence| pass.with_sequence(sequence)))
        .collect();
    for (at, &first) in passes.iter().enumerate() {
        for (after, &second) in passes.iter().enumerate() {
            let key = format!("{at} {after}");
            let done = store.write("ledger", key.as_bytes(), b"first", first).await.unwrap();
            assert!(matches!(done, Outcome::Applied), "{first:?} {done:?}");
            let done = store.write("ledger", key.as_bytes(), b"second", second).await.unwrap();
            let allowed = second.check(Some(first));
            let expected = allowed.map_or_else(Outcome::from, |()| Outcome::Applied);
            assert_eq!(format!("{done:?}"), format!("{expected:?}"), "{first:?} {second:?}");
            let value = if allowed.is_ok() { ("second", second) } else { ("first", first) };
            let expected = Entry::new(Some(value.0.into()), value.1);
            let found = store.read("ledger", key.as_bytes()).await.unwrap();
            assert_eq!(found, Some(expected));
        }
    }
}

#[tokio::test]
async fn floors_are_checked_by_the_rule_of_floors() {
    let Some((store, _)) = store("floors").await else { return };
    let passes: Vec<_> = [token(1), token(256), FencingToken::first(2)]
        .into_iter()
        .flat_map(|token| [0, 7].map(|nonce| Pass::from(token).with_nonce(nonce)))
        .flat_map(|pass| [0, 3].map(|sequence| pass.with_sequence(sequence)))
        .collect();
    for (at, &floor) in passes.iter().enumerate() {
        for (after, &pass) in passes.iter().enumerate() {
            let name = format!("{at} {after}");
            assert_eq!(store.floor(resource(&name)).await.unwrap(), None);
            assert!(matches!(store.raise(&name, floor).await.unwrap(), Outcome::Applied));
            let raised = floor.with_sequence(0);
            assert_eq!(store.floor(resource(&name)).await.unwrap(), Some(raised));

            let allowed = pass.check_floor(Some(floor));
            let expected =
                || format!("{:?}", allowed.map_or_else(Outcome::from, |()| Outcome::Applied));
            let done = store.write(&name, b"key", b"value", pass).await.unwrap();
            assert_eq!(format!("{done:?}"), expected(), "{floor:?} {pass:?}");
            assert_eq!(store.read(&name, b"key").await.unwrap().is_some(), allowed.is_ok());
            let done = store.raise(&name, pass).await.unwrap();
            assert_eq!(format!("{done:?}"), expected(), "{floor:?} {pass:?}");
            let expected = if allowed.is_ok() { pass.with_sequence(0) } else { raised };
            assert_eq!(store.floor(resource(&name)).await.unwrap(), Some(expected));
        }
    }
}

#[tokio::test]
async fn a_removed_value_keeps_its_pass() {
    let Some((store, _)) = store("removed").await else { return };
    assert_eq!(store.read("ledger", b"key").await.unwrap(), None);
    assert!(store.write("ledger", b"key", b"", token(2)).await.unwrap().is_done());
    let entry = store.read("ledger", b"key").await.unwrap().unwrap();
    assert_eq!(entry.value.as_deref(), Some(&b""[..]), "nothing is not the empty value");
    assert!(store.remove("ledger", b"key", token(3)).await.unwrap().is_done());
    let entry = store.read("ledger", b"key").await.unwrap();
    assert_eq!(entry, Some(Entry::new(None, token(3).into())));
    let stale = store.write("ledger", b"key", b"late", token(2)).await.unwrap();
    assert!(matches!(stale, Outcome::Stale { offered, highest }
        if (offered, highest) == (token(2), token(3))));
}

#[tokio::test]
async fn the_longest_names_and_values_are_kept() {
    let Some((store, _)) = store("longest").await else { return };
    let name = "\u{10348}".repeat(63);
    let key = [0xff; 1024];
    let value: Vec<u8> = (0..1 << 20).map(|at: u32| at.to_le_bytes()[at as usize % 3]).collect();
    assert!(store.write(&name, &key, &value, token(1)).await.unwrap().is_done());
    let entry = store.read(&name, &key).await.unwrap().unwrap();
    assert!(entry.value == Some(value));
    assert!(store.write("ledger", &[0; 1025], b"", token(1)).await.is_err());
    assert!(matches!(store.read(&"x".repeat(256), b"key").await, Err(StoreError::Limit(_))));
    assert!(matches!(store.read("ledger", b"").await, Err(StoreError::Limit(_))));
}

#[tokio::test]
async fn many_make_the_schema_at_once() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("at_once").await;
    let connects = (0..8).map(|_| {
        let config = config.clone();
        tokio::spawn(PostgresStore::connect(config, PostgresConfig::default()))
    });
    let mut tokens = Vec::new();
    for connected in connects.collect::<Vec<_>>() {
        let (store, _) = connected.await.unwrap().unwrap();
        tokens.push(granted(&store, "ledger", 5, LONG).await);
    }
    assert_eq!(tokens, [token(1); 8]);
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_left_alone() {
    let Some(server) = Postgres::shared() else { return };
    let cases = [
        ("newer", MADE_NEWER, "schema is version 3, and this knows those to 2; use the version"),
        ("foreign", "CREATE SCHEMA surmise; CREATE TABLE surmise.diary ()", "has \"diary\""),
        ("same_name", "CREATE SCHEMA surmise; CREATE TABLE surmise.store ()", "another table"),
        (
            "marked",
            "CREATE SCHEMA surmise; CREATE TABLE surmise.store AS SELECT 'x' AS format, 1 AS version",
            "format \"x\"",
        ),
        (
            "emptied",
            "CREATE SCHEMA surmise; CREATE TABLE surmise.store (format text, version int)",
            "has no row",
        ),
    ];
    for (name, make, expected) in cases {
        let config = server.database(name).await;
        let mut client = server.client(name).await;
        if make == MADE_NEWER {
            migrate(&mut client).await.unwrap();
        }
        client.batch_execute(make).await.unwrap();
        let tables = "SELECT string_agg(relname || relnatts, ' ' ORDER BY relname) FROM pg_class \
             WHERE relnamespace = 'surmise'::regnamespace";
        let before: Option<String> = client.query_one(tables, &[]).await.unwrap().get(0);
        for migrate in [true, false] {
            let how = PostgresConfig { migrate, ..PostgresConfig::default() };
            let error = PostgresStore::connect(config.clone(), how).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let after: Option<String> = client.query_one(tables, &[]).await.unwrap().get(0);
        assert_eq!(before, after);
    }
}

const MADE_NEWER: &str = "UPDATE surmise.store SET version = 3";

#[tokio::test]
async fn a_missing_schema_is_an_error_if_none_is_to_be_made() {
    let Some(server) = Postgres::shared() else { return };
    let config = server.database("missing").await;
    let how = PostgresConfig { migrate: false, ..PostgresConfig::default() };
    let error = PostgresStore::connect(config.clone(), how).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    assert!(error.to_string().contains("surmise_store::postgres::migrate"), "{error}");
    let mut client = server.client("missing").await;
    migrate(&mut client).await.unwrap();
    migrate(&mut client).await.unwrap();
    let (store, _) = PostgresStore::connect(config, how).await.unwrap();
    assert_eq!(granted(&store, "ledger", 1, LONG).await, token(1));

    // It goes away under a store that is connected.
    client.batch_execute("DROP SCHEMA surmise CASCADE").await.unwrap();
    let error = store.write("ledger", b"key", b"value", token(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    let error = store.read("ledger", b"key").await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
}

#[tokio::test]
async fn what_somebody_else_wrote_is_not_believed() {
    let Some((store, config)) = store("tampered").await else { return };
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(async { _ = connection.await });
    let tamper =
        "INSERT INTO surmise.entry VALUES ('ledger', 'key', NULL, decode(repeat('00', 32), 'hex'));
         INSERT INTO surmise.fence VALUES ('floor', decode(repeat('00', 32), 'hex'))";
    client.batch_execute(tamper).await.unwrap();
    let error = store.read("ledger", b"key").await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    let error = store.floor(resource("floor")).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    client.batch_execute("DELETE FROM surmise.store").await.unwrap();
    let request = LeaseRequest::new("ledger", "tester", 4, LONG).unwrap();
    for error in [store.grant(request).await.unwrap_err(), store.advance_epoch().await.unwrap_err()]
    {
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    }
}
