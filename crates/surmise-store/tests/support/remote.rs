//! A store of one process that others ask, by the lines that events are told by.

#![allow(clippy::unwrap_used, reason = "what is said here is well-formed")]
#![allow(clippy::allow_attributes, reason = "where a test is known as one, it needs no saying")]

use core::time::Duration;
use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use parking_lot::Mutex;
use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    Change, Entry, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore, LostReply,
    Outcome, Resource, Revoked, StoreError, Ttl,
    conformance::history::{Action, Answer, Event, Recorder},
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::{BootClock, Instant};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _},
    net,
    time::timeout,
};

use super::{
    backend::LIMIT,
    servers::Ourselves,
    wait::wait,
    wire::{event_from_line, event_to_line},
};

/// Serves a store, if this process was started to.
pub(crate) fn host() {
    let Ok(port) = env::var(Ourselves::PORT) else { return };
    match env::var(Ourselves::STORE).unwrap().as_str() {
        "memory" => serve(&port, MemoryStore::new(MemoryConfig::default(), BootClock).unwrap()),
        #[cfg(feature = "redb")]
        "redb" => {
            use surmise_store::redb::{RedbConfig, RedbStore};
            serve(&port, RedbStore::open("store", RedbConfig::default()).unwrap());
        }
        other => panic!("there is no store {other}"),
    }
}

fn serve(port: &str, store: impl LeaseStore + FencedStore + 'static) {
    let store = Arc::new(store);
    let listener = TcpListener::bind(("127.0.0.1", port.parse().unwrap())).unwrap();
    for stream in listener.incoming() {
        let (store, stream) = (Arc::clone(&store), stream.unwrap());
        // Whoever is killed closes its connection at any moment.
        thread::spawn(move || _ = answer_all(&*store, &stream));
    }
}

fn answer_all<S: LeaseStore + FencedStore>(store: &S, stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for line in BufReader::new(stream).lines() {
        let Some(request) = event_from_line(&line?) else { break };
        let reply = event_to_line(&answer(store, request));
        (&*stream).write_all((reply + "\n").as_bytes())?;
    }
    Ok(())
}

/// Has the store do what is asked. The TTL is told in the place of the client.
fn answer<S: LeaseStore + FencedStore>(store: &S, request: Event) -> Event {
    let answer = Mutex::new(None);
    let recorder = Recorder::new(BootClock, |event: Event| *answer.lock() = Some(event));
    let store = recorder.client(0, store);
    let ttl = Duration::from_nanos(request.client);
    let name = request.resource.as_str();
    let resource = Resource::new(name).unwrap();
    wait(async {
        match &request.action {
            Action::Grant { nonce } => {
                let request = LeaseRequest::new(name, "", *nonce, ttl).unwrap();
                _ = store.grant(request).await;
            }
            Action::Extend { token } => {
                _ = store.extend(resource, *token, Ttl::new(ttl).unwrap()).await;
            }
            Action::Revoke { token } => _ = store.revoke(resource, *token).await,
            Action::Holding => _ = store.holding(resource).await,
            Action::Raise { pass } => _ = store.raise(name, *pass).await,
            Action::Floor => _ = store.floor(resource).await,
            Action::Write { key, value, pass } => {
                _ = store.apply(Change::new(name, key, value.as_deref(), *pass).unwrap()).await;
            }
            Action::Read { key } => _ = store.read(name, key).await,
        }
    });
    let answer = answer.lock().take();
    answer.unwrap()
}

/// The store, from another process.
#[derive(Debug)]
pub(crate) struct Remote {
    url: String,
    /// Connections that nothing is asked on.
    idle: Mutex<Vec<Connection>>,
}

type Connection = tokio::io::BufReader<net::TcpStream>;

