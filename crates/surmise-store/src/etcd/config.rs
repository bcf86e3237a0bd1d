use core::{fmt, num::NonZeroU16, time::Duration};

/// How an [`EtcdStore`](super::EtcdStore) uses its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct EtcdConfig {
    /// The members' client URLs, such as `http://10.0.0.1:2379`. One is enough; with all of them, the store goes on to
    /// another member when one is down.
    pub endpoints: Vec<String>,
    /// What the names of all keys begin with, 1 to 255 bytes. Stores with the same prefix are the same store; whoever may
    /// write under it can do all that this crate does, and nothing else should.
    pub prefix: String,
    /// The user, if the cluster wants one. It needs the permission to read and to write all keys under the prefix.
    pub credentials: Option<EtcdCredentials>,
    /// How many requests there are at a time, from 1; usually as many as there are writers, up to some dozens. Each has
    /// a connection of its own, which is kept.
    pub max_connections: NonZeroU16,
    /// For how long a connection to one member is waited for, from about 10 ms to a second. When it is over, the
    /// next member is tried, and nothing was asked of this one. Lower means that a member that is gone costs less.
    pub connect_timeout: Duration,
    /// For how long the answer of one member is waited for, from about 100 ms to a third of the leases' TTL. When it is over,
    /// a read is asked of the next member, a write's outcome is indeterminate, and the next request goes to another
    /// member. It should be longer than a usual election, which is one to two seconds as etcd comes, if
    /// elections are to be waited out.
    pub request_timeout: Duration,
}

/// A member on this machine, where etcd listens if it is not told otherwise; the prefix `surmise/1/`, 16 connections, 500 ms for
/// connecting and 3 s for an answer.
impl Default for EtcdConfig {
    fn default() -> Self {
        Self {
            endpoints: vec!["http://127.0.0.1:2379".to_owned()],
            prefix: "surmise/1/".to_owned(),
            credentials: None,
            max_connections: NonZeroU16::MIN.saturating_add(15),
            connect_timeout: Duration::from_millis(500),
            request_timeout: Duration::from_secs(3),
        }
    }
}

/// A user of etcd.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct EtcdCredentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Without the password.
impl fmt::Debug for EtcdCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdCredentials").field("user", &self.user).finish_non_exhaustive()
    }
}
