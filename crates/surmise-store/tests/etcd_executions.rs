//! Executions in etcd, as long as its members work.

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
}

use core::slice;

use surmise_idempotency::Fingerprint;
use surmise_store::{
    Claim, Claimed, IdempotencyStore as _, LeaseStore as _, Settled, StoreError, Terms,
};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::time::sleep;

use self::support::{
    etcd::{ask, patient},
    executions::{SECOND, claim, done, execute, key},
    servers::{Etcd, Server},
};

/// Returns what etcd says of the key of an execution: its lease, and the revision at which it was written last.
fn look(server: &Server, name: &str) -> Option<[String; 2]> {
    fields(server, name, ["lease", "mod_revision"])
}

fn fields<const N: usize>(server: &Server, name: &str, fields: [&str; N]) -> Option<[String; N]> {
    let key = [b"surmise/1/execution/", key(name).as_bytes()].concat();
    let body = format!(r#"{{"key": "{}"}}"#, base64(&key));
    let answer: serde_json::Value =
        serde_json::from_str(&ask(server, "/v3/kv/range", &body)).unwrap();
    let found = answer["kvs"].get(0)?;
    Some(fields.map(|field| found[field].as_str().unwrap().to_owned()))
}

/// Returns the ids of all leases that etcd has.
fn leases(server: &Server) -> Vec<String> {
    let answer = ask(server, "/v3/lease/leases", "{}");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let leases = answer["leases"].as_array().cloned().unwrap_or_default();
    leases.iter().map(|lease| lease["ID"].as_str().unwrap().to_owned()).collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

#[tokio::test]
async fn a_token_is_the_revision_of_its_claim_and_each_change_ends_the_lease_that_it_replaces() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let terms = Terms::default();
    let mut last = None;
    for nonce in 1..4 {
        let ticket = execute(&store, "k", nonce, terms).await;
        let [lease, revision] = look(&server, "k").unwrap();
        assert_eq!(ticket.token().counter().to_string(), revision);
        assert!(last.is_none_or(|last| last < ticket.token()));
        assert_eq!(leases(&server), [lease.as_str()]);
        // A checkpoint is not a new lease, but its time goes on.
        done(store.save(&ticket, b"half").await);
        assert_eq!(look(&server, "k").unwrap()[0], lease);
        for verb in 0..2 {
            let before = look(&server, "k").unwrap();
            done(match verb {
                0 => store.renew(&ticket).await,
                _ => store.release(&ticket).await,
            });
            let after = look(&server, "k").unwrap();
            assert_ne!(after[0], before[0]);
            assert_eq!(leases(&server), [after[0].as_str()]);
        }
        // To do it again changes nothing.
        let before = look(&server, "k");
        done(store.release(&ticket).await);
        assert_eq!(look(&server, "k"), before);
        last = Some(ticket.token());
    }
    let ticket = execute(&store, "k", 4, terms).await;
    done(store.complete(&ticket, b"done").await);
    let before = look(&server, "k");
    assert!(matches!(claim(&store, "k", 5, terms).await, Claimed::Replay(_)));
    // Nor does it to ask, or to come too late.
    assert!(matches!(store.renew(&ticket).await, Ok(Settled::Fenced)));
    assert_eq!(look(&server, "k"), before);
    assert_eq!(leases(&server).len(), 1);
}

/// As many as are quicker, none of them leaves a lease of etcd behind.
#[tokio::test]
async fn who_comes_second_leaves_nothing_behind() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let claims = (1..=8).map(|nonce| claim(&store, "k", nonce, Terms::default()));
    let claimed = join_all(claims).await;
    let executing = claimed.iter().filter(|claimed| matches!(claimed, Claimed::Execute(_)));
    assert_eq!(executing.count(), 1);
    assert_eq!(leases(&server), [look(&server, "k").unwrap()[0].as_str()]);
}

#[tokio::test]
async fn what_is_over_is_removed_by_etcd() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let terms = Terms { lease: SECOND, retention: SECOND, brief_retention: SECOND / 100 };
    for name in ["completed", "briefly", "released", "abandoned"] {
        let ticket = execute(&store, name, 1, terms).await;
        match name {
            "completed" => done(store.complete(&ticket, b"done").await),
            "briefly" => done(store.complete_briefly(&ticket, b"done").await),
            "released" => done(store.release(&ticket).await),
            _ => {}
        }
    }
    assert_eq!(leases(&server).len(), 4);
    while !leases(&server).is_empty() {
        sleep(SECOND / 20).await;
    }
    for name in ["completed", "briefly", "released", "abandoned"] {
        assert_eq!(look(&server, name), None);
    }
}

