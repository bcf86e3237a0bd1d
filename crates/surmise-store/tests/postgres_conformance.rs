//! The conformance suite on the PostgreSQL store.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]

mod support {
    pub(crate) mod postgres;
    pub(crate) mod servers;
    pub(crate) mod soak;
}

use core::time::Duration;

use surmise_store::{
    conformance::{self, idempotency},
    postgres::{PostgresConfig, PostgresStore},
};

use self::support::{servers::Postgres, soak::RealTime};

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
async fn executions_in_postgres_conform() {
    let Some(store) = store("executions").await else { return };
    let conforms = idempotency::run(&store, &RealTime).await;
    conforms.unwrap_or_else(|violations| panic!("{violations}"));
}
