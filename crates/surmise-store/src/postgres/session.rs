//! The connections of a store.

use core::future::Future;

use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout, timeout_at},
};
use tokio_postgres::{Client, Error, Row, types::ToSql};

use super::{
    PostgresConfig,
    connector::{Connector, Link, Task},
    durability::Durability,
    error::{Failed, READ_ONLY, judge, refused},
    run::{Prepared, Run},
    schema,
    sql::{Statements, Which},
};
use crate::{LostReply, StoreError};

/// The connections of a store: so many at most, each used by one request at a time.
pub(super) struct Sessions {
    name: String,
    connector: Connector,
    config: PostgresConfig,
    sql: &'static Statements,
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
    /// What the caller was told when the store was connected. No later connection is to be worse.
    durability: Mutex<Option<Durability>>,
}

/// A connection that waits for work.
struct Idle {
    prepared: Prepared,
    durability: Durability,
    task: Task,
}

impl Sessions {
    pub(super) fn new(
        name: String,
        connector: Connector,
        config: PostgresConfig,
        sql: &'static Statements,
    ) -> Self {
        let permits = usize::from(config.max_connections.get());
        Self {
            name,
            connector,
            config,
            sql,
            permits: Semaphore::new(permits),
            idle: Mutex::new(Vec::with_capacity(permits)),
            durability: Mutex::new(None),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes a connection: an idle one, or else a new one. Until then nothing was asked of the server.
    pub(super) async fn take(&self) -> Result<Session<'_>, StoreError> {
        // Mostly there is one, and no timer to be set.
        if let Ok(permit) = self.permits.try_acquire()
            && let Some(idle) = self.pop()
        {
            return Ok(Session { sessions: self, idle, _permit: permit });
        }
        let limit = self.config.connect_timeout;
        let deadline = Instant::now().checked_add(limit);
        let taken = async {
            let permit = self.permits.acquire().await.map_err(|closed| self.unavailable(closed))?;
            let idle = match self.pop() {
                Some(idle) => idle,
                None => self.connect().await?,
            };
            Ok(Session { sessions: self, idle, _permit: permit })
        };
        match deadline {
            Some(deadline) => timeout_at(deadline, taken).await,
            None => Ok(taken.await),
        }
        .unwrap_or_else(|_| {
            Err(self.unavailable(format!("no connection within {limit:?}, the `connect_timeout`")))
        })
    }

    fn pop(&self) -> Option<Idle> {
        let mut all = self.idle.lock();
        // Those that broke while they were idle are thrown away.
        core::iter::from_fn(|| all.pop()).find(|idle| !idle.prepared.client.is_closed())
    }

    async fn connect(&self) -> Result<Idle, StoreError> {
        let link = self.connector.connect().await;
        let Link { mut client, task } = link.map_err(|error| self.not_connected(error))?;
        let failed = |error| refused(&self.name, error);
        client.batch_execute(&self.settings()).await.map_err(failed)?;
        let durability = self.inspect(&client).await?;
        if self.config.migrate {
            schema::migrate_at(&self.name, &mut client).await?;
        } else {
            schema::check(&self.name, &client).await?;
        }
        let prepared = Prepared::new(client, self.sql).await.map_err(failed)?;
        Ok(Idle { prepared, durability, task })
    }

    /// Says for how long the server may work on a statement: it shall give up, and say so, before its client does.
    /// The server's limit ends before a commit, so that no commit is given up half-way.
    fn settings(&self) -> String {
        let limit = (self.config.request_timeout / 5 * 4).as_millis();
        let limit = i32::try_from(limit).unwrap_or(i32::MAX).max(1);
        // All that is asked has an index; but of a table that was never analysed, the planner would rather read all.
        format!(
            "SET statement_timeout = {limit}; SET default_transaction_isolation = 'read committed'; \
             SET enable_seqscan = off; SET jit = off"
        )
    }

    /// Checks the server and its settings.
    async fn inspect(&self, client: &Client) -> Result<Durability, StoreError> {
        let failed = |error| refused(&self.name, error);
        let row = client.query_typed_one(LOOK, &[]).await.map_err(failed)?;
        check_version(&self.name, row.try_get("version").map_err(failed)?)?;
        if row.try_get("read_only").map_err(failed)? {
            return Err(self.unusable("it is read-only, or a standby".to_owned(), READ_ONLY));
        }
        let encoding: String = row.try_get("encoding").map_err(failed)?;
        if encoding != "UTF8" {
            let problem = format!("its encoding is {encoding}, which has not all names");
            return Err(self.unusable(problem, "create a database with ENCODING 'UTF8'"));
        }
        let found = Durability::from_row(&row).map_err(failed)?;
        let first = *self.durability.lock().get_or_insert(found);
        if found.is_at_least(first) {
            return Ok(found);
        }
        let problem = format!("it is less durable than when the store was connected: {found:?}");
        Err(self.unusable(problem, "restore the server's settings, or connect the store anew"))
    }

    fn not_connected(&self, error: crate::BoxError) -> StoreError {
        match error.downcast::<Error>() {
            Ok(error) => refused(&self.name, *error),
            Err(source) => self.unavailable(source),
        }
    }

    fn unavailable(&self, source: impl Into<crate::BoxError>) -> StoreError {
        StoreError::Unavailable { store: self.name.clone(), source: source.into() }
    }

    fn unusable(&self, problem: String, remedy: &'static str) -> StoreError {
        StoreError::Unusable { store: self.name.clone(), problem, remedy }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        // Nothing is under way, so that the server can be told good-bye.
        for idle in self.idle.get_mut().drain(..) {
            idle.task.let_run();
        }
    }
}

/// A connection in use. It is used again only if its request was answered.
pub(super) struct Session<'a> {
    sessions: &'a Sessions,
    idle: Idle,
    _permit: SemaphorePermit<'a>,
}

