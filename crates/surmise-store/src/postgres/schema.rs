use tokio_postgres::{Client, Error, GenericClient, IsolationLevel, error::SqlState};

use super::error::refused;
use crate::StoreError;

/// Creates the schema `surmise` with its tables, or brings it to this version, in one transaction.
///
/// Many may do so at once: they wait for each other. A schema that is as it should be is left alone, and takes one
/// query. [`PostgresStore`](super::PostgresStore) does this when it connects; it is for those who use the functions of this
/// module only, and for a deployment whose services may not create tables. There is no time limit but the connection's.
///
/// # Errors
///
/// If the schema is a newer version's or somebody else's, which is not touched then; if tables cannot be created; and if
/// the server cannot be asked. As it is one transaction, it is always safe to do again.
pub async fn migrate(client: &mut Client) -> Result<(), StoreError> {
    migrate_at("PostgreSQL", client).await
}

pub(super) async fn migrate_at(store: &str, client: &mut Client) -> Result<(), StoreError> {
    if inspect(store, client).await? == VERSION {
        return Ok(());
    }
    // Under a higher level the version would be read by a snapshot from before the lock.
    let begin = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start();
    let transaction = begin.await.map_err(|error| refused(store, error))?;
    let lock = transaction.query_typed(LOCK, &[]).await;
    lock.map_err(|error| refused(store, error))?;
    let version = inspect(store, &transaction).await?;
    for step in MIGRATIONS.iter().skip(version) {
        let done = transaction.batch_execute(step).await;
        done.map_err(|error| refused(store, error))?;
    }
    transaction.commit().await.map_err(|error| refused(store, error))
}

/// Checks that the schema is there, and this version's.
pub(super) async fn check(store: &str, client: &Client) -> Result<(), StoreError> {
    match inspect(store, client).await? {
        VERSION => Ok(()),
        version => Err(StoreError::Unusable {
            store: store.to_owned(),
            problem: match version {
                0 => "there is no schema \"surmise\"".to_owned(),
                older => format!("its schema is version {older}, and this is version {VERSION}"),
            },
            remedy: MISSING,
        }),
    }
}

/// What to do if there are no tables.
pub(super) const MISSING: &str = "connect with `migrate: true`, or let somebody who may create tables call \
     `surmise_store::postgres::migrate`";

/// Returns the version of the schema, 0 if there is none.
async fn inspect<C: GenericClient + Sync>(store: &str, on: &C) -> Result<usize, StoreError> {
    let failed = |error| refused(store, error);
    let corrupt = |problem| StoreError::Corrupt { store: store.to_owned(), problem };
    let row = on.query_typed_one(LOOK, &[]).await.map_err(failed)?;
    if !row.try_get::<_, bool>("store").map_err(failed)? {
        return match row.try_get::<_, Option<String>>("other").map_err(failed)? {
            None => Ok(0),
            Some(other) => Err(corrupt(format!(
                "the schema \"surmise\" has {other:?}, but no table \"store\""
            ))),
        };
    }
    let row = match on.query_typed_opt(FORMAT, &[]).await {
        Ok(row) => row.ok_or_else(|| corrupt("surmise.store has no row".to_owned()))?,
        Err(error) if is_foreign(&error) => {
            return Err(corrupt(format!("surmise.store is another table: {error}")));
        }
        Err(error) => return Err(failed(error)),
    };
    let [format, version]: [String; 2] = [row.try_get(0), row.try_get(1)]
        .into_iter()
        .collect::<Result<Vec<_>, Error>>()
        .map_err(failed)?
        .try_into()
        .unwrap_or_default();
    match version.parse() {
        Ok(version @ 1..=VERSION) if format == MARK => Ok(version),
        Ok(newer) if format == MARK && newer > VERSION => Err(StoreError::Unusable {
            store: store.to_owned(),
            problem: format!("its schema is version {newer}, and this knows those to {VERSION}"),
            remedy: "use the version of surmise-store that made it, or a later one",
        }),
        _ => Err(corrupt(format!("surmise.store has format {format:?}, version {version:?}"))),
    }
}

fn is_foreign(error: &Error) -> bool {
    let code = error.code();
    [SqlState::UNDEFINED_COLUMN, SqlState::WRONG_OBJECT_TYPE].iter().any(|it| code == Some(it))
}

const VERSION: usize = MIGRATIONS.len();

const MARK: &str = "surmise-store";

