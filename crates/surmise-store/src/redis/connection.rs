//! One connection, which all requests share.

use core::time::Duration;
use std::sync::OnceLock;

use parking_lot::Mutex;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, RedisConnectionInfo, RedisError, RedisResult, Value,
    aio::MultiplexedConnection,
};
use surmise_time::Instant;
use tokio::task::AbortHandle;

use super::{RedisConfig, failed::CREDENTIALS};
use crate::{StoreError, stream::Connector};

/// A connection, for as long as somebody has it. What is sent on it is sent once: the client library neither connects again nor
/// repeats a request.
pub(super) struct Connection {
    requests: MultiplexedConnection,
    task: AbortHandle,
    /// Which store it is, and of which process; empty as long as nobody looked.
    process: OnceLock<Vec<u8>>,
    /// When somebody looked last.
    looked: Mutex<Option<Instant>>,
}

impl Connection {
    pub(super) async fn new(
        store: &str,
        connector: &Connector,
        config: &RedisConfig,
    ) -> Result<Self, StoreError> {
        let unavailable =
            |source: crate::BoxError| StoreError::Unavailable { store: store.to_owned(), source };
        let stream =
            connector(config.address.clone()).await.map_err(|error| unavailable(error.into()))?;
        let limits =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&info(config), stream, limits).await;
        let (requests, driver) = made.map_err(|error| match error.kind() {
            ErrorKind::AuthenticationFailed => StoreError::Unusable {
                store: store.to_owned(),
                problem: "it does not let the user in".to_owned(),
                remedy: CREDENTIALS,
            },
            ErrorKind::Server(_) | ErrorKind::Extension => StoreError::Unusable {
                store: store.to_owned(),
                problem: error.to_string(),
                remedy: "check the `database` and the `credentials`",
            },
            _ => unavailable(error.into()),
        })?;
        let task = tokio::spawn(driver).abort_handle();
        Ok(Self { requests, task, process: OnceLock::new(), looked: Mutex::new(None) })
    }

    /// Returns whether it has not ended yet, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        !self.task.is_finished()
    }

    /// Says what was connected to, which all that is asked from now on is meant for.
    pub(super) fn is_to(&self, process: Vec<u8>) {
        _ = self.process.set(process);
    }

    /// Says when its server was looked at; `None` to have it looked at again.
    pub(super) fn was_looked_at(&self, time: Option<Instant>) {
        *self.looked.lock() = time;
    }

    /// Returns whether its server need not be looked at again yet.
    pub(super) fn is_known(&self, now: Instant) -> bool {
        self.looked.lock().is_some_and(|looked| now.saturating_duration_since(looked) < LOOK)
    }

    pub(super) fn process(&self) -> &[u8] {
        self.process.get().map_or(&[], Vec::as_slice)
    }

    /// Asks for something, and returns what the server answered, be it an error.
    pub(super) async fn ask(&self, request: &Cmd) -> Result<Value, RedisError> {
        let answer: RedisResult<Value> = self.requests.clone().send_packed_command(request).await;
        answer
    }
}

/// Else it would wait for as long as a server that hangs.
impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// For how long a server is taken for what it was.
const LOOK: Duration = Duration::from_secs(10);

fn info(config: &RedisConfig) -> RedisConnectionInfo {
    let info =
        RedisConnectionInfo::default().set_db(config.database.into()).set_skip_set_lib_name();
    match &config.credentials {
        Some(known) => info.set_username(&known.user).set_password(&known.password),
        None => info,
    }
}
