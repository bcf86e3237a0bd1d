//! NTP servers that reply as a test has it.

#![expect(clippy::unwrap_used, reason = "without a server there is no test")]

use std::{
    net::{SocketAddr, UdpSocket},
    thread::{self, JoinHandle},
};

use surmise_interval::source::ntp::PACKET_LENGTH;
use surmise_time::{OsWallClock, WallClock};

/// A server that replies to each request with some datagrams.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    thread: Option<JoinHandle<usize>>,
}

impl Server {
    pub(crate) fn start(replies: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let serve = move || {
            let mut request = [0; 100];
            for count in 0.. {
                let (length, client) = socket.recv_from(&mut request).unwrap();
                if length == 0 {
                    return count;
                }
                for reply in replies(&request[..length]) {
                    // The client may have gone already.
                    _ = socket.send_to(&reply, client);
                }
            }
            0
        };
        Self { address, thread: Some(thread::spawn(serve)) }
    }

    /// Stops the server, of which there was one request.
    pub(crate) fn stop(mut self) {
        assert_eq!(self.stop_and_count(), 1);
    }

    /// Stops the server, and returns how many requests there were.
    pub(crate) fn stop_and_count(&mut self) -> usize {
        let stop = UdpSocket::bind("127.0.0.1:0").unwrap();
        stop.send_to(&[], self.address).unwrap();
        self.thread.take().unwrap().join().unwrap()
    }
}

/// What a good server at stratum 1 replies, whose clock is this machine's.
pub(crate) fn reply_to(request: &[u8]) -> Vec<u8> {
    assert_eq!((request.len(), request[0]), (PACKET_LENGTH, 0x23));
    let nanos = u128::from(OsWallClock.now().as_nanos());
    let since_1900 = (nanos << 32).div_ceil(1_000_000_000) + (2_208_988_800 << 32);
    let now = u64::try_from(since_1900).unwrap().to_be_bytes();
    let mut reply = vec![0; PACKET_LENGTH];
    reply[..4].copy_from_slice(&[0x24, 1, 6, 0xe8]);
    reply[12..16].copy_from_slice(b"GPS\0");
    reply[24..32].copy_from_slice(&request[40..]);
    for offset in [16, 32, 40] {
        reply[offset..offset + 8].copy_from_slice(&now);
    }
    reply
}
