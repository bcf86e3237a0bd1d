//! Callers at random on one connection that breaks, while the server is killed: what they hear can be.

#![cfg(target_os = "linux")]

mod support {
    pub(crate) mod redis;
    pub(crate) mod servers;
    pub(crate) mod soak;
    pub(crate) mod watched;
}

use core::time::Duration;

use fastrand::Rng;
use surmise_store::{
    conformance::idempotency::{Drill, Tally},
    redis::RedisStore,
};

use self::support::{
    redis::config,
    servers::{Redis, Server},
    soak::RealTime,
    watched::Wire,
};

/// What happens to the requests is on the way below the client, and above it as the drill has it.
#[tokio::test]
async fn killed_servers_and_broken_connections_do_no_harm() {
    let Some(redis) = Redis::find() else { return };
    let mut server = redis.start();
    let wire = Wire::default();
    let open = wire.clone();
    let connected =
        RedisStore::connect_with(config(&server), move |address| open.clone().open(address));
    let store = connected.await.unwrap().durable().unwrap();
    let drill = Drill::new(0x7265_6469);
    let tally = tokio::select! {
        tally = drill.run(&store, &RealTime) => tally,
        never = harm(&mut server, &wire) => never,
    };
    let tally = tally.unwrap_or_else(|violation| panic!("{violation}"));
    println!("{tally:?}");
    // It is of no use if nothing happened.
    let Tally { executed, recovered, replayed, in_flight, effects, completed, .. } = tally;
    for count in [executed, recovered, replayed, in_flight, effects, completed] {
        assert!(count > 100, "{tally:?}");
    }
    let Tally { late_effects, released, fenced, forgotten, indeterminate, .. } = tally;
    for count in [late_effects, released, fenced, forgotten, indeterminate] {
        assert!(count > 5, "{tally:?}");
    }
}

/// Breaks the connection over and over, and kills the server now and then.
async fn harm<T>(server: &mut Server, wire: &Wire) -> T {
    let mut rng = Rng::with_seed(9);
    loop {
        tokio::time::sleep(Duration::from_millis(rng.u64(5..60))).await;
        if rng.u8(..8) == 0 {
            server.kill();
            server.restart();
        } else {
            wire.lose(rng.u32(1..6));
        }
    }
}
