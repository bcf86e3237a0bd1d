//! Stores in etcd, for the tests of them.

#![expect(clippy::unwrap_used, reason = "without a server there is no test")]
#![allow(dead_code, reason = "each test uses some of them")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::time::Duration;

use surmise_store::etcd::{EtcdConfig, EtcdStore};

use super::servers::{Server, wait_until};

/// Returns a configuration for some members.
pub(crate) fn config(members: &[Server]) -> EtcdConfig {
    EtcdConfig {
        endpoints: members.iter().map(|member| member.url().to_owned()).collect(),
        ..EtcdConfig::default()
    }
}

/// Returns a store that waits for long, since the machine may be slow.
pub(crate) async fn patient(members: &[Server]) -> EtcdStore {
    let config = EtcdConfig {
        connect_timeout: Duration::from_secs(20),
        request_timeout: Duration::from_secs(20),
        ..config(members)
    };
    EtcdStore::connect(config).await.unwrap()
}

/// Returns a store that gives up on a member soon.
pub(crate) async fn impatient(members: &[Server]) -> EtcdStore {
    let config = EtcdConfig { request_timeout: Duration::from_secs(1), ..config(members) };
    EtcdStore::connect(config).await.unwrap()
}

/// Returns which member the others follow.
pub(crate) fn leader(members: &[Server]) -> usize {
    let mut leader = None;
    let leads = |member: &Server| {
        let status = ask(member, "/v3/maintenance/status", "{}");
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        let leader = status.get("leader");
        leader.is_some() && leader == status.pointer("/header/member_id")
    };
    let found = || {
        leader = members.iter().position(leads);
        leader.is_some()
    };
    assert!(wait_until(found), "no member comes to lead");
    leader.unwrap()
}

/// Asks a member for something directly, and returns the answer.
pub(crate) fn ask(member: &Server, path: &str, body: &str) -> String {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    let mut stream = TcpStream::connect(("127.0.0.1", member.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.0\r\nHost: etcd\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}
