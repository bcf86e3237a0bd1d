use core::{num::NonZeroU16, time::Duration};

/// How a [`PostgresStore`](super::PostgresStore) uses its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct PostgresConfig {
    /// How many connections there are at most, from 1; usually as many as there are writers at a time, up to a dozen. Each
    /// is used by one request at a time. Higher means that more requests share a flush of the server's log.
    pub max_connections: NonZeroU16,
    /// For how long a request waits for a connection, whether for a free or a new one, from about 100 ms to some
    /// seconds. When it is over, nothing was asked. Of several hosts, each is waited for an equal part of it, unless
    /// their own `connect_timeout` says for how long. Higher means that more load is waited out, and that a
    /// server that is down is noticed later.
    pub connect_timeout: Duration,
    /// For how long the answer to a request is waited for, from about 100 ms to a third of the leases' TTL. When it is
    /// over, the outcome is indeterminate. The server is told to give up after four fifths of it, so that waiting
    /// for a lock ends in a plain refusal.
    pub request_timeout: Duration,
    /// Whether the schema is created and migrated if need be. Otherwise one that is not as it should be is an error.
    pub migrate: bool,
}

/// Four connections, 5 s to wait for one and 3 s for an answer, and the schema is created.
impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            max_connections: NonZeroU16::MIN.saturating_add(3),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(3),
            migrate: true,
        }
    }
}
