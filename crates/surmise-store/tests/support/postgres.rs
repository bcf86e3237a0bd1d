//! What the tests of the store in PostgreSQL do with a server of it.

#![allow(clippy::unwrap_used, reason = "without a server there is no test")]
#![allow(dead_code, reason = "each test uses some of them")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::{Client, Config, NoTls};

use super::servers::{Postgres, Server};

impl Postgres {
    /// Returns a server for all tests of this process. It is stopped after them.
    pub(crate) fn shared() -> Option<&'static Server> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(|| Some(Self::find()?.start())).as_ref()
    }
}

impl Server {
    pub(crate) fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port()).user("postgres").dbname(database);
        config
    }

    pub(crate) async fn client(&self, database: &str) -> Client {
        let (client, connection) = self.config(database).connect(NoTls).await.unwrap();
        tokio::spawn(async { _ = connection.await });
        client
    }

    /// Makes an empty database of a name that no other test has.
    pub(crate) async fn database(&self, name: &str) -> Config {
        let client = self.client("postgres").await;
        client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).await.unwrap();
        self.config(name)
    }
}

/// Sends a signal to the process that serves one connection.
pub(crate) fn signal_backend(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Returns how many connections to the same database wait for locks.
pub(crate) async fn waiters(client: &Client) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
         WHERE wait_event_type = 'Lock' AND datname = current_database()";
    client.query_one(waiting, &[]).await.unwrap().get(0)
}
