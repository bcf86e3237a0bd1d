use core::net::{Ipv4Addr, SocketAddr};
use std::{io, net::UdpSocket, thread};

use crossbeam::channel::Sender;
use rand::RngExt as _;
use surmise_time::Instant;

use super::{AnyError, Heard};
use crate::{
    failover::{
        message::{Message, Party},
        seed::{Purpose, of_process},
        wire::{Beginning, Network, Role},
    },
    record::{Impairment, Link},
};

/// The socket, and a link before it that does what the network is to do.
#[derive(Debug)]
pub(super) struct Sockets {
    socket: UdpSocket,
    link: Link,
    nodes: usize,
    run: u64,
    /// The own place.
    place: u8,
    /// Where the nodes are, and behind them the client.
    addresses: Vec<SocketAddr>,
}

impl Sockets {
    /// Listens on loopback.
    pub(super) fn open(beginning: &Beginning, heard: Sender<Heard>) -> Result<Self, AnyError> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (nodes, run) = (beginning.setup.nodes, beginning.run);
        let (place, incarnation) = match beginning.role {
            Role::Node { me, incarnation } => (Party::Node(me).place(nodes), incarnation),
            Role::Client => (Party::Client.place(nodes), 1),
        };
        let link = Link::new(beginning.network.impairment(place, incarnation)?);
        let receiver = socket.try_clone()?;
        thread::spawn(move || listen(&receiver, nodes, run, &heard));
        let place = u8::try_from(place)?;
        Ok(Self { socket, link, nodes, run, place, addresses: Vec::new() })
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    pub(super) fn set_addresses(&mut self, addresses: Vec<SocketAddr>) {
        self.addresses = addresses;
    }

    /// Gives a datagram to the link.
    pub(super) fn offer(&mut self, to: Party, message: &Message, now: Instant) {
        let (Ok(to), Ok(body)) = (u8::try_from(to.place(self.nodes)), serde_json::to_vec(message))
        else {
            return;
        };
        let mut datagram = vec![to];
        datagram.extend(self.run.to_be_bytes());
        datagram.push(self.place);
        datagram.extend(body);
        self.link.offer(datagram, now);
    }

    /// Sends what the link lets through by now.
    pub(super) fn send_due(&mut self, now: Instant) {
        while let Some(datagram) = self.link.take(now) {
            let Some((to, datagram)) = datagram.split_first() else { continue };
            if let Some(address) = self.addresses.get(usize::from(*to)) {
                // As lost as any: the other may have been killed.
                let _ = self.socket.send_to(datagram, address);
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.link.deadline()
    }
}

impl Network {
    /// Returns what becomes of the datagrams of a process.
    fn impairment(&self, place: usize, incarnation: u64) -> Result<Impairment, AnyError> {
        let Self { delay, loss, duplicate, seed } = self;
        Ok(Impairment {
            delay: delay.as_deref().map(str::parse).transpose()?,
            loss: loss.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
            duplicate: duplicate.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
            seed: of_process(*seed, Purpose::Link, u64::try_from(place)?, incarnation).random(),
            ..Impairment::default()
        })
    }
}

/// Passes on the datagrams of this run.
fn listen(socket: &UdpSocket, nodes: usize, run: u64, heard: &Sender<Heard>) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        // On loopback, an error is that of a datagram sent before, to one who was killed.
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        let Some((from, message)) = read(buffer.get(..length).unwrap_or_default(), nodes, run)
        else {
            continue;
        };
        if heard.send(Heard::Datagram { from, message }).is_err() {
            return;
        }
    }
}

fn read(datagram: &[u8], nodes: usize, run: u64) -> Option<(Party, Message)> {
    let (id, rest) = datagram.split_first_chunk::<8>()?;
    let (place, body) = rest.split_first()?;
    let from = Party::at((*place).into(), nodes);
    (u64::from_be_bytes(*id) == run).then_some(())?;
    Some((from, serde_json::from_slice(body).ok()?))
}

const MAX_DATAGRAM: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_processes_have_the_same_luck() {
        let luck = |seed, place, incarnation| {
            let network = Network { seed, ..Network::default() };
            network.impairment(place, incarnation).unwrap().seed
        };
        // Neighbours in runs of neighbouring seeds, and one that was started again.
        assert_ne!(luck(7, 1, 1), luck(8, 0, 1));
        assert_ne!(luck(7, 1, 1), luck(7, 1, 2));
        assert_eq!(luck(7, 1, 1), luck(7, 1, 1));
    }
}
