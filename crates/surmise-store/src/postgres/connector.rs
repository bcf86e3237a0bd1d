use core::{future::Future, pin::Pin, time::Duration};

use tokio::task::AbortHandle;
use tokio_postgres::{Client, Config, NoTls};

use crate::BoxError;

/// Where new connections come from.
pub(super) enum Connector {
    /// From here, without TLS.
    Plain(Box<Config>),
    /// From the caller.
    Own(Box<dyn Fn() -> Connecting + Send + Sync>),
}

pub(super) type Connecting = Pin<Box<dyn Future<Output = Result<Client, BoxError>> + Send>>;

impl Connector {
    pub(super) async fn connect(&self) -> Result<Link, BoxError> {
        match self {
            Self::Plain(config) => {
                let (client, connection) = config.connect(NoTls).await?;
                // How it ends is heard from the client.
                let task = tokio::spawn(async { _ = connection.await });
                Ok(Link { client, task: Task(Some(task.abort_handle())) })
            }
            Self::Own(connect) => Ok(Link { client: connect().await?, task: Task(None) }),
        }
    }
}

/// A new connection.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) task: Task,
}

/// The task that works for a client, if it is ours. It is aborted when this is dropped: else it would wait for as long as
/// a server that hangs.
pub(super) struct Task(Option<AbortHandle>);

impl Task {
    /// Lets the task end by itself, when its client is dropped.
    pub(super) fn let_run(mut self) {
        self.0 = None;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Gives each of several hosts a part of the time for connecting, unless the caller said how long each may take: else one
/// that drops packets takes all of it.
pub(super) fn share_time(config: &mut Config, limit: Duration) {
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
    if let Ok(hosts @ 2..) = u32::try_from(hosts)
        && config.get_connect_timeout().is_none()
    {
        config.connect_timeout(limit / hosts);
    }
}

/// Returns the server's name in errors.
pub(super) fn name(config: &Config) -> String {
    use tokio_postgres::config::Host;

    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("PostgreSQL at {}/{database}", hosts.collect::<Vec<_>>().join(","))
}
