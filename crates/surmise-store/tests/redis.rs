//! `RedisStore` against real servers, as long as they work.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]

mod support {
    pub(crate) mod redis;
    pub(crate) mod servers;
    pub(crate) mod soak;
}

use core::{fmt, num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Pass};
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Change, Claimed, Extended, FencedStore as _, Granted, IdempotencyStore as _, LeaseRequest,
    LeaseStore as _, Outcome, Resource, Settled, StoreError, Terms, Ttl,
    conformance::{self, faults::Workload},
    redis::{RedisConfig, RedisCredentials, RedisStore, Weakness},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::support::{
    redis::{Bare, config, patient},
    servers::Redis,
    soak::RealTime,
};

const LONG: Duration = Duration::from_secs(600);

fn ledger() -> Resource<'static> {
    Resource::new("ledger").unwrap()
}

#[tokio::test]
async fn redis_conforms() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    conformance::run(&store, &RealTime).await.unwrap_or_else(|violations| panic!("{violations}"));
}

#[tokio::test]
async fn no_history_has_an_anomaly() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    for seed in 0..5 {
        let history = Workload::new(seed).run(&store, &RealTime).await.unwrap();
        history.check().unwrap_or_else(|anomaly| panic!("seed {seed}: {anomaly}"));
    }
}

/// Text is compared, which has no 53 bits; and no letters, whose order is the locale's.
#[tokio::test]
async fn tokens_go_on_where_numbers_of_lua_do_not() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let mut bare = Bare::new(&server);
    let epoch = bare.ask(&["GET", "{surmise/1}epoch"]);
    for last in [9, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, 999_999_999_999_999_999, u64::MAX - 1] {
        let record = format!("{epoch}{last:020}{:040}lme", 0);
        bare.ask(&["SET", "{surmise/1}lease/ledger", &record]);
        let lease = store.acquire("ledger", "me", LONG).await.unwrap();
        assert_eq!(lease.token_unchecked().counter().get(), last + 1);
        let holding = store.holding(ledger()).await.unwrap().unwrap();
        assert_eq!(holding.token, lease.token_unchecked());
        lease.release(&store).await.unwrap();
    }
    let exhausted = store.acquire("ledger", "me", LONG).await.unwrap_err();
    assert!(exhausted.to_string().contains("has no more tokens"), "{exhausted}");
    let next = store.advance_epoch().await.unwrap();
    assert!(next > epoch.parse().unwrap());
    let lease = store.acquire("ledger", "me", LONG).await.unwrap();
    assert_eq!(lease.token_unchecked(), FencingToken::first(next));
    // The end of epochs.
    bare.ask(&["SET", "{surmise/1}epoch", &format!("{}", u64::MAX)]);
    let exhausted = store.advance_epoch().await;
    assert!(matches!(exhausted, Err(StoreError::TokensExhausted { epoch: u64::MAX })));
}

/// A record without an end, as `PEXPIRE` would give it: the counter stays. Only executions have one.
#[tokio::test]
async fn nothing_of_leases_and_fences_expires() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let lease = store.acquire("ledger", "me", LONG).await.unwrap();
    let pass = lease.pass().unwrap();
    store.raise("ledger", pass).await.unwrap().applied().unwrap();
    store.write("ledger", b"key", b"value", pass).await.unwrap().applied().unwrap();
    lease.release(&store).await.unwrap();
    let mut bare = Bare::new(&server);
    let keys = bare.ask(&["KEYS", "*"]);
    assert_eq!(keys.split(' ').count(), 6, "{keys}");
    for key in keys.split(' ') {
        assert_eq!(bare.ask(&["PTTL", key]), "-1", "{key}");
    }
}

#[tokio::test]
async fn a_lease_is_never_shortened() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let request = LeaseRequest::new("ledger", "me", 7, LONG).unwrap();
    let Ok(Granted::Granted(grant)) = store.grant(request).await else { panic!() };
    assert_eq!(grant.valid_for, LONG);
    let short = Ttl::new(Duration::from_secs(1)).unwrap();
    // What is told is never more than was asked for: the clock may have been set back since the lease began.
    let Ok(Extended::Extended(extended)) = store.extend(ledger(), grant.token, short).await else {
        panic!()
    };
    assert_eq!(extended.valid_for, short.get());
    let again = LeaseRequest::new("ledger", "me", 7, short.get()).unwrap();
    let Ok(Granted::Granted(again)) = store.grant(again).await else { panic!() };
    assert_eq!(again.token, grant.token);
    assert_eq!(again.valid_for, short.get());
    let holding = store.holding(ledger()).await.unwrap().unwrap();
    assert!(holding.remaining > LONG / 2 && holding.remaining <= LONG, "{holding:?}");
}