impl Remote {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    /// Asks, and returns the answer, which is unknown if there is none before the time limit.
    async fn ask(
        &self,
        resource: Resource<'_>,
        ttl: Duration,
        action: Action,
    ) -> Result<Answer, StoreError> {
        let request = Event {
            client: ttl.as_nanos().try_into().unwrap(),
            number: 0,
            resource: resource.as_str().into(),
            invoked: Instant::ORIGIN,
            returned: None,
            action,
            answer: Answer::Unknown,
        };
        let idle = self.idle.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await.map_err(|error| self.unavailable(error))?,
        };
        let request = event_to_line(&request) + "\n";
        let answer = timeout(LIMIT, exchange(&mut connection, &request)).await;
        match answer.ok().and_then(Result::ok).flatten() {
            None => Ok(Answer::Unknown),
            Some(answer) => {
                self.idle.lock().push(connection);
                match answer {
                    Answer::Failed => Err(self.unavailable(io::Error::other("its store failed"))),
                    answer => Ok(answer),
                }
            }
        }
    }

    /// Asks what does no harm.
    async fn look(&self, resource: Resource<'_>, action: Action) -> Result<Answer, StoreError> {
        match self.ask(resource, Duration::ZERO, action).await? {
            Answer::Unknown => Err(self.unavailable(io::ErrorKind::TimedOut.into())),
            answer => Ok(answer),
        }
    }

    async fn connect(&self) -> io::Result<Connection> {
        let stream = timeout(LIMIT, net::TcpStream::connect(&self.url)).await??;
        stream.set_nodelay(true)?;
        Ok(Connection::new(stream))
    }

    fn unavailable(&self, error: io::Error) -> StoreError {
        StoreError::Unavailable { store: self.url.clone(), source: error.into() }
    }
}

async fn exchange(connection: &mut Connection, request: &str) -> io::Result<Option<Answer>> {
    connection.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    connection.read_line(&mut line).await?;
    Ok(event_from_line(line.trim_end()).map(|event| event.answer))
}

fn lost() -> LostReply {
    LostReply::new("another process", "it did not answer")
}

impl LeaseStore for Remote {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let action = Action::Grant { nonce: request.nonce() };
        Ok(match self.ask(request.resource(), request.ttl().get(), action).await? {
            Answer::Granted(grant) => Granted::Granted(grant),
            Answer::Held { token, nonce } => Granted::Held(holding(token, nonce)),
            Answer::Free => Granted::Delayed { remaining: Duration::ZERO },
            _ => Granted::Indeterminate(lost()),
        })
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        Ok(match self.ask(resource, ttl.get(), Action::Extend { token }).await? {
            Answer::Granted(grant) => Extended::Extended(grant),
            Answer::Free => Extended::Lost,
            _ => Extended::Indeterminate(lost()),
        })
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        Ok(match self.ask(resource, Duration::ZERO, Action::Revoke { token }).await? {
            Answer::Done => Revoked::Revoked,
            Answer::Free => Revoked::Lost,
            _ => Revoked::Indeterminate(lost()),
        })
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        match self.look(resource, Action::Holding).await? {
            Answer::Held { token, nonce } => Ok(Some(holding(token, nonce))),
            _ => Ok(None),
        }
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        panic!("no holder does that");
    }
}

impl FencedStore for Remote {
    async fn apply(&self, change: Change<'_>) -> Result<Outcome, StoreError> {
        let (key, value) = (change.key().to_vec(), change.value().map(<[u8]>::to_vec));
        let action = Action::Write { key, value, pass: change.pass() };
        Ok(outcome(self.ask(change.resource(), Duration::ZERO, action).await?))
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        Ok(outcome(self.ask(resource, Duration::ZERO, Action::Raise { pass }).await?))
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        match self.look(resource, Action::Floor).await? {
            Answer::Floor(floor) => Ok(floor),
            other => panic!("a floor was asked for, and the answer is {other:?}"),
        }
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let action = Action::Read { key: key.to_vec() };
        match self.look(Resource::new(resource)?, action).await? {
            Answer::Read(entry) => Ok(entry),
            other => panic!("a value was asked for, and the answer is {other:?}"),
        }
    }
}

/// For how much longer is not told.
fn holding(token: FencingToken, nonce: u64) -> Holding {
    Holding::new(token, nonce, String::new(), Duration::ZERO)
}

fn outcome(answer: Answer) -> Outcome {
    match answer {
        Answer::Done => Outcome::Applied,
        Answer::Refused(refusal) => refusal.into(),
        _ => Outcome::Indeterminate(lost()),
    }
}
