//! The examples, with real tasks and sockets. Nothing here depends on how long anything takes.

#![cfg(not(loom))]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../examples/axum.rs"]
#[expect(dead_code, reason = "its `main` is not called")]
mod axum_example;
#[path = "../examples/tokio.rs"]
#[expect(dead_code, reason = "its `main` is not called")]
mod tokio_example;

use core::net::SocketAddr;

use surmise_monitor::{Event, TrustReason};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
};
use tokio_example::Heartbeat;

#[tokio::test]
async fn the_axum_service_says_who_is_alive() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (heartbeats, http) = (socket.local_addr().unwrap(), listener.local_addr().unwrap());
    let service = tokio::spawn(axum_example::serve(socket, listener));
    assert_eq!(peers(http).await, "1 Unheard\n2 Unheard\n3 Unheard\n");

    // It sends until it is heard, and then no more. Who else sends is a stranger, or makes no sense.
    let node = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for sequence in 1_u64.. {
        node.send_to(b"too short", heartbeats).await.unwrap();
        for sender in [7_u8, 2] {
            let beat = [&[sender][..], &1_u64.to_be_bytes(), &sequence.to_be_bytes()].concat();
            node.send_to(&beat, heartbeats).await.unwrap();
        }
        if peers(http).await.contains("2 Trusted\n") {
            break;
        }
    }
    while !peers(http).await.contains("2 Suspected\n") {}
    service.abort();
}

/// Asks the service who is alive.
async fn peers(http: SocketAddr) -> String {
    let mut connection = TcpStream::connect(http).await.unwrap();
    let request = b"GET /peers HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    body.to_owned()
}

#[tokio::test]
async fn the_task_tells_who_stops_and_who_is_back() {
    let (sender, heartbeats) = mpsc::channel(10);
    let (told, mut events) = mpsc::unbounded_channel();
    let watching = async {
        let tell = |event| told.send(event).unwrap();
        tokio_example::watch(&["a"], heartbeats, tell).await.unwrap();
    };
    let node = async {
        let beat = |node, sequence| Heartbeat { node, incarnation: 1, sequence };
        sender.send(beat("a", 1)).await.unwrap();
        sender.send(beat("stranger", 1)).await.unwrap();
        let mut next = async || events.recv().await.unwrap();
        assert!(matches!(next().await, Event::Trusted { peer: "a", .. }));
        assert!(matches!(next().await, Event::Suspected { peer: "a", .. }));
        assert!(matches!(next().await, Event::Dead { peer: "a", .. }));
        sender.send(beat("a", 2)).await.unwrap();
        let back = next().await;
        assert!(matches!(back, Event::Trusted { reason: TrustReason::Heartbeat, .. }), "{back:?}");
        drop(sender);
    };
    tokio::join!(watching, node);
}

#[test]
fn the_readme_has_the_axum_service() {
    let example = include_str!("../examples/axum.rs");
    assert!(example.lines().count() < 40);
    assert!(include_str!("../README.md").contains(example));
}