#[tokio::test]
async fn what_is_not_ours_is_told_and_left_alone() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let mut bare = Bare::new(&server);
    let connect = |prefix: &str| {
        RedisStore::connect(RedisConfig { prefix: prefix.to_owned(), ..config(&server) })
    };
    bare.ask(&["SET", "{newer}format", "surmise-store/2"]);
    let newer = connect("newer").await.unwrap_err();
    assert!(matches!(newer, StoreError::Unusable { .. }), "{newer}");
    assert!(newer.to_string().contains("surmise-store/2"), "{newer}");
    assert_eq!(bare.ask(&["EXISTS", "{newer}epoch"]), "0");
    bare.ask(&["SET", "{other}format", "text"]);
    corrupt(connect("other").await);
    bare.ask(&["SET", "{half}epoch", "1"]);
    let half = connect("half").await.unwrap_err();
    assert!(half.to_string().contains("choose another `prefix`"), "{half}");
    bare.ask(&["RPUSH", "{list}format", "text"]);
    corrupt(connect("list").await);
    for prefix in ["", "a{b", "}", &"x".repeat(256)] {
        let error = connect(prefix).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    }

    let store = connect("ours").await.unwrap().durable().unwrap();
    let token = FencingToken::first(1);
    let ttl = Ttl::new(LONG).unwrap();
    // What it does to text of another shape, it does to other types.
    for make in [&["SET"][..], &["RPUSH"]] {
        let mut put = |key: &str| {
            bare.ask(&["DEL", key]);
            bare.ask(&[make, &[key, "foreign"]].concat());
        };
        put("{ours}floor/ledger");
        corrupt(store.floor(ledger()).await);
        corrupt(store.raise("ledger", token).await);
        corrupt(store.write("ledger", b"k", b"v", token).await);
        put("{ours}value/s\0k");
        corrupt(store.read("s", b"k").await);
        corrupt(store.write("s", b"k", b"v", token).await);
        corrupt(store.remove("s", b"k", token).await);
        put("{ours}lease/ledger");
        corrupt(store.holding(ledger()).await);
        corrupt(store.extend(ledger(), token, ttl).await);
        corrupt(store.revoke(ledger(), token).await);
        corrupt(store.grant(LeaseRequest::new("ledger", "me", 1, LONG).unwrap()).await);
        // Of the shape of a lease, and none.
        bare.ask(&["SET", "{ours}lease/none", &format!("{}lme", "9".repeat(80))]);
        corrupt(store.grant(LeaseRequest::new("none", "me", 1, LONG).unwrap()).await);
        for key in ["{ours}floor/ledger", "{ours}value/s\0k", "{ours}lease/ledger"] {
            let kept = if make == ["SET"] {
                bare.ask(&["GET", key])
            } else {
                bare.ask(&["LRANGE", key, "0", "-1"])
            };
            assert_eq!(kept, "foreign", "{key}");
        }
    }
    bare.ask(&["SET", "{ours}epoch", "foreign"]);
    corrupt(store.grant(LeaseRequest::new("t", "me", 1, LONG).unwrap()).await);
    corrupt(store.advance_epoch().await);
    // A store that lost its data grants nothing, and is not made anew under its holders.
    bare.ask(&["FLUSHALL"]);
    for _ in 0..2 {
        let lost = store.acquire("t", "me", LONG).await.unwrap_err();
        assert!(lost.to_string().contains("loss of data"), "{lost}");
        assert!(store.advance_epoch().await.is_err());
        bare.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        // The connection's end may be found by a request.
        _ = store.holding(ledger()).await;
    }
    assert_eq!(bare.ask(&["DBSIZE"]), "0");
}

/// What the server forgot it did not run, and is told again.
#[tokio::test]
async fn scripts_that_are_forgotten_are_sent_again() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let mut bare = Bare::new(&server);
    let pass = Pass::from(FencingToken::first(1));
    for sequence in 1..=3 {
        bare.ask(&["SCRIPT", "FLUSH"]);
        let write = store.write("ledger", b"key", b"value", pass.with_sequence(sequence)).await;
        assert!(matches!(write, Ok(Outcome::Applied)), "{write:?}");
        bare.ask(&["SCRIPT", "FLUSH"]);
        let lease = store.acquire("ledger", "me", LONG).await.unwrap();
        bare.ask(&["SCRIPT", "FLUSH"]);
        lease.release(&store).await.unwrap();
    }
}

