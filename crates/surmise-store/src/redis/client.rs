use core::{fmt, future::Future};

use alloc::sync::Arc;
use std::sync::OnceLock;

use parking_lot::Mutex;
use redis::{RedisResult, Script, Value, cmd};
use surmise_time::MonotonicClock as _;
use tokio::time::timeout;

use super::{
    RedisConfig,
    connection::Connection,
    failed::{Failed, ends_connection, judge},
    keys::Keys,
    known::Known,
    open,
    reply::Answer,
    scripts::{Scripts, Which},
    server::{Server, Settings},
};
use crate::{LeaseClock, LostReply, StoreError, stream::Connector};

/// Asks one server, on one connection, which is made anew when it ended.
pub(super) struct Client {
    name: String,
    config: RedisConfig,
    keys: Keys,
    connector: Connector,
    scripts: Scripts<Compiled>,
    current: Mutex<Option<Arc<Connection>>>,
    /// Whoever connects, so that only one does.
    connecting: tokio::sync::Mutex<()>,
    /// Which store it is, once it was connected to.
    id: OnceLock<Vec<u8>>,
    known: Known,
}

/// A script, and what the server knows it by.
pub(super) struct Compiled {
    text: &'static str,
    hash: String,
}

impl Client {
    pub(super) fn new(
        config: RedisConfig,
        connector: Connector,
        lua: &Scripts<&'static str>,
    ) -> Result<Self, StoreError> {
        let name = format!("Redis at {}/{}", config.address, config.database);
        let compile =
            |text: &&'static str| Compiled { text, hash: Script::new(text).get_hash().to_owned() };
        Ok(Self {
            keys: Keys::new(&name, &config.prefix)?,
            name,
            config,
            connector,
            scripts: lua.map(compile),
            current: Mutex::new(None),
            connecting: tokio::sync::Mutex::new(()),
            id: OnceLock::new(),
            known: Known::default(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Connects for the first time, and makes what is needed if nothing is there.
    pub(super) async fn begin(&self) -> Result<Server, StoreError> {
        self.in_time(self.connect()).await
    }

    /// Goes on with a server whose weaknesses the caller knows.
    pub(super) fn accept(&self, server: Server) {
        self.known.accept(server);
    }

    /// Runs a script that counts: it is done once. One that was refused since the server is another than the connection was
    /// made to is sent on a new connection.
    pub(super) async fn once(
        &self,
        which: Which<Compiled>,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Result<Answer, Failed> {
        match self.meant(which, keys, arguments).await {
            Err(Failed::Anew(_)) => self.meant(which, keys, arguments).await,
            answer => answer,
        }
    }

    /// Runs a script if the server is the one, and has the data, that were connected to.
    async fn meant(
        &self,
        which: Which<Compiled>,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Result<Answer, Failed> {
        let connection = self.connection().await.map_err(Failed::Refused)?;
        let process = self.keys.process();
        let keys = [keys, &[&process]].concat();
        let arguments = [arguments, &[connection.process()]].concat();
        let answer = self.run(&connection, which, &keys, &arguments).await;
        if matches!(answer, Err(Failed::Anew(_))) {
            self.forget(&connection);
        }
        answer
    }

    /// Runs a script that does no harm if it is done twice: a connection that turns out to have ended is replaced.
    pub(super) async fn again(
        &self,
        which: Which<Compiled>,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Result<Answer, Failed> {
        match self.once(which, keys, arguments).await {
            Err(Failed::Ended(_)) => self.once(which, keys, arguments).await,
            answer => answer,
        }
    }

    /// Runs a script that only reads.
    pub(super) async fn look(
        &self,
        which: Which<Compiled>,
        keys: &[&[u8]],
    ) -> Result<Answer, StoreError> {
        let answer = self.again(which, keys, &[]).await;
        answer.map_err(|failed| failed.harmless(&self.name))
    }

    /// Returns what a key has.
    pub(super) async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.look(|scripts| &scripts.get, &[key]).await? {
            Answer::Has(value) => Ok(Some(value)),
            Answer::Free => Ok(None),
            _ => Err(self.unavailable("what it answered is not to what was asked")),
        }
    }

    /// Says that an answer did not come, or was none to what was asked.
    pub(super) fn lost(&self) -> LostReply {
        LostReply::new(&self.name, "what it answered is not to what was asked")
    }

    pub(super) fn unavailable(&self, source: impl Into<crate::BoxError>) -> StoreError {
        StoreError::Unavailable { store: self.name.clone(), source: source.into() }
    }

    /// Runs a script on a connection. One that the server does not know was not run, and is sent whole.
    pub(super) async fn run(
        &self,
        connection: &Arc<Connection>,
        which: Which<Compiled>,
        keys: &[&[u8]],
        arguments: &[&[u8]],
    ) -> Result<Answer, Failed> {
        let Compiled { text, hash } = which(&self.scripts);
        let request = |name, script: &str| {
            let mut request = cmd(name);
            request.arg(script).arg(keys.len()).arg(keys).arg(arguments);
            request
        };
        let asked = async {
            match connection.ask(&request("EVALSHA", hash)).await {
                Ok(Value::ServerError(error)) if error.code() == "NOSCRIPT" => {
                    connection.ask(&request("EVAL", text)).await
                }
                answer => answer,
            }
        };
        Answer::new(&self.name, self.answer(connection, asked).await?)
    }

    /// Waits for an answer, and judges it.
    async fn answer(
        &self,
        connection: &Arc<Connection>,
        asked: impl Future<Output = RedisResult<Value>>,
    ) -> Result<Value, Failed> {
        let limit = self.config.request_timeout;
        match timeout(limit, asked).await {
            Ok(Ok(Value::ServerError(error))) => {
                if ends_connection(&error) {
                    self.forget(connection);
                }
                Err(judge(&self.name, &error))
            }
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.forget(connection);
                Err(Failed::Ended(error.into()))
            }
            Err(_late) => {
                self.forget(connection);
                let late = format!("no answer within {limit:?}, the `request_timeout`");
                Err(Failed::Lost(late.into()))
            }
        }
    }

    /// Has the next request connect anew. Those that are under way are still waited for.
    fn forget(&self, connection: &Arc<Connection>) {
        let mut current = self.current.lock();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, connection)) {
            *current = None;
        }
    }

    /// Returns the connection, if its server was looked at not long ago; or else it is looked at again, or there is a new
    /// one. Until then nothing was asked of the server.
    async fn connection(&self) -> Result<Arc<Connection>, StoreError> {
        let known = || self.open_connection().filter(|open| open.is_known(LeaseClock.now()));
        if let Some(connection) = known() {
            return Ok(connection);
        }
        let connected = async {
            let _turn = self.connecting.lock().await;
            if let Some(connection) = known() {
                return Ok(connection);
            }
            if let Some(connection) = self.open_connection() {
                self.look_again(&connection).await?;
            }
            if self.open_connection().is_none() {
                self.connect().await?;
            }
            self.open_connection().ok_or_else(|| self.unavailable("the connection ended at once"))
        };
        self.in_time(connected).await
    }

    /// Looks at the server of a connection again, which is given up if that fails.
    async fn look_again(&self, connection: &Arc<Connection>) -> Result<(), StoreError> {
        let looked = LeaseClock.now();
        let checked = match self.inspect(connection).await {
            Ok(server) => self.known.check(&self.name, &server),
            Err(_ended) => {
                self.forget(connection);
                return Ok(());
            }
        };
        match checked {
            Ok(()) => connection.was_looked_at(Some(looked)),
            Err(_) => self.forget(connection),
        }
        checked
    }

    /// Has the next request look at the server again.
    #[cfg(test)]
    pub(super) fn looks_again(&self) {
        self.open_connection().unwrap().was_looked_at(None);
    }

    fn open_connection(&self) -> Option<Arc<Connection>> {
        self.current.lock().as_ref().filter(|connection| connection.is_open()).cloned()
    }

    async fn in_time<T>(
        &self,
        connected: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let limit = self.config.connect_timeout;
        timeout(limit, connected).await.unwrap_or_else(|_| {
            Err(self.unavailable(format!("no connection within {limit:?}, the `connect_timeout`")))
        })
    }

    /// Connects, and looks whether it is a server that the caller knows.
    async fn connect(&self) -> Result<Server, StoreError> {
        self.known.is_refused(&self.name)?;
        let connection = Connection::new(&self.name, &self.connector, &self.config).await?;
        let connection = Arc::new(connection);
        connection.was_looked_at(Some(LeaseClock.now()));
        let server = self.inspect(&connection).await?;
        self.known.check(&self.name, &server)?;
        let known = self.id.get().map(Vec::as_slice);
        let id = open::open(self, &connection, &server, known).await?;
        _ = self.id.set(id);
        *self.current.lock() = Some(connection);
        Ok(server)
    }

    async fn inspect(&self, connection: &Arc<Connection>) -> Result<Server, StoreError> {
        let ask = cmd("INFO");
        let info = self.answer(connection, connection.ask(&ask)).await;
        let info = match info.map_err(|failed| failed.harmless(&self.name))? {
            Value::BulkString(info) => String::from_utf8_lossy(&info).into_owned(),
            _ => return Err(self.unavailable("it does not answer INFO as Redis does")),
        };
        let settings = Settings {
            appendfsync: self.setting(connection, "appendfsync").await?,
            no_appendfsync_on_rewrite: self
                .setting(connection, "no-appendfsync-on-rewrite")
                .await?,
        };
        Server::new(&self.name, &info, &settings)
    }

    /// Returns how something is set, if the server tells.
    async fn setting(
        &self,
        connection: &Arc<Connection>,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        let mut get = cmd("CONFIG");
        get.arg("GET").arg(name);
        let value = match connection.ask(&get).await {
            Ok(Value::Array(values)) => values.into_iter().nth(1),
            Ok(_) => None,
            Err(error) => return Err(self.unavailable(error)),
        };
        Ok(match value {
            Some(Value::BulkString(value)) => String::from_utf8(value).ok(),
            _ => None,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.config).finish_non_exhaustive()
    }
}
