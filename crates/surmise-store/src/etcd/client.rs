use core::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use hyper::body::Bytes;
use parking_lot::Mutex;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::{sync::Semaphore, time::timeout};

use super::{
    EtcdConfig,
    connection::{Member, NoAnswer, Post},
    failed::{Failed, judge},
    wire::AuthenticateAnswer,
};
use crate::{LostReply, StoreError, stream::Connector};

/// Asks the members of a cluster.
pub(super) struct Client {
    name: String,
    config: EtcdConfig,
    connector: Connector,
    members: Vec<Member>,
    /// Who is asked first: the last that answered.
    preferred: AtomicUsize,
    permits: Semaphore,
    token: Mutex<Option<String>>,
}

impl Client {
    pub(super) fn new(
        name: String,
        config: EtcdConfig,
        connector: Connector,
        members: Vec<Member>,
    ) -> Self {
        let permits = Semaphore::new(config.max_connections.get().into());
        let preferred = AtomicUsize::new(0);
        Self { name, config, connector, members, preferred, permits, token: Mutex::new(None) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Asks for something that counts: it is sent to one member only, once.
    pub(super) async fn once<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, Failed> {
        self.authenticated(path, body, false).await
    }

    /// Asks for something that does no harm if it is done twice: of one member after another, until one answers.
    pub(super) async fn anyone<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, StoreError> {
        self.authenticated(path, body, true).await.map_err(|failed| failed.harmless(&self.name))
    }

    /// Says that an answer did not come, or was none to what was asked.
    pub(super) fn lost(&self, source: impl Into<crate::BoxError>) -> LostReply {
        LostReply::new(&self.name, source)
    }

    pub(super) fn corrupt(&self, key: &[u8], expected: &str) -> StoreError {
        let problem = format!("the key {} is not {expected}", key.escape_ascii());
        StoreError::Corrupt { store: self.name.clone(), problem }
    }

    async fn authenticated<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        again: bool,
    ) -> Result<A, Failed> {
        let body = to_bytes(body)?;
        let token = self.token(None).await?;
        match self.ask(path, body.clone(), token.clone(), again).await {
            Err(Failed::Unauthenticated(_)) if token.is_some() => {
                let token = self.token(token).await?;
                self.ask(path, body, token, again).await
            }
            answer => answer,
        }
    }

    /// Returns the token of a session, if there is a user: another one than that which is over.
    async fn token(&self, over: Option<String>) -> Result<Option<String>, Failed> {
        let Some(credentials) = &self.config.credentials else { return Ok(None) };
        let known = self.token.lock().clone();
        if known.is_some() && known != over {
            return Ok(known);
        }
        let body = json!({"name": credentials.user, "password": credentials.password});
        let answer: AuthenticateAnswer = self
            .ask("/v3/auth/authenticate", to_bytes(&body)?, None, true)
            .await
            // Whether there is another session is of no account.
            .map_err(|failed| Failed::Refused(failed.harmless(&self.name)))?;
        *self.token.lock() = Some(answer.token.clone());
        Ok(Some(answer.token))
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        body: Bytes,
        token: Option<String>,
        again: bool,
    ) -> Result<A, Failed> {
        let post = Post { path, body, token, again };
        // Not a part of each attempt: that there is none for so long is no member's fault.
        let limit = self.config.request_timeout;
        let Ok(Ok(_permit)) = timeout(limit, self.permits.acquire()).await else {
            let busy = format!("all connections were in use for {limit:?}, the `request_timeout`");
            return Err(Failed::NotSent(busy.into()));
        };
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        let mut was_sent = false;
        for turn in 0..self.members.len() {
            let at = (first + turn) % self.members.len();
            let Some(member) = self.members.get(at) else { break };
            let failure = match member.ask(&self.connector, &self.config, &post).await {
                Ok((200, body)) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    return serde_json::from_slice(&body).map_err(|error| {
                        Failed::Lost(format!("what it answered is not understood: {error}").into())
                    });
                }
                Ok((status, body)) => match judge(&self.name, status, &body) {
                    Failed::Lost(error) => NoAnswer::Lost(error),
                    refused => return Err(refused),
                },
                Err(no_answer) => no_answer,
            };
            // Who comes next begins with the next one.
            member.forget();
            _ = self.preferred.compare_exchange(
                at,
                (at + 1) % self.members.len(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            let (NoAnswer::NotSent(error) | NoAnswer::Lost(error)) = &failure;
            failures.push(format!("{}: {error}", member.authority()));
            was_sent |= matches!(failure, NoAnswer::Lost(_));
            if was_sent && !again {
                break;
            }
        }
        let failures = failures.join("; ").into();
        Err(if was_sent { Failed::Lost(failures) } else { Failed::NotSent(failures) })
    }
}

fn to_bytes(body: &impl Serialize) -> Result<Bytes, Failed> {
    serde_json::to_vec(body).map(Bytes::from).map_err(|error| Failed::NotSent(error.into()))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::io;

    use serde_json::Value;
    use tokio::net::TcpStream;

    use super::*;
    use crate::{
        etcd::{endpoint::Endpoint, wire::TxnAnswer},
        stream::boxed,
    };

    #[tokio::test]
    async fn what_waits_here_is_no_member_s_fault() {
        let connector =
            boxed(|_| async { Err::<TcpStream, _>(io::Error::other("a member was asked")) });
        let members = ["http://a:1", "http://b:1", "http://c:1"]
            .map(|url| Member::new(Endpoint::parse("it", url).unwrap()));
        let config = EtcdConfig { request_timeout: Duration::ZERO, ..EtcdConfig::default() };
        let client = Client::new("it".to_owned(), config, connector, members.into());
        let all = client.permits.acquire_many(16).await.unwrap();
        let busy = client.anyone::<TxnAnswer>("/", &Value::Null).await.unwrap_err().to_string();
        assert_eq!(busy.matches("all connections were in use").count(), 1, "{busy}");
        assert!(!busy.contains("a member was asked"), "{busy}");
        assert!(matches!(
            client.once::<TxnAnswer>("/", &Value::Null).await,
            Err(Failed::NotSent(_))
        ));
        assert_eq!(client.preferred.load(Ordering::Relaxed), 0);
        drop(all);
        let asked = client.anyone::<TxnAnswer>("/", &Value::Null).await.unwrap_err().to_string();
        assert_eq!(asked.matches("a member was asked").count(), 3, "{asked}");
    }
}
