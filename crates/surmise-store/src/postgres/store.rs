mod executions;

use core::{fmt, future::Future};

use surmise_fence::{FencingToken, Pass, Refusal, TokensExhausted};
use tokio_postgres::{Client, Config};

use super::{
    Durability, PostgresConfig,
    connector::{self, Connector, name},
    fence::{self, Raised},
    lease::{self, Answer},
    session::{Reply, Sessions},
    sql::{SQL, Statements},
};
use crate::{
    BoxError, Change, Entry, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore,
    Outcome, Resource, Revoked, StoreError, Ttl,
};

/// Leases and fenced values in a PostgreSQL database.
///
/// See the [module](super) on what it guarantees.
///
/// # Examples
///
/// ```no_run
/// use core::time::Duration;
/// use surmise_store::{
///     FencedStore as _, LeaseStore as _,
///     postgres::{PostgresConfig, PostgresStore},
/// };
///
/// # async fn example() -> Result<(), Box<dyn core::error::Error>> {
/// let server = "postgres://ledger@db.example/ledger?target_session_attrs=read-write".parse()?;
/// let (store, durability) = PostgresStore::connect(server, PostgresConfig::default()).await?;
/// if !durability.is_full() {
///     eprintln!("{durability}");
/// }
///
/// let lease = store.acquire("ledger", "node-1", Duration::from_secs(10)).await?;
/// store.raise("ledger", lease.pass()?).await?.applied()?;
/// store.write("ledger", b"balance", b"12", lease.next_pass()?).await?.applied()?;
/// # Ok(())
/// # }
/// ```
pub struct PostgresStore {
    sessions: Sessions,
}

impl PostgresStore {
    /// Connects to a server, without TLS.
    ///
    /// Also returns what the server's settings make of durability, which is to be looked at.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached within the `connect_timeout`, is older than PostgreSQL 12, read-only or has
    /// another encoding than UTF-8; and if its schema `surmise` is missing, a newer version's or
    /// somebody else's.
    pub async fn connect(
        mut server: Config,
        config: PostgresConfig,
    ) -> Result<(Self, Durability), StoreError> {
        let name = name(&server);
        connector::share_time(&mut server, config.connect_timeout);
        Self::open(name, Connector::Plain(Box::new(server)), config, &SQL).await
    }

    /// Connects by a function of the caller's, which returns connected clients: with TLS, or of a network of its own.
    ///
    /// It is called whenever a connection is needed, now and in place of one that broke, and has to see to it that the
    /// client's connection is polled. The client is the store's from then on, and has its `statement_timeout`
    /// and isolation level set. The `name` is the server's in errors.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), and what the function returns.
    pub async fn connect_with<F, C>(
        name: impl Into<String> + Send,
        connect: F,
        config: PostgresConfig,
    ) -> Result<(Self, Durability), StoreError>
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<Client, BoxError>> + Send + 'static,
    {
        let connector = Connector::Own(Box::new(move || Box::pin(connect())));
        Self::open(name.into(), connector, config, &SQL).await
    }

    pub(super) async fn open(
        name: String,
        connector: Connector,
        config: PostgresConfig,
        sql: &'static Statements,
    ) -> Result<(Self, Durability), StoreError> {
        let sessions = Sessions::new(name, connector, config, sql);
        let session = sessions.take().await?;
        let durability = session.durability();
        session.release();
        Ok((Self { sessions }, durability))
    }

    /// Returns a question's answer. That it was lost is an error: nothing was to happen.
    fn answer<T>(&self, reply: Reply<T>) -> Result<T, StoreError> {
        match reply {
            Reply::Answer(answer) => Ok(answer),
            Reply::Lost(lost) => {
                let store = self.sessions.name().to_owned();
                Err(StoreError::Unavailable { store, source: lost.into() })
            }
        }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.sessions.name()).finish()
    }
}

impl LeaseStore for PostgresStore {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(lease::grant(&session, request)).await;
        match session.settle(answer)? {
            Reply::Answer(Answer::Granted(granted)) => Ok(granted),
            Reply::Answer(Answer::Exhausted(TokensExhausted { epoch, .. })) => {
                Err(StoreError::TokensExhausted { epoch })
            }
            Reply::Lost(lost) => Ok(Granted::Indeterminate(lost)),
        }
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(lease::extend(&session, resource, token, ttl)).await;
        Ok(match session.settle(answer)? {
            Reply::Answer(extended) => extended,
            Reply::Lost(lost) => Extended::Indeterminate(lost),
        })
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(lease::revoke(&session, resource, token)).await;
        Ok(match session.settle(answer)? {
            Reply::Answer(revoked) => revoked,
            Reply::Lost(lost) => Revoked::Indeterminate(lost),
        })
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(lease::holding(&session, resource)).await;
        self.answer(session.settle(answer)?)
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(lease::advance_epoch(&session)).await;
        let store = self.sessions.name().to_owned();
        match session.settle(answer)? {
            Reply::Answer(Some(epoch)) => Ok(epoch),
            Reply::Answer(None) => {
                Err(StoreError::Corrupt { store, problem: "surmise.store has no row".to_owned() })
            }
            // If it was advanced nevertheless, it does no harm to do it again.
            Reply::Lost(lost) => Err(StoreError::Unanswered { store, source: lost.into() }),
        }
    }
}

impl FencedStore for PostgresStore {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(fence::write(&session, change)).await;
        Ok(outcome(session.settle(answer)?))
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(fence::raise(&session, resource, pass)).await;
        match session.settle(answer)? {
            Reply::Answer(Raised::Done) => Ok(Outcome::Applied),
            Reply::Answer(Raised::Refused(refusal)) => Ok(refusal.into()),
            Reply::Answer(Raised::Isolated(level)) => Err(StoreError::Unusable {
                store: self.sessions.name().to_owned(),
                problem: format!("its transactions have come to be {level}"),
                remedy: "leave default_transaction_isolation of the connections as the store sets it",
            }),
            Reply::Lost(lost) => Ok(Outcome::Indeterminate(lost)),
        }
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(fence::floor(&session, resource)).await;
        self.answer(session.settle(answer)?)
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let resource = Resource::new(resource)?;
        crate::fenced_store::check_key(key)?;
        let session = self.sessions.take().await?;
        let answer = session.wait(fence::read(&session, resource, key)).await;
        self.answer(session.settle(answer)?)
    }
}

fn outcome(reply: Reply<Result<(), Refusal>>) -> Outcome {
    match reply {
        Reply::Answer(Ok(())) => Outcome::Applied,
        Reply::Answer(Err(refusal)) => refusal.into(),
        Reply::Lost(lost) => Outcome::Indeterminate(lost),
    }
}
