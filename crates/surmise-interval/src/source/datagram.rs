//! One datagram out, and the answer to it in, among whatever else comes.

use core::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use std::{io, net::UdpSocket};

use surmise_time::{Instant, MonotonicClock};

use super::SourceError;

/// A socket that sends to one address and receives from it alone.
pub(super) trait Datagram {
    fn send(&self, datagram: &[u8]) -> io::Result<usize>;

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Limits how long [`receive`](Self::receive) blocks, to more than zero.
    fn set_patience(&self, patience: Duration) -> io::Result<()>;
}

impl Datagram for UdpSocket {
    fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.send(datagram)
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv(buffer)
    }

    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))
    }
}

/// Opens a socket on a port of the system's choice, so that a forger has to guess that too.
pub(super) fn connect(server: SocketAddr) -> Result<UdpSocket, SourceError> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).map_err(SourceError::io("open a UDP socket"))?;
    socket.connect(server).map_err(SourceError::io(format_args!("reach {server}")))?;
    Ok(socket)
}

/// An answer, and when it was asked for and received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange<T> {
    pub(super) answer: T,
    /// Read before the request was sent.
    pub(super) sent: Instant,
    /// Read after the answer was received.
    pub(super) received: Instant,
}

/// The least time that a socket can be told to wait.
const SHORTEST_PATIENCE: Duration = Duration::from_millis(1);

/// Sends a request and waits for its answer.
///
/// `accept` returns `None` for what is not the answer, for which then is waited on. Neither is
/// waited for longer than the timeout, nor are more than a few such datagrams read.
pub(super) fn exchange<T>(
    socket: &impl Datagram,
    request: &[u8],
    timeout: Duration,
    clock: &dyn MonotonicClock,
    mut accept: impl FnMut(&[u8]) -> Option<T>,
) -> Result<Exchange<T>, SourceError> {
    let sent = clock.now();
    let first_patience = timeout.max(SHORTEST_PATIENCE);
    socket.set_patience(first_patience).map_err(SourceError::io("limit a wait"))?;
    socket.send(request).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            SourceError::NoAnswer { waited: clock.now() - sent }
        }
        _ => SourceError::io("send a request")(error),
    })?;
    let mut buffer = [0; LONGEST];
    for _ in 0..MAX_STRAYS {
        let patience = timeout.saturating_sub(clock.now() - sent);
        if patience.is_zero() {
            break;
        }
        socket.set_patience(patience).map_err(SourceError::io("limit a wait"))?;
        let length = match socket.receive(&mut buffer) {
            Ok(length) => length,
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => continue,
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => break,
                _ => return Err(SourceError::io("receive an answer")(error)),
            },
        };
        let received = clock.now();
        if let Some(answer) = buffer.get(..length).and_then(&mut accept) {
            return Ok(Exchange { answer, sent, received });
        }
    }
    Err(SourceError::NoAnswer { waited: clock.now() - sent })
}

/// Returns bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N], SourceError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(io::Error::other)
        .map_err(SourceError::io("get random bytes"))?;
    Ok(bytes)
}

/// More than any answer: of a longer datagram, so much suffices to see that it is none.
const LONGEST: usize = 512;

/// How many datagrams are read for one request at most, so that a flood does not keep us.
const MAX_STRAYS: usize = 64;

#[cfg(test)]
pub(super) mod tests {
    use alloc::vec::Vec;
    use core::cell::RefCell;

    use surmise_time::ManualClock;

    use super::*;

    /// A socket whose peer answers each datagram with one. To send takes a millisecond, and to
    /// receive takes ten.
    pub(in crate::source) struct Echo<'a> {
        clock: &'a ManualClock,
        answer: fn(&[u8]) -> Vec<u8>,
        sent: RefCell<Vec<u8>>,
    }

    impl<'a> Echo<'a> {
        pub(in crate::source) fn new(clock: &'a ManualClock, answer: fn(&[u8]) -> Vec<u8>) -> Self {
            Self { clock, answer, sent: RefCell::default() }
        }
    }

    impl Datagram for Echo<'_> {
        fn send(&self, datagram: &[u8]) -> io::Result<usize> {
            self.clock.advance(Duration::from_millis(1));
            self.sent.replace(datagram.into());
            Ok(datagram.len())
        }

        fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
            self.clock.advance(Duration::from_millis(10));
            let answer = (self.answer)(&self.sent.borrow());
            buffer[..answer.len()].copy_from_slice(&answer);
            Ok(answer.len())
        }

        fn set_patience(&self, patience: Duration) -> io::Result<()> {
            assert!(!patience.is_zero(), "which would be to wait for ever");
            Ok(())
        }
    }

    #[test]
    fn the_clock_is_read_before_it_is_sent_and_after_it_is_received() {
        let clock = ManualClock::default();
        clock.advance(Duration::from_secs(1));
        let (echo, start) = (Echo::new(&clock, <[u8]>::to_vec), clock.now());
        let second = Duration::from_secs(1);
        let accept = |answer: &[u8]| Some(answer.to_vec());
        let exchange = exchange(&echo, b"time?", second, &clock, accept).unwrap();
        assert_eq!((exchange.answer.as_slice(), exchange.sent), (&b"time?"[..], start));
        assert_eq!(exchange.received, start + Duration::from_millis(11));
    }
}
