//! One peer over UDP, watched by a loop that sleeps until the deadline.
//!
//! The peer is a thread here. It sends its incarnation and a sequence number every 100 ms, pauses for a
//! second, and goes on. Run it with `cargo run -p surmise-detector --example udp`.

use core::{net::SocketAddr, time::Duration};
use std::{
    io,
    net::UdpSocket,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
};

use surmise_detector::{FailureDetector, Incarnated, PhiAccrual, PhiConfig, Verdict};
use surmise_time::{MonotonicClock, OsClock};

const INTERVAL: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let address = socket.local_addr()?;
    thread::spawn(move || send_heartbeats(address));

    let detector = PhiAccrual::<[u32; 128]>::new(PhiConfig::for_interval(INTERVAL))?;
    let mut peer = Incarnated::new(detector);
    let mut known = Verdict::Unknown;
    let end = OsClock.now() + 40 * INTERVAL;

    while OsClock.now() < end {
        // A deadline stays in the past for as long as the peer is suspected, so only one that lies
        // ahead is worth waking up for: a nanosecond after it, when the verdict has changed.
        let now = OsClock.now();
        let wake_up = peer.deadline().filter(|&deadline| deadline >= now).unwrap_or(end);
        socket.set_read_timeout(Some((wake_up - now) + Duration::from_nanos(1)))?;

        let mut datagram = [0; 16];
        match socket.recv(&mut datagram) {
            Ok(16) => {
                // The time first: what follows is no delay of the peer's.
                let now = OsClock.now();
                let [a, b, c, d, e, f, g, h, sequence @ ..] = datagram;
                let incarnation = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                peer.heartbeat_of(incarnation, u64::from_be_bytes(sequence), now);
            }
            Ok(_) => {}
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error.into()),
        }

        let verdict = peer.verdict(OsClock.now());
        if verdict != known {
            println!("{}: {known:?} -> {verdict:?}", OsClock.now());
            known = verdict;
        }
    }
    Ok(())
}

fn send_heartbeats(address: SocketAddr) -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    // Nothing is ever sent on the channel: it is a clock to wait by.
    let (_keep, never) = mpsc::channel::<()>();
    let incarnation = 1_u64.to_be_bytes();
    for sequence in 0_u64.. {
        socket.send_to(&[incarnation, sequence.to_be_bytes()].concat(), address)?;
        let pause = if sequence == 15 { 10 * INTERVAL } else { INTERVAL };
        if never.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    Ok(())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
