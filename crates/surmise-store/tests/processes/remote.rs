//! A store in memory that other processes ask, by the lines that events are told by.

use core::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    io::{BufRead as _, BufReader, Write as _},
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

use crate::processes::wire::{event_from_line, event_to_line};

type Store = MemoryStore<BootClock>;

/// A store that listens. It ends with the process.
pub(crate) struct Server(String);

impl Server {
    pub(crate) fn start() -> Self {
        let store = Arc::new(Store::new(MemoryConfig::default(), BootClock).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (store, stream) = (Arc::clone(&store), stream.unwrap());
                // Whoever is killed closes its connection at any moment.
                thread::spawn(move || _ = answer_all(&store, &stream));
            }
        });
        Self(url)
    }

    pub(crate) fn url(&self) -> &str {
        &self.0
    }
}

fn answer_all(store: &Store, stream: &TcpStream) -> std::io::Result<()> {
    for line in BufReader::new(stream).lines() {
        let Some(request) = event_from_line(&line?) else { break };
        let reply = event_to_line(&answer(store, request));
        (&*stream).write_all((reply + "\n").as_bytes())?;
    }
    Ok(())
}

/// Has the store do what is asked. The TTL is told in the place of the client.
fn answer(store: &Store, request: Event) -> Event {
    let answer = Mutex::new(None);
    let recorder = Recorder::new(BootClock, |event: Event| *answer.lock() = Some(event));
    let store = recorder.client(0, store);
    let ttl = Duration::from_nanos(request.client);
    let name = request.resource.as_str();
    let resource = Resource::new(name).unwrap();
    let done = pin!(async {
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
    assert_eq!(done.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
    let answer = answer.lock().take();
    answer.unwrap()
}

/// The store, from another process.
pub(crate) struct Remote(Mutex<BufReader<TcpStream>>);

impl Remote {
    pub(crate) fn connect(url: &str) -> Self {
        let stream = TcpStream::connect(url).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(Mutex::new(BufReader::new(stream)))
    }

    fn ask(&self, resource: Resource<'_>, ttl: Duration, action: Action) -> Answer {
        let request = Event {
            client: ttl.as_nanos().try_into().unwrap(),
            number: 0,
            resource: resource.as_str().into(),
            invoked: Instant::ORIGIN,
            returned: None,
            action,
            answer: Answer::Unknown,
        };
        let mut stream = self.0.lock();
        stream.get_mut().write_all((event_to_line(&request) + "\n").as_bytes()).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        event_from_line(line.trim_end()).map_or(Answer::Unknown, |event| event.answer)
    }
}

fn lost() -> LostReply {
    LostReply::new("another process", "it did not answer")
}

impl LeaseStore for Remote {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let action = Action::Grant { nonce: request.nonce() };
        Ok(match self.ask(request.resource(), request.ttl().get(), action) {
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
        Ok(match self.ask(resource, ttl.get(), Action::Extend { token }) {
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
        Ok(match self.ask(resource, Duration::ZERO, Action::Revoke { token }) {
            Answer::Done => Revoked::Revoked,
            Answer::Free => Revoked::Lost,
            _ => Revoked::Indeterminate(lost()),
        })
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        match self.ask(resource, Duration::ZERO, Action::Holding) {
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
        Ok(outcome(self.ask(change.resource(), Duration::ZERO, action)))
    }

    async fn raise_floor(&self, resource: Resource<'_>, pass: Pass) -> Result<Outcome, StoreError> {
        Ok(outcome(self.ask(resource, Duration::ZERO, Action::Raise { pass })))
    }

    async fn floor(&self, resource: Resource<'_>) -> Result<Option<Pass>, StoreError> {
        match self.ask(resource, Duration::ZERO, Action::Floor) {
            Answer::Floor(floor) => Ok(floor),
            other => panic!("a floor was asked for, and the answer is {other:?}"),
        }
    }

    async fn read(&self, resource: &str, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let action = Action::Read { key: key.to_vec() };
        match self.ask(Resource::new(resource)?, Duration::ZERO, action) {
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
