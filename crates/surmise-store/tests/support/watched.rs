//! A connection whose replies get lost, and whose requests are seen.

#![expect(clippy::std_instead_of_alloc, reason = "a test has it")]
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::{
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, ready},
};
use std::{io, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What is between a store and its server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Which reply gets lost, counted from 1; none if it is 0.
    lose: AtomicU32,
    /// What was sent last.
    sent: Mutex<Vec<u8>>,
    /// How often something was sent.
    count: AtomicU32,
    /// Which request is held back, counted from 1; none if it is 0.
    hold: AtomicU32,
    held: Mutex<Vec<u8>>,
}

impl Wire {
    /// Opens a connection of this kind.
    pub(crate) async fn open(self, address: String) -> io::Result<Watched> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Watched { stream, wire: self })
    }

    /// Has a reply from now on get lost with its connection: the first, or a later one.
    pub(crate) fn lose(&self, which: u32) {
        self.0.lose.store(which, Ordering::SeqCst);
    }

    /// Has a request from now on be held back: the first, or a later one.
    pub(crate) fn hold(&self, which: u32) {
        self.0.hold.store(which, Ordering::SeqCst);
    }

    /// Returns the request that was held back, and says so if there is none.
    pub(crate) fn held(&self) -> Option<Vec<u8>> {
        let held = core::mem::take(&mut *self.0.held.lock());
        Some(held).filter(|held| !held.is_empty())
    }

    /// Returns the last request, as it was sent.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.0.sent.lock().clone()
    }

    /// Returns how often something was sent: once a request, if it is short.
    pub(crate) fn count(&self) -> u32 {
        self.0.count.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub(crate) struct Watched {
    stream: TcpStream,
    wire: Wire,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let is_lost = match self.wire.0.lose.load(Ordering::SeqCst) {
            0 => false,
            left => {
                self.wire.lose(left - 1);
                left == 1
            }
        };
        Poll::Ready(if is_lost { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) })
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = self.wire.0.hold.load(Ordering::SeqCst);
        self.wire.hold(left.saturating_sub(1));
        if left == 1 {
            *self.wire.0.held.lock() = bytes.to_vec();
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.wire.0.count.fetch_add(1, Ordering::SeqCst);
        *self.wire.0.sent.lock() = bytes.iter().copied().take(written).collect();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