/// This etcd grants no lease of less than 8 s, and so keeps records for that long.
#[tokio::test]
async fn etcd_s_own_limit_makes_no_lease_and_no_retention_longer() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start_with(&["--election-timeout=5000", "--heartbeat-interval=500"]);
    let store = patient(slice::from_ref(&server)).await;
    let terms = Terms { lease: SECOND, retention: SECOND, brief_retention: SECOND };
    let asked = BootClock.now();
    let dead = execute(&store, "k", 1, terms).await;
    let [lease, _] = look(&server, "k").unwrap();
    let recovered = loop {
        match claim(&store, "k", 2, terms).await {
            Claimed::InFlight { retry_after } => {
                assert!(!retry_after.is_zero() && retry_after <= SECOND, "{retry_after:?}");
                sleep(retry_after).await;
            }
            Claimed::Recover(ticket) => break ticket,
            other => panic!("{other:?}"),
        }
    };
    assert!(recovered.token() > dead.token());
    let in_flight = BootClock.now() - asked;
    assert!(in_flight >= SECOND, "{in_flight:?}");
    done(store.complete(&recovered, b"done").await);
    let [kept, _] = look(&server, "k").unwrap();
    assert_ne!(lease, kept);
    while matches!(claim(&store, "k", 3, terms).await, Claimed::Replay(_)) {
        sleep(SECOND / 10).await;
    }
    // etcd would have kept it for longer: it was written over, not removed and made anew.
    assert_ne!(fields(&server, "k", ["version"]).unwrap(), ["1"]);
    // What was in flight since is, by the same, over before etcd's lease is: the key is nobody's.
    let _abandoned = execute(&store, "other", 1, terms).await;
    let settled = execute(&store, "settled", 1, terms).await;
    done(store.complete(&settled, b"done").await);
    sleep(3 * SECOND).await;
    assert!(matches!(store.complete(&settled, b"done").await, Ok(Settled::Fenced)));
    assert!(look(&server, "settled").is_some());
    assert!(look(&server, "other").is_some());
    assert!(matches!(claim(&store, "other", 2, terms).await, Claimed::Execute(_)));
}

/// What is remembered is not forgotten any sooner, and nobody takes over any sooner.
#[tokio::test]
async fn a_new_leader_lets_all_times_begin_anew() {
    let Some(etcd) = Etcd::find() else { return };
    let mut server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let lease = 5 * SECOND;
    let terms = Terms { lease, retention: 60 * SECOND, ..Terms::default() };
    let dead = execute(&store, "k", 1, terms).await;
    let ask = async || claim(&store, "k", 2, terms).await;
    while let Claimed::InFlight { retry_after } = ask().await {
        if retry_after <= 2 * SECOND {
            break;
        }
        sleep(SECOND / 10).await;
    }
    server.restart();
    let Claimed::InFlight { mut retry_after } = ask().await else { panic!("it is over") };
    assert!(3 * SECOND < retry_after && retry_after <= lease, "{retry_after:?}");
    let recovered = loop {
        sleep(retry_after).await;
        match ask().await {
            Claimed::InFlight { retry_after: left } => retry_after = left,
            Claimed::Recover(ticket) => break ticket,
            other => panic!("{other:?}"),
        }
    };
    assert!(recovered.token() > dead.token());
}

#[tokio::test]
async fn an_epoch_goes_on_above_all_tokens() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let ticket = execute(&store, "k", 1, Terms::default()).await;
    let epoch = store.advance_epoch().await.unwrap();
    // Who began before goes on.
    done(store.renew(&ticket).await);
    done(store.release(&ticket).await);
    let next = execute(&store, "k", 2, Terms::default()).await;
    assert_eq!(next.token().epoch(), epoch);
    assert!(next.token() > ticket.token());
}

#[tokio::test]
async fn what_is_not_ours_is_told_and_left_alone() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let ticket = execute(&store, "k", 1, Terms::default()).await;
    let body = format!(
        r#"{{"key": "{}", "value": "{}", "ignore_lease": true}}"#,
        base64(&[b"surmise/1/execution/", key("k").as_bytes()].concat()),
        base64(b"foreign")
    );
    ask(&server, "/v3/kv/put", &body);
    let before = look(&server, "k").unwrap();
    let name = key("k");
    let again = Claim::new(&name, Fingerprint::NONE, 1, Terms::default()).unwrap();
    let claimed = store.claim(again).await;
    assert!(matches!(claimed, Err(StoreError::Corrupt { .. })), "{claimed:?}");
    for settled in [store.complete(&ticket, b"v").await, store.release(&ticket).await] {
        assert!(matches!(settled, Err(StoreError::Corrupt { .. })), "{settled:?}");
    }
    assert_eq!(look(&server, "k").unwrap(), before);
}

/// A result that the server does not take leaves the execution as it was.
#[tokio::test]
async fn a_result_that_is_refused_leaves_all_as_it_was() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start_with(&["--max-request-bytes", "65536"]);
    let store = patient(slice::from_ref(&server)).await;
    let ticket = execute(&store, "k", 1, Terms::default()).await;
    let before = (look(&server, "k"), leases(&server));
    for settled in
        [store.complete(&ticket, &[7; 65_536]).await, store.save(&ticket, &[7; 65_536]).await]
    {
        let error = settled.unwrap_err();
        assert!(error.to_string().contains("--max-request-bytes"), "{error}");
    }
    assert_eq!((look(&server, "k"), leases(&server)), before);
    done(store.complete(&ticket, b"short").await);
}

async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    use core::{future::poll_fn, pin::Pin, task::Poll};

    let mut futures: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(cx)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}
