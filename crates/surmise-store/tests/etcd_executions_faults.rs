//! Executions in etcd while replies get lost, and requests are late or doubled.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what is not as expected is a failure of the test"
)]

mod support {
    pub(crate) mod etcd;
    pub(crate) mod executions;
    pub(crate) mod servers;
    pub(crate) mod watched;
}

use core::{slice, time::Duration};

use surmise_idempotency::Fingerprint;
use surmise_store::{
    Claimed, IdempotencyStore as _, LeaseStore as _, Settled, StoreError, Terms, Ticket,
    etcd::{EtcdConfig, EtcdStore},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

use self::support::{
    etcd::{ask, config},
    executions::{SECOND, claim, done, execute, key, lost, recover, replayed},
    servers::{Etcd, Server},
    watched::Wire,
};

/// Returns a store whose connections are watched.
async fn watched(wire: &Wire, server: &Server, request_timeout: Duration) -> EtcdStore {
    let wire = wire.clone();
    let open = move |address| wire.clone().open(address);
    let config = EtcdConfig { request_timeout, ..config(slice::from_ref(server)) };
    EtcdStore::connect_with(config, open).await.unwrap()
}

/// Sends what was held back, and returns the answer.
async fn deliver(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
    }
    String::from_utf8(answer).unwrap()
}

