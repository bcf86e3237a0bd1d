use core::time::Duration;
use std::{io, net::UdpSocket, thread};

use crossbeam::channel::{self, RecvTimeoutError, Sender};
use surmise_time::Instant;

use super::{
    clock,
    link::{Impairment, Link},
    socket::{self, Address},
    stop::Stop,
};

/// The most datagrams that wait to enter the link; above that, the socket's own queue fills.
const MAX_WAITING: usize = 4_096;

/// Forwards datagrams through an impaired [`Link`], in one direction.
#[derive(Debug)]
pub(super) struct Relay {
    near: UdpSocket,
    far: UdpSocket,
    impairment: Impairment,
}

impl Relay {
    pub(super) fn new(near: UdpSocket, to: Address, impairment: Impairment) -> io::Result<Self> {
        Ok(Self { near, far: socket::connect(to)?, impairment })
    }

    /// Forwards until the signal.
    ///
    /// The socket is read by a thread of its own: a socket's timeout is only as fine as the
    /// kernel's tick, a channel's is as fine as the clock.
    pub(super) fn run(&self, stop: &Stop) -> io::Result<()> {
        let (entry, exit) = channel::bounded(MAX_WAITING);
        thread::scope(|scope| {
            let reading = scope.spawn(move || self.read(&entry, stop));
            let mut link = Link::new(self.impairment);
            loop {
                while let Some(datagram) = link.take(clock::now()) {
                    // A far end that is not there yet loses datagrams, as a network does.
                    let _lost = self.far.send(&datagram);
                }
                let wait = link.deadline().map_or(Duration::MAX, |due| due - clock::now());
                match exit.recv_timeout(wait) {
                    Ok((datagram, received)) => link.offer(datagram, received),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            socket::joined(reading.join())
        })
    }

    fn read(&self, entry: &Sender<(Vec<u8>, Instant)>, stop: &Stop) -> io::Result<()> {
        let mut buffer = vec![0; usize::from(u16::MAX)];
        socket::receive(&self.near, &mut buffer, stop, |datagram, received| {
            // The link takes datagrams until this channel is closed.
            let _closed = entry.send((datagram.to_vec(), received));
        })
    }
}
