//! `EtcdStore` against real servers, as long as they work.

#![cfg(target_os = "linux")]

mod support {
    pub(crate) mod etcd;
    pub(crate) mod servers;
    pub(crate) mod soak;
}

use core::{slice, time::Duration};

use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    Change, Extended, FencedStore as _, LeaseStore as _, Outcome, Resource, StoreError,
    conformance,
    etcd::{EtcdConfig, EtcdCredentials, EtcdStore},
};
use surmise_time::{BootClock, MonotonicClock as _};

use self::support::{
    etcd::{ask, config, patient},
    servers::Etcd,
    soak::RealTime,
};

#[tokio::test]
async fn one_member_conforms() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    conformance::run(&store, &RealTime).await.unwrap_or_else(|violations| panic!("{violations}"));
}

#[tokio::test]
async fn three_members_conform() {
    let Some(etcd) = Etcd::find() else { return };
    let cluster = etcd.start_cluster();
    let store = patient(&cluster).await;
    conformance::run(&store, &RealTime).await.unwrap_or_else(|violations| panic!("{violations}"));
}

/// Each writer asks another member, so that what one acknowledged is refused by what the next one knows.
#[tokio::test]
async fn whichever_member_is_asked_knows_all() {
    let Some(etcd) = Etcd::find() else { return };
    let cluster = etcd.start_cluster();
    let mut stores = Vec::new();
    for member in &cluster {
        stores.push(patient(slice::from_ref(member)).await);
    }
    let mut last: Option<Pass> = None;
    for round in 0..30 {
        let [grantor, writer, reader] = [0, 1, 2].map(|at| &stores[(round + at) % 3]);
        let lease = grantor.acquire("ledger", "me", Duration::from_secs(60)).await.unwrap();
        let pass = lease.pass().unwrap();
        assert!(last.is_none_or(|last| last.token < pass.token));
        assert!(matches!(writer.raise("ledger", pass).await, Ok(Outcome::Applied)));
        if let Some(last) = last {
            let late = reader.write("ledger", b"k", b"late", last).await;
            assert!(matches!(late, Ok(Outcome::Stale { .. })), "{late:?}");
        }
        assert!(matches!(writer.write("ledger", b"k", b"v", pass).await, Ok(Outcome::Applied)));
        assert_eq!(reader.read("ledger", b"k").await.unwrap().unwrap().pass, pass);
        let other = writer.acquire("ledger", "other", Duration::from_secs(60)).await;
        assert!(other.is_err());
        lease.release(reader).await.unwrap();
        last = Some(pass);
    }
}

/// A keepalive is nothing that a majority knows of.
#[tokio::test]
async fn a_renewal_is_a_new_lease_of_etcd_for_the_same_key() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let lease = store.acquire("r", "me", Duration::from_secs(600)).await.unwrap();
    let key = format!(r#"{{"key": "{}"}}"#, base64("surmise/1/lease/r"));
    let look = || {
        let answer: serde_json::Value =
            serde_json::from_str(&ask(&server, "/v3/kv/range", &key)).unwrap();
        ["lease", "create_revision"]
            .map(|field| answer["kvs"][0][field].as_str().unwrap().to_owned())
    };
    let leases = || ask(&server, "/v3/lease/leases", "{}");
    let [mut last, created] = look();
    assert_eq!(created, lease.token_unchecked().counter().to_string());
    for _ in 0..3 {
        lease.renew(&store).await.unwrap();
        let [next, still] = look();
        assert_ne!(next, last);
        assert_eq!(still, created);
        assert!(leases().contains(&format!("\"{next}\"")));
        // What was replaced does not go on for its whole time.
        assert!(!leases().contains(&format!("\"{last}\"")));
        last = next;
    }
    lease.release(&store).await.unwrap();
    assert!(!leases().contains(&format!("\"{last}\"")));
}

#[tokio::test]
async fn a_lease_is_never_shortened() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let lease = store.acquire("r", "me", Duration::from_secs(600)).await.unwrap();
    let token = lease.token_unchecked();
    let short = surmise_store::Ttl::new(Duration::from_secs(1)).unwrap();
    let resource = Resource::new("r").unwrap();
    for _ in 0..3 {
        let extended = store.extend(resource, token, short).await;
        assert!(matches!(extended, Ok(Extended::Extended(_))), "{extended:?}");
        let holding = store.holding(resource).await.unwrap().unwrap();
        assert!(holding.remaining > Duration::from_secs(300), "{holding:?}");
    }
}