/// A script's keys are in one slot, whatever their names; a server that has not the slot says so.
#[tokio::test]
async fn a_store_is_in_one_slot_of_a_cluster() {
    let Some(redis) = Redis::find() else { return };
    let options = ["--appendonly", "yes", "--appendfsync", "always", "--cluster-enabled", "yes"];
    let server = redis.start_with(&options);
    let error = RedisStore::connect(config(&server)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("CLUSTERDOWN"), "{error}");
    let mut bare = Bare::new(&server);
    assert_eq!(bare.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]), "OK");
    assert!(support::servers::wait_until(|| {
        bare.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
    }));
    let connected = RedisStore::connect(config(&server)).await.unwrap();
    assert_eq!(connected.weaknesses(), [Weakness::Cluster]);
    let store = connected.accept(&[Weakness::Cluster]).unwrap();
    for name in ["plain", "{", "}", "{}", "}{", "{other}", "a{b}c", "{{x}}", "\u{e9}{\r\n}"] {
        let lease = store.acquire(name, "me", LONG).await.unwrap();
        let pass = lease.pass().unwrap();
        assert!(matches!(store.raise(name, pass).await, Ok(Outcome::Applied)), "{name}");
        for key in [&b"key"[..], b"{key}", b"}\0\xff{"] {
            assert!(matches!(store.write(name, key, b"v", pass).await, Ok(Outcome::Applied)));
            assert_eq!(store.read(name, key).await.unwrap().unwrap().pass, pass, "{name}");
        }
        lease.release(&store).await.unwrap();
        execute(&store, name).await;
    }
    let slot = bare.ask(&["CLUSTER", "KEYSLOT", "surmise/1"]);
    let count = bare.ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot]);
    assert_eq!(count, bare.ask(&["DBSIZE"]));
}

#[tokio::test]
async fn users_are_asked_for_what_they_may() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let mut bare = Bare::new(&server);
    let mut user = |name: &str, rules: &[&str]| {
        let begin = ["ACL", "SETUSER", name, "on", ">p"];
        assert_eq!(bare.ask(&[&begin, rules].concat()), "OK");
    };
    // As the module says.
    let commands = [
        "+evalsha",
        "+eval",
        "+get",
        "+getrange",
        "+set",
        "+mset",
        "+time",
        "+select",
        "+info",
        "+config|get",
    ];
    user("clerk", &[&["~{surmise/1}*"][..], &commands].concat());
    user("open", &[&["nopass", "~{surmise/1}*"][..], &commands].concat());
    user("guest", &[&["~other*"][..], &commands].concat());
    user("blind", &["~*", "+@all", "-info"]);
    user("default", &[]);
    let connect = |user: Option<(&str, &str)>| {
        let credentials = user.map(|(user, password)| RedisCredentials {
            user: user.to_owned(),
            password: password.to_owned(),
        });
        RedisStore::connect(RedisConfig { credentials, ..config(&server) })
    };
    bare.ask(&["ACL", "SETUSER", "default", "resetpass", ">p"]);
    for (user, remedy) in [
        (None, "`credentials`"),
        (Some(("clerk", "wrong")), "`credentials`"),
        (Some(("nobody", "p")), "`credentials`"),
        (Some(("guest", "p")), "ACL SETUSER"),
        (Some(("blind", "p")), "ACL SETUSER"),
    ] {
        let error = connect(user).await.unwrap_err();
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
    }
    let url = format!("redis://open@{}", config(&server).address);
    let open = RedisConfig { connect_timeout: LONG, ..RedisConfig::from_url(&url).unwrap() };
    RedisStore::connect(open).await.unwrap().durable().unwrap();
    for (user, database) in [("clerk", 0), ("clerk", 1), ("default", 0)] {
        let credentials = RedisCredentials { user: user.to_owned(), password: "p".to_owned() };
        let config = RedisConfig { credentials: Some(credentials), database, ..config(&server) };
        let store = RedisStore::connect(config).await.unwrap().durable().unwrap();
        let lease = store.acquire("ledger", "me", LONG).await.unwrap();
        let pass = lease.pass().unwrap();
        assert!(matches!(store.raise("ledger", pass).await, Ok(Outcome::Applied)));
        assert!(matches!(store.write("ledger", b"k", b"v", pass).await, Ok(Outcome::Applied)));
        lease.release(&store).await.unwrap();
        store.advance_epoch().await.unwrap();
        execute(&store, &format!("{user} {database}")).await;
    }
}

/// Executes something, whose key can have any name.
async fn execute(store: &RedisStore, name: &str) {
    let key = Key::new(name, "", name).unwrap();
    let claimed = store.begin(&key, Fingerprint::NONE, Terms::default()).await;
    let Ok(Claimed::Execute(ticket)) = claimed else { panic!("{name}: {claimed:?}") };
    assert!(matches!(store.complete(&ticket, b"done").await, Ok(Settled::Done)), "{name}");
    let claimed = store.begin(&key, Fingerprint::NONE, Terms::default()).await;
    assert!(matches!(claimed, Ok(Claimed::Replay(_))), "{name}: {claimed:?}");
}

