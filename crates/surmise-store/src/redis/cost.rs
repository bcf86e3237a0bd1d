//! What the store costs beside the bare client. To be run alone, and optimised:
//!
//! `cargo test --release -p surmise-store --features redis --lib redis::cost -- --ignored --nocapture`

mod executions;

use core::time::Duration;

use redis::{Script, Value, aio::MultiplexedConnection, cmd};
use surmise_fence::{FencingToken, Pass};
use surmise_time::{BootClock, MonotonicClock as _};

use super::{RedisConfig, RedisStore, Weakness, record, scripts::LUA};
use crate::{
    FencedStore as _,
    servers::{Redis, Server},
};

const ROUNDS: u64 = 10_000;

/// Prints the median and the 99th percentile of each, in microseconds.
fn print(what: &str, times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
    println!("{what:40} p50 {:7.1} µs, p99 {:7.1} µs", at(50), at(99));
    at(50)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn beside_the_bare_client() {
    let Some(redis) = Redis::find() else { return };
    // Also without the disk's part, which is the same for all, and noisy.
    for policy in ["always", "no"] {
        println!("with appendfsync {policy}");
        let options = ["--appendonly", "yes", "--appendfsync", policy, "--save", ""];
        compare(&redis.start_with(&options)).await;
    }
}

/// Returns a store, and a connection without it.
async fn connect(server: &Server) -> (RedisStore, MultiplexedConnection) {
    let config =
        RedisConfig { address: format!("127.0.0.1:{}", server.port()), ..RedisConfig::default() };
    let connected = RedisStore::connect(config).await.unwrap();
    let store = connected.accept(&[Weakness::LateSync]).unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    (store, client.get_multiplexed_async_connection().await.unwrap())
}

async fn compare(server: &Server) {
    let (store, mut client) = connect(server).await;
    let script = Script::new(LUA.write);
    let token = FencingToken::first(1);
    store.raise("ledger", token).await.unwrap().applied().unwrap();
    // The server is to know the script.
    store.write("ledger", b"ours", b"value", token).await.unwrap().applied().unwrap();
    let process: String =
        cmd("GET").arg("{surmise/1}process").query_async(&mut client).await.unwrap();
    let [mut bare, mut ours, mut plain] = [(); 3].map(|()| Vec::new());
    for sequence in 1..=ROUNDS {
        let pass = Pass::from(token).with_sequence(sequence);
        // In turns, so that what else the machine does meets all alike.
        for turn in [sequence % 2, 1 - sequence % 2] {
            if turn == 0 {
                let digits = record::pass_digits(pass);
                let entry = record::entry_to_bytes(Some(b"value"), pass);
                let start = BootClock.now();
                let answer: Vec<String> = cmd("EVALSHA")
                    .arg(script.get_hash())
                    .arg(3)
                    .arg("{surmise/1}floor/ledger")
                    .arg("{surmise/1}value/ledger\0bare")
                    .arg("{surmise/1}process")
                    .arg(digits)
                    .arg(entry)
                    .arg(&process)
                    .query_async(&mut client)
                    .await
                    .unwrap();
                bare.push(BootClock.now() - start);
                assert_eq!(answer, ["done"]);
            } else {
                let start = BootClock.now();
                let write = store.write("ledger", b"ours", b"value", pass).await;
                ours.push(BootClock.now() - start);
                assert!(write.unwrap().is_done());
            }
        }
        let start = BootClock.now();
        let set: Value =
            cmd("SET").arg("plain").arg(sequence).query_async(&mut client).await.unwrap();
        plain.push(BootClock.now() - start);
        assert_eq!(set, Value::Okay);
    }
    let bare = print("the same script, bare client", &mut bare);
    let ours = print("RedisStore::write", &mut ours);
    print("a SET without a fence", &mut plain);
    println!("overhead at p50: {:+.1} %", (ours / bare - 1.0) * 100.0);
}
