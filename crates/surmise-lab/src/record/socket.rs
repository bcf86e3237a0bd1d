//! What the sockets of sender, receiver and relay have in common.

use core::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use std::{
    io,
    net::{ToSocketAddrs, UdpSocket},
    thread,
};

use surmise_time::Instant;

use super::{clock, error::RecordError, stop::Stop};

/// How soon a blocked reader notices that it shall stop.
const READ_TIMEOUT: Duration = Duration::from_millis(100);

/// The address of a socket, resolved.
pub(super) type Address = SocketAddr;

/// Returns the first address that a `HOST:PORT` stands for.
pub(super) fn resolve(address: &str) -> Result<Address, RecordError> {
    let failed = |error| RecordError::Address { address: address.to_owned(), error };
    let mut found = address.to_socket_addrs().map_err(failed)?;
    found.next().ok_or_else(|| failed(io::Error::other("the host has no address")))
}

/// Opens a socket that receives at `address`.
pub(super) fn bind(address: Address) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_read_timeout(Some(READ_TIMEOUT))?;
    Ok(socket)
}

/// Opens a socket that sends to `address`.
pub(super) fn connect(address: Address) -> io::Result<UdpSocket> {
    let any = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    Ok(socket)
}

/// Hands every datagram to `each`, with the time it was received, until the signal.
pub(super) fn receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
    stop: &Stop,
    mut each: impl FnMut(&[u8], Instant),
) -> io::Result<()> {
    while !stop.is_set() {
        match socket.recv(buffer) {
            Ok(length) => {
                let received = clock::now();
                each(buffer.get(..length).unwrap_or_default(), received);
            }
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns what a thread returned.
pub(super) fn joined<T>(result: thread::Result<io::Result<T>>) -> io::Result<T> {
    result.unwrap_or_else(|_panic| Err(io::Error::other("a thread of the recorder panicked")))
}

/// Returns whether a socket may be read on after this error.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, Interrupted, TimedOut, WouldBlock};
    matches!(
        error.kind(),
        WouldBlock | TimedOut | Interrupted | ConnectionRefused | ConnectionReset
    )
}