#[tokio::test]
async fn a_full_memory_is_told_and_nothing_is_done() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start();
    let store = patient(&server).await;
    let mut bare = Bare::new(&server);
    let old = FencingToken::first(1);
    assert!(matches!(store.write("ledger", b"k", b"old", old).await, Ok(Outcome::Applied)));
    bare.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let new = FencingToken::first(2);
    let full = |error: StoreError| {
        assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("maxmemory"), "{error}");
    };
    let value = vec![7; Change::MAX_VALUE_BYTES];
    full(store.write("ledger", b"k", &value, new).await.unwrap_err());
    full(store.raise("ledger", new).await.unwrap_err());
    full(store.grant(LeaseRequest::new("ledger", "me", 1, LONG).unwrap()).await.unwrap_err());
    full(store.advance_epoch().await.unwrap_err());
    assert_eq!(store.read("ledger", b"k").await.unwrap().unwrap().pass, old.into());
    assert_eq!(store.floor(ledger()).await.unwrap(), None);
    assert_eq!(store.holding(ledger()).await.unwrap(), None);
    bare.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(matches!(store.write("ledger", b"k", &value, new).await, Ok(Outcome::Applied)));
    assert_eq!(store.read("ledger", b"k").await.unwrap().unwrap().value, Some(value));
}

#[tokio::test]
async fn who_cannot_be_reached_was_not_asked() {
    let Some(redis) = Redis::find() else { return };
    let mut server = redis.start();
    let store = patient(&server).await;
    server.kill();
    // A connection that was idle may not have heard of it: what is sent on it now is lost. A read does no harm.
    unavailable(store.read("ledger", b"k").await);
    unavailable(store.write("ledger", b"k", b"v", FencingToken::first(1)).await);
    unavailable(store.raise("ledger", FencingToken::first(1)).await);
    unavailable(store.holding(ledger()).await);
    unavailable(store.advance_epoch().await);
    unavailable(RedisStore::connect(config(&server)).await);
    server.restart();
    assert_eq!(store.read("ledger", b"k").await.unwrap(), None);
    let last = NonZeroU64::MAX;
    let write = store.write("ledger", b"k", b"v", FencingToken::new(u64::MAX, last)).await;
    assert!(matches!(write, Ok(Outcome::Applied)), "{write:?}");
    server.restart();
    // The connection ended while it was idle, and the read is asked once more.
    assert!(store.read("ledger", b"k").await.unwrap().is_some());

    let nobody = RedisConfig { address: "127.0.0.1:1".to_owned(), ..RedisConfig::default() };
    unavailable(RedisStore::connect(nobody).await);
    let no_database = RedisConfig { database: 1_000, ..config(&server) };
    let error = RedisStore::connect(no_database).await.unwrap_err();
    assert!(error.to_string().contains("`database`"), "{error}");
}

/// What listens there may be anything.
#[tokio::test]
async fn what_is_no_redis_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answers = [
        (&["HTTP/1.1 400 Bad Request\r\n\r\n"][..], "is unavailable"),
        (&["-DENIED Redis is running in protected mode\r\n"], "protected mode"),
        (&["-LOADING Redis is loading the dataset in memory\r\n"], "is unavailable"),
        (&["$20\r\nredis_version:4.0.14\r\n", "*0\r\n", "*0\r\n"], "use Redis 7.0.3 or later"),
        (&["$0\r\n\r\n", "*0\r\n", "*0\r\n"], "does not tell its version"),
        (&[":1\r\n"], "is unavailable"),
        (&[], "is unavailable"),
    ];
    let server = tokio::spawn(async move {
        for (answers, _) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                assert!(stream.read(&mut [0; 64]).await.unwrap() > 0);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            stream.shutdown().await.unwrap();
            // Until the other goes away.
            while stream.read(&mut [0; 64]).await.is_ok_and(|length| length > 0) {}
        }
    });
    for (answers, told) in answers {
        let config = RedisConfig {
            address: address.clone(),
            connect_timeout: Duration::from_secs(60),
            ..RedisConfig::default()
        };
        let error = RedisStore::connect(config).await.unwrap_err();
        assert!(error.to_string().contains(told), "{answers:?}: {error}");
    }
    server.await.unwrap();
}

fn corrupt<V: fmt::Debug>(found: Result<V, StoreError>) {
    assert!(matches!(found, Err(StoreError::Corrupt { .. })), "{found:?}");
}

fn unavailable<V: fmt::Debug>(found: Result<V, StoreError>) {
    assert!(matches!(found, Err(StoreError::Unavailable { .. })), "{found:?}");
}
