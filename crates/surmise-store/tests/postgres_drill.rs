//! Callers at random against a PostgreSQL server that is killed over and over.
//!
//! As many operations as the environment's `SURMISE_TEST_OPERATIONS` says, or six thousand.

#![cfg(unix)]
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a test has it"
)]

mod support {
    pub(crate) mod postgres;
    pub(crate) mod servers;
    pub(crate) mod soak;
}

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use surmise_store::{
    conformance::idempotency::{Drill, Tally},
    postgres::{PostgresConfig, PostgresStore},
};
use surmise_time::{BootClock, MonotonicClock as _};

use self::support::{
    servers::{Postgres, Server},
    soak::RealTime,
};

/// Kills it several times a second, or every few seconds of a long drill, and returns how often.
fn kill_until(mut server: Server, operations: u64, over: &AtomicBool) -> (u64, Server) {
    let factor = (operations / 100_000 + 1).min(8);
    let mut random = fastrand::Rng::with_seed(11);
    for kills in 0.. {
        let end = BootClock.now() + Duration::from_millis(factor * random.u64(50..400));
        while BootClock.now() < end {
            thread::park_timeout(Duration::from_millis(20));
            if over.load(Ordering::Relaxed) {
                return (kills, server);
            }
        }
        server.restart();
    }
    unreachable!("it goes on for ever")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_many_kills_effects_happen_once_and_results_stay_the_same() {
    let Some(postgres) = Postgres::find() else { return };
    let operations = env::var("SURMISE_TEST_OPERATIONS").ok();
    let operations = operations.map_or(6_000, |operations| operations.parse().unwrap());
    let server = postgres.start();
    let config = PostgresConfig {
        max_connections: 24.try_into().unwrap(),
        connect_timeout: Duration::from_secs(60),
        request_timeout: Duration::from_secs(60),
        migrate: true,
    };
    let (store, _) = PostgresStore::connect(server.config("postgres"), config).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&over);
    let killer = thread::spawn(move || kill_until(server, operations, &told));
    let drill = Drill { operations, callers: 64, ..Drill::new(operations) };
    let tally = drill.run(&store, &RealTime).await;
    over.store(true, Ordering::Relaxed);
    let (kills, _server) = killer.join().unwrap();
    let tally = tally.unwrap_or_else(|violation| panic!("after {kills} kills: {violation}"));
    println!("{kills} kills, {tally:?}");
    assert!(kills > 0 && tally.failed > 0, "{kills} kills, {tally:?}");
    let Tally { executed, recovered, replayed, effects, completed, indeterminate, .. } = tally;
    for count in [executed, recovered, replayed, effects, completed, indeterminate] {
        assert!(count > operations / 100, "{tally:?}");
    }
    let Tally { released, fenced, forgotten, late_effects, .. } = tally;
    for count in [released, fenced, forgotten, late_effects] {
        assert!(count > operations / 2000, "{tally:?}");
    }
}
