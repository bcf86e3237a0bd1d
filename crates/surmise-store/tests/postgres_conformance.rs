//! The conformance suite on the PostgreSQL store.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]

mod support {
    pub(crate) mod postgres;
    pub(crate) mod servers;
}

use core::time::Duration;

use surmise_store::{
    conformance::{self, Timer, faults::Workload},
    postgres::{PostgresConfig, PostgresStore},
};
use surmise_time::{BootClock, Instant, MonotonicClock};

use self::support::servers::Postgres;

/// Time as it passes.
#[derive(Debug)]
struct RealTime;

impl MonotonicClock for RealTime {
    fn now(&self) -> Instant {
        BootClock.now()
    }
}

impl Timer for RealTime {
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

async fn store(database: &str) -> Option<PostgresStore> {
    let server = Postgres::shared()?.database(database).await;
    // A busy machine is not to be taken for a server that does not answer.
    let patience = Duration::from_secs(60);
    let config = PostgresConfig {
        max_connections: 8.try_into().unwrap(),
        connect_timeout: patience,
        request_timeout: patience,
        migrate: true,
    };
    Some(PostgresStore::connect(server, config).await.unwrap().0)
}

#[tokio::test]
async fn postgres_conforms() {
    let Some(store) = store("conformance").await else { return };
    conformance::run(&store, &RealTime).await.unwrap_or_else(|violations| panic!("{violations}"));
}

#[tokio::test]
async fn no_history_has_an_anomaly() {
    let Some(store) = store("histories").await else { return };
    for seed in 0..5 {
        let history = Workload::new(seed).run(&store, &RealTime).await.unwrap();
        history.check().unwrap_or_else(|anomaly| panic!("seed {seed}: {anomaly}"));
    }
}
