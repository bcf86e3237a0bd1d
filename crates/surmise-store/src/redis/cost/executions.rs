use core::time::Duration;

use redis::{Script, Value, aio::MultiplexedConnection, cmd};
use surmise_fence::FencingToken;
use surmise_idempotency::{Fingerprint, Key};
use surmise_time::{BootClock, Instant, MonotonicClock as _};

use super::{ROUNDS, connect, print};
use crate::{
    Claimed, IdempotencyStore as _, Settled, Terms,
    idempotency_store::{Record, State},
    redis::{RedisStore, scripts::LUA},
    servers::{Redis, Server},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn executions_beside_the_bare_client() {
    let Some(redis) = Redis::find() else { return };
    for policy in ["always", "no"] {
        println!("with appendfsync {policy}");
        let options = ["--appendonly", "yes", "--appendfsync", policy, "--save", ""];
        compare(&redis.start_with(&options)).await;
    }
}

async fn compare(server: &Server) {
    let (store, client) = connect(server).await;
    let mut bare = Bare::new(client).await;
    // The server is to know the scripts.
    execute(&store, "first").await;
    let [mut theirs, mut ours, mut plain] = [(); 3].map(|()| Vec::new());
    for round in 0..ROUNDS {
        // In turns, so that what else the machine does meets all alike.
        for turn in [round % 2, 1 - round % 2] {
            let start = BootClock.now();
            if turn == 0 {
                bare.execute(round).await;
                theirs.push(BootClock.now() - start);
            } else {
                execute(&store, &round.to_string()).await;
                ours.push(BootClock.now() - start);
            }
        }
        let start = BootClock.now();
        bare.plain(round).await;
        plain.push(BootClock.now() - start);
    }
    let theirs = print("the same scripts, bare client", &mut theirs);
    let ours = print("RedisStore::begin and complete", &mut ours);
    print("SET NX PX, then SET PX", &mut plain);
    println!("overhead at p50: {:+.1} %", (ours / theirs - 1.0) * 100.0);
}

async fn execute(store: &RedisStore, name: &str) {
    let key = Key::new("tenant", "ours", name).unwrap();
    let claimed = store.begin(&key, Fingerprint::NONE, Terms::default()).await;
    let Ok(Claimed::Execute(ticket)) = claimed else { panic!("{claimed:?}") };
    let settled = store.complete(&ticket, b"value").await;
    assert!(matches!(settled, Ok(Settled::Done)), "{settled:?}");
}

/// Asks as the store does, without it.
struct Bare {
    client: MultiplexedConnection,
    process: String,
    look_up: String,
    exchange: String,
    in_flight: Vec<u8>,
    completed: Vec<u8>,
}

impl Bare {
    async fn new(mut client: MultiplexedConnection) -> Self {
        let process = cmd("GET").arg("{surmise/1}process").query_async(&mut client).await.unwrap();
        let bytes = |state| {
            let record = Record {
                fingerprint: Fingerprint::NONE,
                token: FencingToken::first(0),
                forgotten_at: Instant::ORIGIN + Duration::from_secs(90_000),
                state,
            };
            record.to_bytes()
        };
        let lease_ends = Instant::ORIGIN + Duration::from_secs(30);
        let in_flight =
            bytes(State::InFlight { nonce: 1, lease_ends, recovers: false, checkpoint: None });
        let completed = bytes(State::Completed { result: b"value".to_vec() });
        let [look_up, exchange] =
            [LUA.look_up, LUA.exchange].map(|text| Script::new(text).get_hash().to_owned());
        Self { client, process, look_up, exchange, in_flight, completed }
    }

    async fn execute(&mut self, round: u64) {
        let key = format!("{{surmise/1}}execution/bare{round}");
        let record = self.in_flight.clone();
        let claimed = self.exchange(&key, [b"", b""], &record).await;
        let kept = self.script(&self.look_up.clone(), &[&key], &[]).await;
        let record = self.completed.clone();
        let settled = self.exchange(&key, [&kept[1][..100], &claimed[1]], &record).await;
        assert_eq!(settled, claimed);
    }

    async fn exchange(
        &mut self,
        key: &str,
        [head, token]: [&[u8]; 2],
        record: &[u8],
    ) -> Vec<Vec<u8>> {
        let keys = [key, "{surmise/1}executions", "{surmise/1}epoch"];
        let answer = self
            .script(&self.exchange.clone(), &keys, &[head, token, b"", b"90000000000", record])
            .await;
        assert_eq!(answer[0], b"changed");
        answer
    }

    async fn script(&mut self, hash: &str, keys: &[&str], arguments: &[&[u8]]) -> Vec<Vec<u8>> {
        cmd("EVALSHA")
            .arg(hash)
            .arg(keys.len() + 1)
            .arg(keys)
            .arg("{surmise/1}process")
            .arg(arguments)
            .arg(&self.process)
            .query_async(&mut self.client)
            .await
            .unwrap()
    }

    /// What is done for want of anything better.
    async fn plain(&mut self, round: u64) {
        let key = format!("plain{round}");
        let set = |value: &str, only_if: &[&str]| {
            let mut set = cmd("SET");
            set.arg(&key).arg(value).arg(only_if).arg("PX").arg(90_000_000);
            set
        };
        for set in [set("in flight", &["NX"]), set("value", &[])] {
            let answer: Value = set.query_async(&mut self.client).await.unwrap();
            assert_eq!(answer, Value::Okay);
        }
    }
}
