use super::{
    client::Client,
    server::Server,
    store::RedisStore,
    weakness::{Weakened, Weakness},
};

/// A server that was connected to, and what it can lose: the store is had by saying what of that is accepted.
///
/// # Examples
///
/// ```no_run
/// use surmise_store::redis::{RedisConfig, RedisStore, Weakness};
///
/// # async fn example() -> Result<(), Box<dyn core::error::Error>> {
/// // Nothing: an error says what is to be set.
/// let store = RedisStore::connect(RedisConfig::default()).await?.durable()?;
///
/// // That the last writes are lost when a replica is promoted, and nothing else.
/// let connected = RedisStore::connect(RedisConfig::default()).await?;
/// let store = connected.accept(&[Weakness::Replicas])?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the store is had by `durable` or `accept`"]
pub struct Connected {
    client: Client,
    server: Server,
}

impl Connected {
    pub(super) const fn new(client: Client, server: Server) -> Self {
        Self { client, server }
    }

    /// Returns what the server can lose, in order.
    #[must_use]
    pub fn weaknesses(&self) -> &[Weakness] {
        &self.server.weaknesses
    }

    /// Returns the store, if the server loses nothing.
    ///
    /// # Errors
    ///
    /// What it loses.
    pub fn durable(self) -> Result<RedisStore, Weakened> {
        self.accept(&[])
    }

    /// Returns the store, if the server has no weaknesses but the `accepted` ones.
    ///
    /// A store with weaknesses is good for as long as the server's process: when it began anew, or another took its place,
    /// all requests are refused until the store is connected anew; not so if it has only
    /// [`EvictsExecutions`](Weakness::EvictsExecutions), which every process has alike.
    ///
    /// # Errors
    ///
    /// The other weaknesses.
    pub fn accept(self, accepted: &[Weakness]) -> Result<RedisStore, Weakened> {
        let Self { client, server } = self;
        let mut others = server.weaknesses.clone();
        others.retain(|weakness| !accepted.contains(weakness));
        if !others.is_empty() {
            return Err(Weakened::new(client.name().to_owned(), others));
        }
        client.accept(server);
        Ok(RedisStore::new(client))
    }
}
