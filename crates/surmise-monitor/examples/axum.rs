//! Nodes 1 to 3 send heartbeats over UDP, and `GET /peers` says which of them are alive.

use axum::{BoxError, Router, routing::get};
use bytes::Buf;
use surmise_detector::{PhiAccrual, PhiConfig};
use surmise_monitor::{Monitor, MonitorConfig, PeerStatus};
use surmise_time::{BootClock, MonotonicClock};
use tokio::net::{TcpListener, UdpSocket};
use tokio::{sync::watch, time};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    serve(UdpSocket::bind("0.0.0.0:7000").await?, TcpListener::bind("0.0.0.0:8000").await?).await
}

pub(crate) async fn serve(socket: UdpSocket, listener: TcpListener) -> Result<(), BoxError> {
    let mut monitor = Monitor::new(MonitorConfig::default())?;
    for node in 1..=3_u8 {
        let config = PhiConfig::for_interval(time::Duration::from_secs(1));
        monitor.watch(node, PhiAccrual::<[u32; 128]>::new(config)?, BootClock.now())?;
    }
    let (tell, told) = watch::channel(String::new());
    let app = Router::new().route("/peers", get(async move || told.borrow().clone()));
    tokio::spawn(axum::serve(listener, app).into_future());
    let (mut datagram, mut changed) = ([0; 17], true);
    while let Some(deadline) = monitor.deadline() {
        if changed {
            let line = |(node, peer): (&u8, PeerStatus)| format!("{node} {:?}\n", peer.state);
            tell.send_replace(monitor.iter().map(line).collect());
        }
        let received = time::timeout(deadline - BootClock.now(), socket.recv(&mut datagram)).await;
        let (now, mut beat) = (BootClock.now(), &datagram[..]);
        if let Ok(Ok(17)) = received {
            let _ = monitor.heartbeat(&beat.get_u8(), beat.get_u64(), beat.get_u64(), now);
        }
        changed = monitor.poll(now).inspect(|event| println!("{event:?}")).count() > 0;
    }
    Ok(())
}
