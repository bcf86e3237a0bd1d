//! Connections to one member, by HTTP/1.1.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{task::AbortHandle, time::timeout};

use super::{EtcdConfig, endpoint::Endpoint};
use crate::{BoxError, stream::Connector};

/// A member, and the connections to it that wait for work.
pub(super) struct Member {
    endpoint: Endpoint,
    idle: Mutex<Vec<Connection>>,
}

/// Why a member did not answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// It was not asked.
    NotSent(BoxError),
    /// It was asked.
    Lost(BoxError),
}

/// An answer: its HTTP status, and its body.
pub(super) type Answer = (u16, Bytes);

impl Member {
    pub(super) const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, idle: Mutex::new(Vec::new()) }
    }

    /// Asks, on a connection that is there, or else on a new one.
    pub(super) async fn ask(
        &self,
        connector: &Connector,
        config: &EtcdConfig,
        request: &Post<'_>,
    ) -> Result<Answer, NoAnswer> {
        loop {
            let idle = self.pop();
            let is_new = idle.is_none();
            let mut connection = match idle {
                Some(connection) => connection,
                None => self.connect(connector, config).await.map_err(NoAnswer::NotSent)?,
            };
            let limit = config.request_timeout;
            let asked = connection.ask(request.build(&self.endpoint));
            let Ok(answer) = timeout(limit, asked).await else {
                let late = format!("no answer within {limit:?}, the `request_timeout`");
                return Err(NoAnswer::Lost(late.into()));
            };
            match answer {
                Ok(answer) => {
                    self.idle.lock().push(connection);
                    return Ok(answer);
                }
                // It ended while it was idle.
                Err(NoAnswer::NotSent(_)) if !is_new => {}
                Err(NoAnswer::Lost(_)) if !is_new && request.again => {}
                Err(no_answer) => return Err(no_answer),
            }
        }
    }

    /// Forgets the connections that are idle, so that none is used that may be as dead as another.
    pub(super) fn forget(&self) {
        self.idle.lock().clear();
    }

    pub(super) fn authority(&self) -> &str {
        &self.endpoint.authority
    }

    fn pop(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        core::iter::from_fn(|| idle.pop()).find(|connection| connection.sender.is_ready())
    }

    async fn connect(
        &self,
        connector: &Connector,
        config: &EtcdConfig,
    ) -> Result<Connection, BoxError> {
        let limit = config.connect_timeout;
        let connected = async {
            let stream = connector(self.endpoint.authority.clone()).await?;
            let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
            // How it ends is heard from the sender.
            let task = tokio::spawn(async { _ = connection.await });
            let task = Task(task.abort_handle());
            sender.ready().await?;
            Ok(Connection { sender, _task: task })
        };
        timeout(limit, connected).await.unwrap_or_else(|_| {
            Err(format!("no connection within {limit:?}, the `connect_timeout`").into())
        })
    }
}

/// A request, to whichever member.
#[derive(Clone, Debug)]
pub(super) struct Post<'a> {
    pub(super) path: &'a str,
    pub(super) body: Bytes,
    pub(super) token: Option<String>,
    /// Whether it does no harm if it is done twice.
    pub(super) again: bool,
}

impl Post<'_> {
    fn build(&self, endpoint: &Endpoint) -> Result<Request<Full<Bytes>>, BoxError> {
        let mut request = Request::post(self.path)
            .header(HOST, &endpoint.authority)
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        Ok(request.body(Full::new(self.body.clone()))?)
    }
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    _task: Task,
}

impl Connection {
    async fn ask(
        &mut self,
        request: Result<Request<Full<Bytes>>, BoxError>,
    ) -> Result<Answer, NoAnswer> {
        let request = request.map_err(NoAnswer::NotSent)?;
        let response = self.sender.try_send_request(request).await.map_err(|mut error| {
            // What is given back did not go out.
            let was_sent = error.take_message().is_none();
            let error = error.into_error().into();
            if was_sent { NoAnswer::Lost(error) } else { NoAnswer::NotSent(error) }
        })?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        Ok((status, body.map_err(NoAnswer::Lost)?.to_bytes()))
    }
}

/// The task that works for a connection, which is aborted when this is dropped: else it would wait for as long as a
/// member that hangs.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The longest value in base64 takes 1.4 MiB.
const MAX_ANSWER_BYTES: usize = 16 << 20;
