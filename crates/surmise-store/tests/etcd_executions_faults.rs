//! Executions in etcd while replies get lost, requests are late or doubled, and members are killed and deposed.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what is not as expected is a failure of the test"
)]

mod support {
    pub(crate) mod etcd;
    pub(crate) mod servers;
    pub(crate) mod watched;
}

use core::{slice, time::Duration};

use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claim, Claimed, IdempotencyStore, LeaseStore as _, Settled, StoreError, Terms, Ticket,
    etcd::{EtcdConfig, EtcdStore},
};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

use self::support::{
    etcd::{ask, config, impatient, leader, patient},
    servers::{Etcd, Server},
    watched::Wire,
};

const SECOND: Duration = Duration::from_secs(1);

fn key(name: &str) -> Key {
    Key::new("tenant", "charge", name).unwrap()
}

async fn claim(store: &EtcdStore, name: &str, nonce: u64, terms: Terms) -> Claimed {
    let key = key(name);
    store.claim(Claim::new(&key, Fingerprint::NONE, nonce, terms).unwrap()).await.unwrap()
}

async fn execute(store: &EtcdStore, name: &str, nonce: u64, terms: Terms) -> Ticket {
    match claim(store, name, nonce, terms).await {
        Claimed::Execute(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// Takes over, once the lease of another is over.
async fn recover(store: &EtcdStore, name: &str, nonce: u64, terms: Terms) -> Ticket {
    loop {
        match claim(store, name, nonce, terms).await {
            Claimed::Recover(ticket) => return ticket,
            Claimed::InFlight { retry_after } => sleep(retry_after).await,
            other => panic!("{other:?}"),
        }
    }
}

async fn replayed(store: &EtcdStore, name: &str) -> Vec<u8> {
    match claim(store, name, u64::MAX, Terms::default()).await {
        Claimed::Replay(result) => result,
        other => panic!("{other:?}"),
    }
}

fn done(settled: Result<Settled, StoreError>) {
    assert!(matches!(settled, Ok(Settled::Done)), "{settled:?}");
}

fn lost(settled: Result<Settled, StoreError>) {
    assert!(matches!(settled, Ok(Settled::Indeterminate(_))), "{settled:?}");
}

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

/// Asks until there is an answer.
async fn insist<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = BootClock.now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(BootClock.now() - start < 60 * SECOND, "the servers do not come back");
        sleep(SECOND / 20).await;
    }
}

async fn insist_on_completion(store: &EtcdStore, ticket: &Ticket, result: &[u8]) {
    insist(async || match store.complete(ticket, result).await {
        Ok(Settled::Done) => Some(()),
        Ok(Settled::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => None,
        other => panic!("{other:?}"),
    })
    .await;
}

async fn insist_on_replay(store: &EtcdStore, name: &str, result: &[u8]) {
    let key = key(name);
    let replayed =
        insist(async || match store.begin(&key, Fingerprint::NONE, Terms::default()).await {
            Ok(Claimed::Replay(result)) => Some(result),
            Err(StoreError::Unavailable { .. }) => None,
            other => panic!("{other:?}"),
        });
    assert_eq!(replayed.await, result);
}

#[tokio::test]
async fn a_server_killed_between_effect_and_completion_comes_back_to_it() {
    let Some(etcd) = Etcd::find() else { return };
    let mut server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let ticket = execute(&store, "k", 1, Terms::default()).await;
    server.kill();
    let settled = store.complete(&ticket, b"once").await;
    assert!(
        matches!(settled, Ok(Settled::Indeterminate(_)) | Err(StoreError::Unavailable { .. })),
        "{settled:?}"
    );
    server.restart();
    let other = claim(&store, "k", 2, Terms::default()).await;
    assert!(matches!(other, Claimed::InFlight { .. }), "{other:?}");
    insist_on_completion(&store, &ticket, b"once").await;
    for _ in 0..3 {
        server.restart();
        insist_on_replay(&store, "k", b"once").await;
    }
}

#[tokio::test]
async fn whichever_member_is_killed_at_once_after_a_completion_the_others_know_it() {
    let Some(etcd) = Etcd::find() else { return };
    let mut cluster = etcd.start_cluster();
    let store = impatient(&cluster).await;
    for round in 0..4 {
        let name = format!("k{round}");
        let key = key(&name);
        let terms = Terms { lease: 60 * SECOND, ..Terms::default() };
        let nonce = round + 1;
        let ticket = insist(async || {
            let claim = Claim::new(&key, Fingerprint::NONE, nonce, terms).unwrap();
            match store.claim(claim).await {
                Ok(Claimed::Execute(ticket)) => Some(ticket),
                Ok(Claimed::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => None,
                other => panic!("{other:?}"),
            }
        })
        .await;
        // The leader between effect and completion, or at once after it.
        let killed = leader(&cluster);
        if round % 2 == 0 {
            cluster[killed].kill();
        }
        insist_on_completion(&store, &ticket, name.as_bytes()).await;
        cluster[killed].kill();
        for done in 0..=round {
            let name = format!("k{done}");
            insist_on_replay(&store, &name, name.as_bytes()).await;
        }
        cluster[killed].restart();
    }
}

/// The next leader knows what was renewed with it, and the deposed one neither ends nor gives away anything of that.
#[tokio::test]
async fn a_leader_that_comes_back_gives_no_execution_away() {
    let Some(etcd) = Etcd::find() else { return };
    let cluster = etcd.start_cluster();
    let mut stores = Vec::new();
    for member in &cluster {
        stores.push(impatient(slice::from_ref(member)).await);
    }
    let store = impatient(&cluster).await;
    let lease = 4 * SECOND;
    let terms = Terms { lease, retention: SECOND, ..Terms::default() };
    let ticket = execute(&store, "k", 1, terms).await;
    let at = leader(&cluster);
    cluster[at].pause();
    let paused = BootClock.now();
    let mut is_paused = true;
    let (mut renewals, mut in_flight) = (0, 0);
    let key = key("k");
    for round in 2.. {
        if BootClock.now() - paused > 4 * lease {
            break;
        }
        match store.renew(&ticket).await {
            Ok(Settled::Done) => renewals += 1,
            Ok(Settled::Indeterminate(_)) | Err(StoreError::Unavailable { .. }) => {}
            other => panic!("{other:?}"),
        }
        if is_paused && BootClock.now() - paused > 2 * lease {
            cluster[at].resume();
            is_paused = false;
        }
        // Whoever is asked, also the one that was deposed.
        let other = Claim::new(&key, Fingerprint::NONE, round, terms).unwrap();
        let asked = if is_paused { (at + 1) % 3 } else { at };
        match stores[asked].claim(other).await {
            Ok(Claimed::InFlight { .. }) => in_flight += 1,
            Err(StoreError::Unavailable { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(renewals > 10 && in_flight > 10, "{renewals} renewals, {in_flight} refusals");
    insist_on_completion(&store, &ticket, b"once").await;
}
