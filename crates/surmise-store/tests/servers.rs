//! The servers that other tests use: they start, stop and come back.

#![cfg(target_os = "linux")]

#[path = "support/servers.rs"]
mod servers;

use self::servers::{Etcd, Postgres, Redis, Server};

fn comes_back(mut server: Server) {
    server.wait_until_ready();
    server.pause();
    server.resume();
    server.restart();
    server.wait_until_ready();
    server.kill();
}

#[test]
fn redis() {
    if let Some(redis) = Redis::find() {
        comes_back(redis.start());
    }
}

#[test]
fn postgres() {
    if let Some(postgres) = Postgres::find() {
        comes_back(postgres.start());
    }
}

#[test]
fn etcd() {
    if let Some(etcd) = Etcd::find() {
        comes_back(etcd.start());
        let mut cluster = etcd.start_cluster();
        for at in 0..3 {
            cluster[at].kill();
            cluster[(at + 1) % 3].wait_until_ready();
            cluster[at].restart();
        }
    }
}
