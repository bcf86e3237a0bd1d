use core::{fmt, time::Duration};

use redis::{ConnectionAddr, IntoConnectionInfo as _};

use crate::StoreError;

/// How a [`RedisStore`](super::RedisStore) uses its server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct RedisConfig {
    /// The host and the port of the server, such as `10.0.0.1:6379`: of the one that writes, not of a replica.
    pub address: String,
    /// The number of the database, 0 in a cluster.
    pub database: u16,
    /// What the names of all keys begin with, between braces: 1 to 255 bytes without braces. Stores with the same prefix
    /// are the same store; whoever may write under it can do all that this crate does, and nothing else should.
    pub prefix: String,
    /// The user, if the server wants one.
    pub credentials: Option<RedisCredentials>,
    /// For how long a request waits for a connection and what is looked at with it, from about 100 ms to some seconds. When
    /// it is over, nothing was asked. Lower means that a server that is gone is noticed earlier.
    pub connect_timeout: Duration,
    /// For how long the answer to a request is waited for, from about 50 ms to a third of the leases' TTL. When it is over,
    /// the outcome is indeterminate, and the next request has another connection. It should be longer than the
    /// disk takes at its worst.
    pub request_timeout: Duration,
}

impl RedisConfig {
    /// Returns the configuration for a URL such as `redis://user:password@10.0.0.1:6379/0`.
    ///
    /// # Errors
    ///
    /// If it is no such URL, or wants TLS, for which there is [`connect_with`](super::RedisStore::connect_with).
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        let unusable = |problem: String, remedy| StoreError::Unusable {
            // What was given may have a password in it.
            store: "Redis".to_owned(),
            problem,
            remedy,
        };
        let info = url.into_connection_info().map_err(|error| {
            unusable(
                error.to_string(),
                "write the URL as redis://[USER:PASSWORD@]HOST:PORT[/DATABASE]",
            )
        })?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            let problem = "the URL wants TLS or a socket in the file system".to_owned();
            return Err(unusable(problem, "use `RedisStore::connect_with`"));
        };
        let settings = info.redis_settings();
        let Ok(database) = u16::try_from(settings.db()) else {
            let problem = format!("there is no database {}", settings.db());
            return Err(unusable(problem, "choose another database"));
        };
        let known = settings.username().or(settings.password());
        let credentials = known.map(|_| RedisCredentials {
            user: settings.username().unwrap_or(DEFAULT_USER).to_owned(),
            password: settings.password().unwrap_or_default().to_owned(),
        });
        // An address of IPv6 stands between brackets.
        let address = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        Ok(Self { address, database, credentials, ..Self::default() })
    }
}

/// The server on this machine, where Redis listens if it is not told otherwise; database 0, the prefix `surmise/1`, 2 s for
/// connecting and 2 s for an answer.
impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:6379".to_owned(),
            database: 0,
            prefix: "surmise/1".to_owned(),
            credentials: None,
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(2),
        }
    }
}

/// A user of Redis.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct RedisCredentials {
    /// The name; `default` where the server has only a password.
    pub user: String,
    /// The password; whatever it is, for a user who has none (`nopass`).
    pub password: String,
}

/// Without the password.
impl fmt::Debug for RedisCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCredentials").field("user", &self.user).finish_non_exhaustive()
    }
}

const DEFAULT_USER: &str = "default";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let known = |user: &str, password: &str| {
            Some(RedisCredentials { user: user.to_owned(), password: password.to_owned() })
        };
        for (url, address, database, credentials) in [
            ("redis://127.0.0.1", "127.0.0.1:6379", 0, None),
            ("redis://db.example:1/3", "db.example:1", 3, None),
            ("redis://me:p@db:1", "db:1", 0, known("me", "p")),
            ("redis://:p@db:1", "db:1", 0, known("default", "p")),
            ("redis://me@db:1", "db:1", 0, known("me", "")),
            ("redis://[::1]:1", "[::1]:1", 0, None),
        ] {
            let config = RedisConfig {
                address: address.to_owned(),
                database,
                credentials,
                ..RedisConfig::default()
            };
            assert_eq!(RedisConfig::from_url(url).unwrap(), config);
        }
        let wrong =
            ["", "a:1", "http://me:secret@a:1", "rediss://me:secret@a:1", "redis+unix:///a"];
        for url in wrong.into_iter().chain(["redis://a:1/70000", "redis://a:1/-1", "redis://a:1/x"])
        {
            let error = RedisConfig::from_url(url).unwrap_err();
            assert!(matches!(error, StoreError::Unusable { .. }), "{url}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let config = RedisConfig::from_url("redis://me:secret@db").unwrap();
        assert!(!format!("{config:?}").contains("secret"));
    }
}