/// The time that is granted is the server's, which is never less than what was asked.
#[tokio::test]
async fn the_time_that_is_granted_is_in_whole_seconds() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    for millis in [10, 2_000, 2_001, 86_400_000] {
        let ttl = Duration::from_millis(millis);
        let name = format!("r{millis}");
        let lease = store.acquire(&name, "me", ttl).await.unwrap();
        assert!(lease.guard().token(BootClock.now()).is_ok());
        let answer = ask(&server, "/v3/lease/leases", "{}");
        assert!(answer.contains("leases"), "{answer}");
        let holding = store.holding(Resource::new(&name).unwrap()).await.unwrap().unwrap();
        // Of two seconds, a slow machine may have used one.
        assert!(holding.remaining <= ttl.max(Duration::from_secs(2)) + Duration::from_secs(1));
        assert!(lease.remaining() <= ttl.max(Duration::from_secs(2)) + Duration::from_secs(1));
    }
}

#[tokio::test]
async fn what_is_not_ours_is_told_and_left_alone() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let put = |key: &str, value: &str| {
        let body = format!(r#"{{"key": "{}", "value": "{}"}}"#, base64(key), base64(value));
        ask(&server, "/v3/kv/put", &body);
    };
    let get = |key: &str| ask(&server, "/v3/kv/range", &format!(r#"{{"key": "{}"}}"#, base64(key)));
    let connect = |prefix: &str| {
        let prefix = prefix.to_owned();
        EtcdStore::connect(EtcdConfig { prefix, ..config(slice::from_ref(&server)) })
    };

    put("theirs/key", "value");
    let before = get("theirs/key");
    let foreign = connect("theirs/").await.unwrap_err();
    assert!(matches!(foreign, StoreError::Unusable { .. }), "{foreign}");
    assert!(foreign.to_string().contains("choose another `prefix`"), "{foreign}");
    assert!(!get("theirs/format").contains("kvs"));
    assert!(revisionless(&before).contains(&base64("value")));
    assert_eq!(revisionless(&get("theirs/key")), revisionless(&before));

    put("newer/format", "surmise-store/2");
    let newer = connect("newer/").await.unwrap_err();
    assert!(newer.to_string().contains("surmise-store/2"), "{newer}");
    put("other/format", "text");
    let other = connect("other/").await.unwrap_err();
    assert!(matches!(other, StoreError::Corrupt { .. }), "{other}");
    for prefix in ["", &"x".repeat(256)] {
        let error = connect(prefix).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    }

    let store = connect("ours/").await.unwrap();
    let token = FencingToken::first(1);
    let resource = Resource::new("r").unwrap();
    put("ours/floor/r", "foreign");
    corrupt(store.floor(resource).await);
    corrupt(store.raise("r", token).await);
    corrupt(store.write("r", b"k", b"v", token).await);
    put("ours/value/s\0k", "foreign");
    corrupt(store.read("s", b"k").await);
    corrupt(store.write("s", b"k", b"v", token).await);
    corrupt(store.remove("s", b"k", token).await);
    put("ours/lease/r", "foreign");
    corrupt(store.holding(resource).await);
    let ttl = surmise_store::Ttl::new(Duration::from_secs(9)).unwrap();
    corrupt(store.extend(resource, token, ttl).await);
    corrupt(store.revoke(resource, token).await);
    assert!(store.acquire("r", "me", Duration::from_secs(9)).await.is_err());
    for key in ["ours/floor/r", "ours/value/s\0k", "ours/lease/r"] {
        assert!(get(key).contains(&base64("foreign")), "{key}");
    }
    put("ours/epoch", "foreign");
    corrupt(store.holding(Resource::new("t").unwrap()).await);
    corrupt(store.advance_epoch().await);
    // A store that lost its data grants nothing.
    ask(&server, "/v3/kv/deleterange", &format!(r#"{{"key": "{}"}}"#, base64("ours/epoch")));
    let lost = store.acquire("t", "me", Duration::from_secs(9)).await.unwrap_err();
    assert!(lost.to_string().contains("loss of data"), "{lost}");
}

#[tokio::test]
async fn a_server_that_takes_less_says_what_to_do() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start_with(&["--max-request-bytes", "65536"]);
    let store = patient(slice::from_ref(&server)).await;
    let value = vec![7; Change::MAX_VALUE_BYTES];
    for bytes in [65_536, Change::MAX_VALUE_BYTES] {
        let error = store.write("r", b"k", &value[..bytes], FencingToken::first(1)).await;
        let error = error.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("--max-request-bytes"), "{error}");
    }
    assert_eq!(store.read("r", b"k").await.unwrap(), None);

    let server = etcd.start_with(&["--enable-grpc-gateway=false"]);
    let error = EtcdStore::connect(config(slice::from_ref(&server))).await.unwrap_err();
    assert!(error.to_string().contains("--enable-grpc-gateway"), "{error}");
}

#[tokio::test]
async fn a_full_database_is_told() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start_with(&["--quota-backend-bytes", "1048576"]);
    let store = patient(slice::from_ref(&server)).await;
    let value = vec![7; 200_000];
    for _ in 0..40 {
        let write = store.write("r", b"k", &value, FencingToken::first(1)).await;
        assert!(matches!(write, Ok(Outcome::Applied)), "{write:?}");
    }
    // etcd does not count what is written within transactions in transactions; but leases are refused plainly.
    assert!(store.read("r", b"k").await.unwrap().is_some());
    let error = store.acquire("r", "me", Duration::from_secs(9)).await.unwrap_err();
    assert!(error.to_string().contains("etcdctl alarm disarm"), "{error}");
}

#[tokio::test]
async fn users_are_asked_for_what_they_may() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start_with(&["--auth-token-ttl", "1"]);
    let admin = |path: &str, body: &str| {
        let answer = ask(&server, path, body);
        assert!(!answer.contains("error"), "{answer}");
    };
    for (user, password) in [("root", "r"), ("clerk", "c"), ("guest", "g")] {
        let body = format!(r#"{{"name": "{user}", "password": "{password}"}}"#);
        admin("/v3/auth/user/add", &body);
        admin("/v3/auth/role/add", &body);
        admin("/v3/auth/user/grant", &format!(r#"{{"user": "{user}", "role": "{user}"}}"#));
    }
    let (key, end) = (base64("surmise/1/"), base64("surmise/10"));
    admin(
        "/v3/auth/role/grant",
        &format!(
            r#"{{"name": "clerk", "perm": {{"permType": "READWRITE", "key": "{key}", "range_end": "{end}"}}}}"#
        ),
    );
    admin("/v3/auth/enable", "{}");
    let connect = |user: Option<(&str, &str)>| {
        let credentials = user.map(|(user, password)| EtcdCredentials {
            user: user.to_owned(),
            password: password.to_owned(),
        });
        let timeout = Duration::from_secs(20);
        EtcdStore::connect(EtcdConfig {
            credentials,
            request_timeout: timeout,
            ..config(slice::from_ref(&server))
        })
    };
    for (user, remedy) in [
        (None, "credentials"),
        (Some(("clerk", "wrong")), "credentials"),
        (Some(("nobody", "c")), "credentials"),
        (Some(("guest", "g")), "readwrite"),
    ] {
        let error = connect(user).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
    }
    let store = connect(Some(("clerk", "c"))).await.unwrap();
    let lease = store.acquire("r", "me", Duration::from_secs(60)).await.unwrap();
    let write = store.write("r", b"k", b"v", lease.pass().unwrap()).await;
    assert!(matches!(write, Ok(Outcome::Applied)), "{write:?}");
    // The session ends with the server's memory of it.
    let mut server = server;
    server.restart();
    assert!(store.read("r", b"k").await.unwrap().is_some());
    let write = store.write("r", b"k", b"w", lease.pass().unwrap()).await;
    assert!(matches!(write, Ok(Outcome::Applied)), "{write:?}");
    lease.release(&store).await.unwrap();
}

#[tokio::test]
async fn who_cannot_be_reached_was_not_asked() {
    let Some(etcd) = Etcd::find() else { return };
    let mut server = etcd.start();
    let mut config = config(slice::from_ref(&server));
    // Nobody listens there; the next one does.
    config.endpoints.insert(0, "http://127.0.0.1:1".to_owned());
    let store = EtcdStore::connect(config.clone()).await.unwrap();
    server.kill();
    // A connection that was idle may not have heard of it: what is sent on it now is lost. A read does no harm.
    unavailable(store.read("r", b"k").await);
    unavailable(store.write("r", b"k", b"v", FencingToken::first(1)).await);
    unavailable(store.raise("r", FencingToken::first(1)).await);
    unavailable(store.read("r", b"k").await);
    unavailable(store.holding(Resource::new("r").unwrap()).await);
    unavailable(store.advance_epoch().await);
    unavailable(EtcdStore::connect(config.clone()).await);
    server.restart();
    assert_eq!(store.read("r", b"k").await.unwrap(), None);

    for (endpoints, remedy) in [
        (vec![], "client URL"),
        (vec!["127.0.0.1:2379".to_owned()], "http://HOST:PORT"),
        (vec!["https://127.0.0.1:2379".to_owned()], "connect_with"),
    ] {
        let error = EtcdStore::connect(EtcdConfig { endpoints, ..config.clone() }).await;
        let error = error.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
    }
}

fn corrupt<V: core::fmt::Debug>(found: Result<V, StoreError>) {
    assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{found:?}");
}

fn unavailable<V: core::fmt::Debug>(found: Result<V, StoreError>) {
    assert!(matches!(found, Err(StoreError::Unavailable { .. })), "{found:?}");
}

/// Drops the header, which says how far the whole of etcd has come.
fn revisionless(answer: &str) -> &str {
    answer.split_once("kvs").map_or("", |(_, found)| found)
}

fn base64(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}