/// What became of a request that was sent.
pub(super) enum Reply<T> {
    Answer(T),
    Lost(LostReply),
}

impl Session<'_> {
    pub(super) const fn durability(&self) -> Durability {
        self.idle.durability
    }

    /// Gives the connection back unused.
    pub(super) fn release(self) {
        self.sessions.idle.lock().push(self.idle);
    }

    /// Waits for an answer, for as long as a request may take.
    pub(super) async fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Option<Result<T, Error>> {
        timeout(self.sessions.config.request_timeout, answer).await.ok()
    }

    /// Gives the connection back, if it can be used again, and says what its request came to.
    pub(super) fn settle<T>(
        self,
        answer: Option<Result<T, Error>>,
    ) -> Result<Reply<T>, StoreError> {
        let Sessions { name, config, idle, .. } = self.sessions;
        match answer {
            Some(Ok(answer)) => {
                idle.lock().push(self.idle);
                Ok(Reply::Answer(answer))
            }
            Some(Err(error)) => match judge(name, error) {
                // The connection is as good as it was, but perhaps not the statements that were prepared on it.
                Failed::Refused(error) => Err(error),
                Failed::Unknown(error) => Ok(Reply::Lost(LostReply::new(name, error))),
            },
            None => {
                let limit = config.request_timeout;
                let late = format!("no answer within {limit:?}, the `request_timeout`");
                Ok(Reply::Lost(LostReply::new(name, late)))
            }
        }
    }
}

impl Run for Session<'_> {
    fn run(
        &self,
        which: Which,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send {
        self.idle.prepared.run(which, parameters)
    }
}

/// Checks that the server is new enough: `MATERIALIZED` came with 12.
fn check_version(store: &str, version: i32) -> Result<(), StoreError> {
    if version >= MIN_VERSION {
        return Ok(());
    }
    Err(StoreError::Unusable {
        store: store.to_owned(),
        problem: format!("it is PostgreSQL {}", version / 10_000),
        remedy: "use PostgreSQL 12 or later",
    })
}

const MIN_VERSION: i32 = 120_000;

/// What is to be known of a server. Also keeps `synchronous_commit` for the connection as it is, unless it is off: what the
/// operator sets later is for those who look again.
const LOOK: &str = "\
SELECT current_setting('server_version_num')::int4 AS version,
    pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS read_only,
    current_setting('server_encoding') AS encoding,
    current_setting('fsync')::bool AS fsync,
    current_setting('full_page_writes')::bool AS full_page_writes,
    CASE WHEN current_setting('synchronous_commit') <> 'off'
        THEN set_config('synchronous_commit', current_setting('synchronous_commit'), false) <> 'off'
        ELSE false END AS synchronous_commit,
    current_setting('synchronous_commit') NOT IN ('off', 'local')
        AND current_setting('synchronous_standby_names') <> '' AS synchronous_standbys,
    (SELECT setting::int8 FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout')
        AS idle_in_transaction";

#[cfg(test)]
mod tests {
    use super::{
        super::{servers::Postgres, sql::SQL},
        *,
    };

    /// A connection is as durable as it was when it was made, whatever is set for all later.
    #[tokio::test]
    async fn a_reload_does_not_make_a_connection_forget() {
        let Some(postgres) = Postgres::find() else { return };
        let server = postgres.start();
        let connector = Connector::Plain(Box::new(server.config("postgres")));
        let sessions = Sessions::new("it".to_owned(), connector, PostgresConfig::default(), &SQL);
        let session = sessions.take().await.unwrap();
        let client = &session.idle.prepared.client;
        let before = "CREATE TEMPORARY TABLE before AS SELECT pg_conf_load_time() AS time";
        client.batch_execute(before).await.unwrap();
        let operator = server.client("postgres").await;
        operator.batch_execute("ALTER SYSTEM SET synchronous_commit = off").await.unwrap();
        operator.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let is_read = "SELECT pg_conf_load_time() > time FROM before";
        while !client.query_one(is_read, &[]).await.unwrap().get::<_, bool>(0) {}
        let kept = client.query_one("SHOW synchronous_commit", &[]).await.unwrap();
        assert_eq!(kept.get::<_, &str>(0), "on");
    }

    #[test]
    fn an_old_server_is_refused() {
        check_version("it", 120_000).unwrap();
        let error = check_version("it", 110_022).unwrap_err().to_string();
        assert_eq!(error, "it cannot be used: it is PostgreSQL 11; use PostgreSQL 12 or later");
    }
}
