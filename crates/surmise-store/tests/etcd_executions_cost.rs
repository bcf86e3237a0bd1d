//! What executions in etcd cost beside the same requests on a bare connection.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what is not as expected is a failure of the test"
)]

mod support {
    pub(crate) mod etcd;
    pub(crate) mod servers;
}

use core::{slice, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{Claim, Claimed, IdempotencyStore as _, Settled, Terms, etcd::EtcdStore};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use self::support::{etcd::patient, servers::Etcd};

const ROUNDS: u64 = 800;

#[tokio::test]
#[ignore = "prints times, which are of use only if it is optimised and alone"]
async fn an_execution_costs_what_its_requests_cost() {
    let Some(etcd) = Etcd::find() else { return };
    let server = etcd.start();
    let store = patient(slice::from_ref(&server)).await;
    let mut bare = Bare(TcpStream::connect(("127.0.0.1", server.port())).await.unwrap());
    bare.0.set_nodelay(true).unwrap();
    let mut times = [const { Vec::new() }; 6];
    for round in 0..ROUNDS {
        // In turns, and neither always first.
        for which in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            let taken =
                if which == 0 { store_times(&store, round).await } else { bare.times(round).await };
            for (step, taken) in taken.into_iter().enumerate() {
                times[2 * step + which].push(taken);
            }
        }
    }
    let half = times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    for (step, [store, bare]) in
        ["claim", "completion", "replay"].into_iter().zip(half.as_chunks::<2>().0)
    {
        println!("a {step} takes {store:?} at the median, its requests alone {bare:?}");
    }
}

async fn store_times(store: &EtcdStore, round: u64) -> [Duration; 3] {
    let key = Key::new("tenant", "charge", round.to_string()).unwrap();
    let claim = Claim::new(&key, Fingerprint::NONE, 1, Terms::default()).unwrap();
    let start = BootClock.now();
    let Ok(Claimed::Execute(ticket)) = store.claim(claim).await else { panic!("it is in flight") };
    let claimed = BootClock.now();
    assert!(matches!(store.complete(&ticket, &[7; 100]).await, Ok(Settled::Done)));
    let completed = BootClock.now();
    assert!(matches!(store.claim(claim).await, Ok(Claimed::Replay(_))));
    [claimed - start, completed - claimed, BootClock.now() - completed]
}

/// A connection without a store.
struct Bare(TcpStream);

impl Bare {
    async fn times(&mut self, round: u64) -> [Duration; 3] {
        let key = STANDARD.encode(format!("bare/{round}"));
        let start = BootClock.now();
        let first = self.put(&key, 86_430).await;
        let claimed = BootClock.now();
        self.put(&key, 86_400).await;
        self.ask("/v3/lease/revoke", &json!({ "ID": first })).await;
        let completed = BootClock.now();
        self.read(&key).await;
        [claimed - start, completed - claimed, BootClock.now() - completed]
    }

    /// Puts a key in the place of what is read, under a new lease.
    async fn put(&mut self, key: &str, ttl: u64) -> Value {
        let found = self.read(key).await;
        let at = found.pointer("/responses/1/response_range/kvs/0/mod_revision");
        let at = at.cloned().unwrap_or_else(|| json!("0"));
        let lease = self.ask("/v3/lease/grant", &json!({ "TTL": ttl.to_string() })).await;
        let put = json!({
            "compare": [{"key": key, "target": "MOD", "result": "EQUAL", "mod_revision": at}],
            "success": [{"request_put": {
                "key": key, "value": STANDARD.encode([7; 160]), "lease": lease["ID"],
            }}],
        });
        let answer = self.ask("/v3/kv/txn", &put).await;
        assert_eq!(answer["succeeded"], true);
        lease["ID"].clone()
    }

    async fn read(&mut self, key: &str) -> Value {
        let epoch = STANDARD.encode("surmise/1/epoch");
        let gets = [epoch.as_str(), key].map(|key| json!({"request_range": {"key": key}}));
        self.ask("/v3/kv/txn", &json!({ "success": gets })).await
    }

    async fn ask(&mut self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: etcd\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = self.0.read(&mut answer).await.unwrap();
        let answer = core::str::from_utf8(&answer[..length]).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}
