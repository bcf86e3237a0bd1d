//! Connections to servers: of our own, or from the caller.

use core::{future::Future, pin::Pin};
use std::io;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// Where new connections come from.
pub(crate) type Connector =
    Box<dyn Fn(String) -> Connecting<Box<dyn Stream>> + Send + Sync + 'static>;

type Connecting<S> = Pin<Box<dyn Future<Output = io::Result<S>> + Send>>;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Returns a connector that boxes what another returns.
pub(crate) fn boxed<C, F, S>(connect: C) -> Connector
where
    C: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<S>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Box::new(move |address| {
        let connecting = connect(address);
        Box::pin(async move { Ok(Box::new(connecting.await?) as Box<dyn Stream>) })
    })
}

/// Connects without TLS.
pub(crate) async fn plain(address: String) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A request is one write; there is nothing to wait for.
    stream.set_nodelay(true)?;
    Ok(stream)
}