/// Returns how far the store has come.
fn revision(server: &Server) -> String {
    let answer = ask(server, "/v3/kv/range", r#"{"key": "AA=="}"#);
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["header"]["revision"].as_str().unwrap().to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Complete,
    Release,
    Renew,
    Save,
}

impl Verb {
    const ALL: [Self; 4] = [Self::Complete, Self::Release, Self::Renew, Self::Save];

    /// Returns which of its requests is the transaction, counted from 1.
    fn transaction(self) -> u32 {
        if self == Self::Save { 2 } else { 3 }
    }

    async fn settle(self, store: &EtcdStore, ticket: &Ticket) -> Result<Settled, StoreError> {
        match self {
            Self::Complete => store.complete(ticket, b"done").await,
            Self::Release => store.release(ticket).await,
            Self::Renew => store.renew(ticket).await,
            Self::Save => store.save(ticket, b"half").await,
        }
    }

    /// Fails unless it was done.
    async fn must_be_done(self, store: &EtcdStore, name: &str, ticket: &Ticket, nonce: u64) {
        match (self, claim(store, name, nonce, Terms::default()).await) {
            (Self::Complete, Claimed::Replay(result)) => assert_eq!(result, b"done"),
            (Self::Release, Claimed::Execute(next)) => assert!(next.token() > ticket.token()),
            (Self::Renew | Self::Save, Claimed::Execute(same)) => {
                assert_eq!(same.token(), ticket.token());
                assert_eq!(same.checkpoint(), (self == Self::Save).then_some(&b"half"[..]));
            }
            (_, other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn whichever_reply_is_lost_to_ask_again_tells() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let wire = Wire::default();
    let store = watched(&wire, &server, 20 * SECOND).await;
    for which in 1..=4 {
        let name = format!("claim {which}");
        wire.lose(which);
        let first = claim(&store, &name, 1, Terms::default()).await;
        wire.lose(0);
        assert_eq!(matches!(first, Claimed::Indeterminate(_)), which == 3, "{which}: {first:?}");
        let again = execute(&store, &name, 1, Terms::default()).await;
        if let Claimed::Execute(ticket) = first {
            assert_eq!(again, ticket);
        }
        let other = claim(&store, &name, 2, Terms::default()).await;
        assert!(matches!(other, Claimed::InFlight { .. }), "{other:?}");
        done(store.complete(&again, b"done").await);

        for verb in Verb::ALL {
            let name = format!("{verb:?} {which}");
            let ticket = execute(&store, &name, 1, Terms::default()).await;
            wire.lose(which);
            let first = verb.settle(&store, &ticket).await;
            wire.lose(0);
            if which == verb.transaction() {
                lost(first);
            } else {
                done(first);
            }
            done(verb.settle(&store, &ticket).await);
            verb.must_be_done(&store, &name, &ticket, 1).await;
        }
    }
    // Nobody has to ask twice who begins.
    wire.lose(3);
    let begun = store.begin(&key("begun"), Fingerprint::NONE, Terms::default()).await;
    assert!(matches!(begun, Ok(Claimed::Execute(_))), "{begun:?}");
}

#[tokio::test]
async fn a_recovery_whose_reply_is_lost_is_one_when_it_is_asked_for_again() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let wire = Wire::default();
    let store = watched(&wire, &server, 20 * SECOND).await;
    let short = Terms { lease: SECOND, ..Terms::default() };
    let dead = execute(&store, "k", 1, short).await;
    done(store.save(&dead, b"half").await);
    sleep(2 * SECOND).await;
    // It asks for the age of the lease, too.
    wire.lose(4);
    let first = claim(&store, "k", 2, Terms::default()).await;
    assert!(matches!(first, Claimed::Indeterminate(_)), "{first:?}");
    wire.lose(0);
    match claim(&store, "k", 2, Terms::default()).await {
        Claimed::Recover(ticket) => {
            assert!(ticket.token() > dead.token());
            assert_eq!(ticket.checkpoint(), Some(&b"half"[..]));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_settlement_that_is_late_and_doubled_is_done_once() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let wire = Wire::default();
    let store = watched(&wire, &server, SECOND).await;
    for verb in Verb::ALL {
        let name = format!("{verb:?}");
        let ticket = execute(&store, &name, 1, Terms::default()).await;
        wire.hold(verb.transaction());
        lost(verb.settle(&store, &ticket).await);
        let held = wire.held().unwrap();
        // As long as it is on its way, it did not happen.
        let again = claim(&store, &name, 1, Terms::default()).await;
        assert!(matches!(again, Claimed::Execute(_)), "{again:?}");
        assert!(deliver(&server, &held).await.contains("\"succeeded\":true"));
        let before = revision(&server);
        assert!(!deliver(&server, &held).await.contains("\"succeeded\":true"));
        assert_eq!(revision(&server), before);
        verb.must_be_done(&store, &name, &ticket, 1).await;
        // Whatever comes then, it is not done again.
        assert!(!deliver(&server, &held).await.contains("\"succeeded\":true"));
    }
}

#[tokio::test]
async fn a_completion_that_is_later_than_its_successor_s_is_void() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let wire = Wire::default();
    let store = watched(&wire, &server, SECOND).await;
    let short = Terms { lease: SECOND, ..Terms::default() };
    let zombie = execute(&store, "k", 1, short).await;
    wire.hold(3);
    lost(store.complete(&zombie, b"zombie").await);
    let held = wire.held().unwrap();
    let successor = recover(&store, "k", 2, Terms::default()).await;
    assert!(!deliver(&server, &held).await.contains("\"succeeded\":true"));
    assert!(matches!(store.complete(&zombie, b"zombie").await, Ok(Settled::Fenced)));
    done(store.complete(&successor, b"successor").await);
    assert!(!deliver(&server, &held).await.contains("\"succeeded\":true"));
    assert!(matches!(store.complete(&zombie, b"zombie").await, Ok(Settled::Fenced)));
    assert_eq!(replayed(&store, "k").await, b"successor");
}

/// A claim that nobody waits for any more is done after others, and after what they did was forgotten: so its token is
/// later than theirs.
#[tokio::test]
async fn a_claim_that_is_late_has_a_later_token_than_all_before_it() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let wire = Wire::default();
    let store = watched(&wire, &server, SECOND).await;
    let brief = Terms { brief_retention: SECOND / 100, ..Terms::default() };
    wire.hold(3);
    let late = claim(&store, "k", 1, brief).await;
    assert!(matches!(late, Claimed::Indeterminate(_)), "{late:?}");
    let held = wire.held().unwrap();
    let ticket = execute(&store, "k", 2, brief).await;
    // As long as there is another, it does nothing.
    assert!(!deliver(&server, &held).await.contains("\"succeeded\":true"));
    done(store.complete_briefly(&ticket, b"done").await);
    assert!(!deliver(&server, &held).await.contains("\"succeeded\":true"));
    // Once etcd has removed the key, it is like any.
    while !deliver(&server, &held).await.contains("\"succeeded\":true") {
        sleep(SECOND / 20).await;
    }
    let zombie = store.renew(&ticket).await;
    assert!(matches!(zombie, Ok(Settled::Fenced)), "{zombie:?}");
    let late = execute(&store, "k", 1, brief).await;
    assert!(late.token() > ticket.token(), "{} after {}", late.token(), ticket.token());
}

#[tokio::test]
async fn a_claim_that_is_later_than_the_next_epoch_is_void() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let wire = Wire::default();
    let store = watched(&wire, &server, SECOND).await;
    wire.hold(3);
    let late = claim(&store, "k", 1, Terms::default()).await;
    assert!(matches!(late, Claimed::Indeterminate(_)), "{late:?}");
    let held = wire.held().unwrap();
    let epoch = store.advance_epoch().await.unwrap();
    assert!(!deliver(&server, &held).await.contains("\"succeeded\":true"));
    assert_eq!(execute(&store, "k", 1, Terms::default()).await.token().epoch(), epoch);
}