/// The number is that of this crate alone: "surmise" in ASCII.
const LOCK: &str = "SELECT FROM pg_advisory_xact_lock(32498756644074341)";

const LOOK: &str = "\
SELECT to_regclass('surmise.store') IS NOT NULL AS store,
    (SELECT min(relname::text) FROM pg_class WHERE relnamespace = to_regnamespace('surmise')) AS other";

const FORMAT: &str = "SELECT format::text, version::text FROM surmise.store";

/// What brings the schema from each version to the next, from 0: nothing.
///
/// Names are compared bytewise, and passes too, as `bytea` always is. The checks are for those who write to the tables
/// by hand.
const MIGRATIONS: [&str; 2] = [LEASES, EXECUTIONS];

const LEASES: &str = "\
CREATE SCHEMA IF NOT EXISTS surmise;
CREATE TABLE surmise.store (
    format text PRIMARY KEY CHECK (format = 'surmise-store'),
    version integer NOT NULL,
    epoch bigint NOT NULL CHECK (epoch >= 1)
);
INSERT INTO surmise.store (format, version, epoch) VALUES ('surmise-store', 1, 1);
CREATE TABLE surmise.lease (
    resource text COLLATE \"C\" PRIMARY KEY,
    epoch bigint NOT NULL CHECK (epoch >= 1),
    counter bigint NOT NULL CHECK (counter >= 1),
    nonce bigint NOT NULL,
    holder text NOT NULL,
    expires timestamptz
);
CREATE TABLE surmise.fence (
    resource text COLLATE \"C\" PRIMARY KEY,
    floor bytea CHECK (octet_length(floor) = 32)
);
CREATE TABLE surmise.entry (
    resource text COLLATE \"C\",
    key bytea,
    value bytea,
    pass bytea NOT NULL CHECK (octet_length(pass) = 32),
    PRIMARY KEY (resource, key)
);
COMMENT ON SCHEMA surmise IS 'Leases and fenced values of surmise-store';
COMMENT ON COLUMN surmise.lease.expires IS 'By clock_timestamp() of this server; null if it was given back. Never delete a row: its counter is what keeps tokens from being issued twice';
COMMENT ON COLUMN surmise.fence.floor IS 'Epoch, counter, nonce and 0, 8 big-endian bytes each; null if it was never raised';
COMMENT ON COLUMN surmise.entry.pass IS 'Epoch, counter, nonce and sequence, 8 big-endian bytes each';
COMMENT ON COLUMN surmise.entry.value IS 'Null if it was removed; the row stays, so that no earlier holder writes it again';
";

/// The epoch of executions is a sequence too: it is read as it is now, whatever the snapshot.
const EXECUTIONS: &str = "\
CREATE SEQUENCE surmise.execution_epoch;
CREATE SEQUENCE surmise.execution_counter;
CREATE TABLE surmise.execution (
    key bytea PRIMARY KEY CHECK (octet_length(key) BETWEEN 4 AND 768),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 16),
    epoch bigint NOT NULL CHECK (epoch >= 1),
    counter bigint NOT NULL CHECK (counter >= 1),
    version bigint NOT NULL,
    nonce bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('in flight', 'completed', 'released')),
    recovers boolean NOT NULL,
    lease_ends timestamptz NOT NULL,
    forgotten_at timestamptz NOT NULL,
    value bytea
);
CREATE INDEX execution_forgotten_at ON surmise.execution (forgotten_at);
SELECT setval('surmise.execution_epoch', epoch) FROM surmise.store;
UPDATE surmise.store SET version = 2;
COMMENT ON SCHEMA surmise IS 'Leases, fenced values and executions of surmise-store';
COMMENT ON SEQUENCE surmise.execution_epoch IS 'Its last value is the epoch of the next execution, that of surmise.store';
COMMENT ON SEQUENCE surmise.execution_counter IS 'Drawn under the lock of the key; never set it back';
COMMENT ON COLUMN surmise.execution.key IS 'Tenant, operation and key, each after its length, which is one byte';
COMMENT ON COLUMN surmise.execution.version IS 'One more with each change under the same token';
COMMENT ON COLUMN surmise.execution.recovers IS 'Whether another was at it before';
COMMENT ON COLUMN surmise.execution.forgotten_at IS 'By clock_timestamp() of this server; from then on the row may be deleted, and not before';
COMMENT ON COLUMN surmise.execution.value IS 'The result of what is completed, the checkpoint of what is in flight';
";
